package generator

import (
	"go/token"
	"strings"
	"unicode"
)

// packageName makes the name of a Go package of a contract's: lower case letters and
// digits, no keyword, nothing that generated files import.
func packageName(contract string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r):
			return unicode.ToLower(r)
		case unicode.IsDigit(r):
			return r
		}
		return -1
	}, contract)
	name = strings.TrimLeft(name, "0123456789")
	switch {
	case name == "":
		return "api"
	case token.IsKeyword(name), reservedPackages[name], predeclared[name], strings.HasSuffix(name, "test") && len(name) == 4:
		return name + "api"
	}
	return name
}

// reservedPackages are packages that generated files import, or names that mean
// something to Go.
var reservedPackages = set("main internal vendor testdata concordat stub rpc codec param context iter time json io unsafe testing broker")

// packageDoc is the comment of the package: what the contract says of itself.
func (p *pass) packageDoc() []string {
	title := oneLine(p.c.Title)
	if title == "" {
		title = p.c.Name
	}
	out := wrap("Package "+p.out.Name+" is generated from the contract "+strings.TrimSuffix(title, ".")+".", "")
	d := p.c.Doc
	if text := strings.TrimSpace(d.Summary + "\n\n" + d.Detail); text != "" && d.Summary != d.Detail {
		out = append(append(out, ""), paragraphs(text)...)
	} else if d.Summary != "" {
		out = append(append(out, ""), paragraphs(d.Summary)...)
	}
	return out
}

// stemOf is the beginning of file names. It holds no underscore, so that no part of it
// can be taken for an operating system or for a test.
func stemOf(contract string) string { return packageName(contract) }

// baseName is the last part of a dotted name.
func baseName(full string) string { return full[strings.LastIndexByte(full, '.')+1:] }
