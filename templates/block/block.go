// Package block is the vocabulary of the templates: the few Go shapes that every emitted
// file is built from, so that templates read like the code they print. It is the only
// package that knows jennifer, and it owns formatting: File joins declarations, groups
// imports and runs the formatter once.
//
// It imports jennifer and the standard library.
package block

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"
)

// Code is a piece of Go. Nil prints nothing.
type Code = jen.Code

// Src is Go source that needs no import: an identifier, an expression, a statement.
func Src(text string) Code { return jen.Id(text) }

// Qual is a name of the package with import path pkg, which the file then imports.
func Qual(pkg, name string) Code { return jen.Qual(pkg, name) }

// Seq is its parts one after the other, separated as the formatter likes it.
func Seq(parts ...Code) Code { return seq(parts...) }

// seq leaves out nil parts, on which jennifer would stumble.
func seq(parts ...Code) *jen.Statement {
	s := jen.Statement(slices.DeleteFunc(parts, func(c Code) bool { return c == nil }))
	return &s
}

// Address is &x.
func Address(x Code) Code { return jen.Op("&").Add(x) }

// Call is f(args).
func Call(f Code, args ...Code) Code { return jen.Add(f, inline("(", ")", args)) }

// Generic is name[args]; without args it is name.
func Generic(name Code, args ...Code) Code {
	if len(args) == 0 {
		return name
	}
	return jen.Add(name, inline("[", "]", args))
}

// Or is xs joined by |.
func Or(xs ...Code) Code {
	return jen.Custom(jen.Options{Separator: "|"}, xs...)
}

// Return is the statement "return xs".
func Return(xs ...Code) Code { return jen.Return(xs...) }

// Doc is c below a comment that holds lines, one each; blank lines at either end are left
// out. Nothing may stand between the comment and c, not even a blank: the formatter would
// not take it for a doc comment, and would change its mind the second time.
func Doc(lines []string, c Code) Code {
	text := paragraph(lines)
	if len(text) == 0 {
		return c
	}
	return jen.Custom(jen.Options{}, jen.Comment(strings.Join(text, "\n")+"\n"), c)
}

// Behind is c with a comment behind it on the same line; "" is none.
func Behind(c Code, text string) Code {
	if text == "" {
		return c
	}
	return jen.Add(c, jen.Comment(slashes(strings.ReplaceAll(text, "\n", " "))))
}

func inline(open, end string, items []Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: open, Close: end, Separator: ","}, items...)
}

// Apart is c below a blank line, within a list of lines.
func Apart(c Code) Code { return jen.Line().Add(c) }
