package generator

import (
	"strconv"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// scalars is how each scalar kind is held: kind of the codec, and Go type.
var scalars = map[contract.ScalarKind]struct{ kind, pkg, name string }{
	contract.String:   {"String", "", "string"},
	contract.Bool:     {"Bool", "", "bool"},
	contract.Int32:    {"Int32", "", "int32"},
	contract.Int64:    {"Int64", "", "int64"},
	contract.Uint32:   {"Uint32", "", "uint32"},
	contract.Uint64:   {"Uint64", "", "uint64"},
	contract.Integer:  {"Int64", "", "int64"},
	contract.Float32:  {"Float32", "", "float32"},
	contract.Float64:  {"Float64", "", "float64"},
	contract.Number:   {"Float64", "", "float64"},
	contract.Decimal:  {"Number", "encoding/json", "Number"},
	contract.Bytes:    {"Bytes", "", "[]byte"},
	contract.Binary:   {"Bytes", "", "[]byte"},
	contract.DateTime: {"Time", "time", "Time"},
	contract.Date:     {"Date", runtimePath, "Date"},
	contract.Time:     {"String", "", "string"},
	contract.Duration: {"String", "", "string"},
	contract.UUID:     {"UUID", runtimePath, "UUID"},
	contract.URI:      {"String", "", "string"},
	contract.IP:       {"String", "", "string"},
}

// scalar holds a single value.
func (p *pass) scalar(s *contract.Scalar) *held {
	g, ok := scalars[s.Kind]
	if !ok { // Null, on its own
		h := raw()
		h.rules, h.null = &golang.Rule{Const: "null"}, true
		return h
	}
	if own := p.mappedFormat(s); own != nil {
		return own
	}
	h := &held{ref: golang.Ref{Pkg: g.pkg, Name: g.name}, kind: g.kind, base: exported(g.name)}
	if g.name == "[]byte" {
		h.ref, h.base = golang.Ref{Prefix: "[]", Name: "byte"}, "Bytes"
	}
	if s.Const != nil && !constFits(*s.Const, g.kind) {
		p.warn("constant-type", p.at, "the constant %s is no %s", *s.Const, s.Kind)
		return raw()
	}
	h.rules = p.scalarRule(s, g.kind)
	return h
}

// constFits says whether the JSON text of a constant can be a value of kind.
func constFits(json, kind string) bool {
	switch {
	case json == "":
		return false
	case json[0] == '"':
		return kind == "String" || kind == "Time" || kind == "Date" || kind == "UUID" || kind == "Bytes"
	case json == "true" || json == "false":
		return kind == "Bool"
	}
	_, err := strconv.ParseFloat(json, 64)
	return err == nil && kind != "String" && kind != "Bool"
}
