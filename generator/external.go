package generator

import (
	"encoding/json"
	"go/token"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// external holds a named type as the Go type that x-go-type or the options want, under
// the contract's name for it; nil where nobody wants one.
func (p *pass) external(t *contract.Type, name string) *held {
	want, ok := p.o.Types[t.Name]
	if !ok {
		want = t.GoType
	}
	if want == "" {
		return nil
	}
	of, ok := p.goType(want)
	if !ok {
		return nil
	}
	ref := golang.Ref{Name: name}
	s, null := p.normal(t.Schema)
	_, open := s.(*contract.Any)
	tab := &golang.Table{Var: p.tableVar(name), Kind: "Custom", Of: &ref, Open: open, Rules: customRule(s)}
	p.place(&golang.Named{Name: name, Doc: typeDoc(name, t.Doc), Type: of, Alias: true}, tab)
	return &held{ref: ref, kind: "Custom", table: &golang.Table{Use: tab.Var}, base: "Value", null: null}
}

// goType reads "github.com/google/uuid.UUID". It is false, after a warning, for what would
// not compile.
func (p *pass) goType(text string) (golang.Ref, bool) {
	dot := strings.LastIndexByte(text, '.')
	path, name := text[:max(dot, 0)], text[dot+1:]
	root, _, _ := strings.Cut(path, "/")
	switch {
	case dot < 0 && basicTypes[name]:
		return golang.Ref{Name: name}, true
	case dot > 0 && token.IsExported(name) && token.IsIdentifier(name) && importable(path) && (strings.Contains(root, ".") || standard[path]):
		return golang.Ref{Pkg: path, Name: name}, true
	}
	p.warn("bad-go-type", p.at, "%q is no Go type that can be imported; it is not used", text).Help =
		"write the import path of its package and its name, as in example.com/money.Amount; a package of the standard library may stand for itself"
	return golang.Ref{}, false
}

func importable(path string) bool {
	return !strings.ContainsFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("./-_~", r))
	})
}

var basicTypes = set("bool string int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64")

// standard are the packages of the standard library that have types for values.
var standard = set("time math/big net net/netip net/url net/mail encoding/json regexp log/slog database/sql crypto/x509/pkix")

// mappedFormat holds a scalar as the Go type that the options want for its format; nil
// where they want none.
func (p *pass) mappedFormat(s *contract.Scalar) *held {
	format := formatName(s)
	want, ok := p.o.Formats[format]
	if !ok || s.Const != nil {
		return nil
	}
	of, ok := p.goType(want)
	switch {
	case !ok:
		return nil
	case of.Pkg == "" && of.Name == "string":
		text := *s
		text.Kind, text.Format = contract.String, format
		h := &held{ref: of, kind: "String", base: "String", rules: p.scalarRule(&text, "String")}
		if textFormats[format] {
			c := golang.Rule{}
			if h.rules != nil {
				c = *h.rules
			}
			c.Format = format
			h.rules = &c
		}
		return h
	}
	return &held{ref: of, kind: "Custom", base: "Value", table: &golang.Table{Kind: "Custom", Of: &of, Rules: customRule(s)}}
}

// textFormats are the formats that the runtime checks of text.
var textFormats = set("date-time date time duration uuid uri email hostname ipv4 ipv6 json-pointer")

// formatName is the format of a scalar as contracts write it.
func formatName(s *contract.Scalar) string {
	if s.Format != "" {
		return s.Format
	}
	return kindFormats[s.Kind]
}

var kindFormats = map[contract.ScalarKind]string{
	contract.DateTime: "date-time", contract.Date: "date", contract.Time: "time", contract.Duration: "duration", contract.UUID: "uuid",
	contract.URI: "uri", contract.IP: "ip", contract.Bytes: "byte", contract.Decimal: "decimal", contract.Int32: "int32", contract.Int64: "int64",
	contract.Uint32: "uint32", contract.Uint64: "uint64", contract.Float32: "float", contract.Float64: "double",
}

// customRule is what a schema says of a value, as an assertion: nobody knows how the Go
// type of the program keeps it.
func customRule(s contract.Schema) *golang.Rule {
	scalar, ok := contract.Resolve(s).(*contract.Scalar)
	if !ok {
		return nil
	}
	r, says := &scalar.Rules, []string(nil)
	say := func(keyword, value string) {
		if value != "" {
			says = append(says, strconv.Quote(keyword)+":"+value)
		}
	}
	bound := func(keyword, exclusive string, value string, excl bool) {
		if excl {
			keyword = exclusive
		}
		say(keyword, value)
	}
	bound("minimum", "exclusiveMinimum", r.Min, r.ExclusiveMin)
	bound("maximum", "exclusiveMaximum", r.Max, r.ExclusiveMax)
	say("multipleOf", r.MultipleOf)
	if r.MinLen != nil {
		say("minLength", strconv.Itoa(*r.MinLen))
	}
	if r.MaxLen != nil {
		say("maxLength", strconv.Itoa(*r.MaxLen))
	}
	if r.Pattern != "" {
		text, _ := json.Marshal(r.Pattern)
		say("pattern", string(text))
	}
	if r.Also != nil {
		say("allOf", "["+r.Also.Schema+"]")
	}
	if len(says) == 0 {
		return nil
	}
	return &golang.Rule{Also: "{" + strings.Join(says, ",") + "}"}
}
