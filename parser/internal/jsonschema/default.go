package jsonschema

import (
	"math/big"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// defaultOf returns a default as JSON, unless it can be no value of its field, which parts
// describe.
func (r *Reader) defaultOf(d *node.Node, f *contract.Field, parts []*node.Node) *string {
	want := node.Absent
	switch s := f.Schema.(type) {
	case *contract.Scalar:
		want = kindOf(s.Kind)
	case *contract.Enum:
		want = kindOf(s.Base)
	case *contract.List:
		want = node.List
	case *contract.Object, *contract.Map:
		want = node.Map
	}
	if want != node.Absent && d.Kind() != want && d.Kind() != node.Null {
		r.diags.Warnf("bad-default", d.Span(), "the default is %s where %s is expected; it is not used", d.Kind(), want)
		return nil
	}
	if d.Kind() == node.Null && !f.Nullable {
		return nil // "no default", as some tools write it
	}
	if why := unfit(d, parts); why != "" && d.Kind() != node.Null {
		r.diags.Warnf("bad-default", d.Span(), "the default is %s; it is not used", why)
		return nil
	}
	return new(d.JSON())
}

// unfit says why d is no value of a schema that parts describe; "" where it may be one.
func unfit(d *node.Node, parts []*node.Node) string {
	for _, p := range parts {
		enum := p.Get("enum")
		if enum.Kind() == node.List && enum.Len() > 0 && !holds(enum, d) && !p.Has("x-extensible-enum") {
			return "none of the enum's values"
		}
		format, _ := p.Get("format").Str()
		if bits := integerBits[format]; bits != 0 && d.Kind() == node.Number && p.Get("type").Text() == "integer" {
			if x, ok := parseDecimal(d.Text()); ok && (!x.IsInt() || !fits(x.Num(), bits)) {
				return "no " + format
			}
		}
	}
	return ""
}

// integerBits are the widths of integer formats; negative ones have no sign.
var integerBits = map[string]int{"int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint8": -8, "uint16": -16, "uint32": -32, "uint64": -64}

func fits(x *big.Int, bits int) bool {
	if bits < 0 {
		return x.Sign() >= 0 && x.BitLen() <= -bits
	}
	if x.Sign() < 0 { // one more value below zero than above
		x = new(big.Int).Not(x)
	}
	return x.BitLen() < bits
}

// holds says whether a list has d, or a text that is spelled like it, as one of its items.
func holds(list, d *node.Node) bool {
	for item := range list.Items() {
		if node.Equal(item, d) || item.Kind() <= node.String && item.Written() == d.Written() {
			return true
		}
	}
	return false
}
