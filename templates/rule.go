package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// rule prints &codec.Rule{Has: codec.MinLen | codec.MaxLen, MinLen: 1, MaxLen: 100}, or
// nothing where there is nothing to check.
func rule(r *golang.Rule) block.Code {
	if r == nil {
		return nil
	}
	var has []block.Code
	pairs := []block.Pair{{}}
	for _, l := range limits(r) {
		if l.on {
			has = append(has, codec(l.has))
			pairs = append(pairs, block.Pair{Key: l.field, Value: l.value})
		}
	}
	if len(has) == 0 {
		return nil
	}
	pairs[0] = block.Pair{Key: "Has", Value: block.Or(has...)}
	return block.Address(block.Struct(codec("Rule"), pairs...))
}

// A limit is one member of a rule: the constant that puts it in force, and the field of
// codec.Rule that holds its value, if it has one.
type limit struct {
	has, field string
	on         bool
	value      block.Code
}

func limits(r *golang.Rule) []limit {
	number := func(name, value string) limit { return limit{name, name, value != "", source(value)} }
	return []limit{
		number("MinLen", r.MinLen), number("MaxLen", r.MaxLen),
		number("Min", r.Min), number("Max", r.Max), number("Multiple", r.Multiple),
		number("FMin", r.FMin), {has: "FMinExcl", on: r.FMinExcl},
		number("FMax", r.FMax), {has: "FMaxExcl", on: r.FMaxExcl},
		number("FMultiple", r.FMultiple),
		{has: "Unique", on: r.Unique},
		{"Pattern", "Pattern", r.Pattern != "", text(r.Pattern)},
		{"ConstOf", "Const", r.Const != "", text(r.Const)},
		{"Format", "Name", r.Format != "", text(r.Format)},
		{"Also", "Also", r.Also != "", block.Address(block.Struct(codec("Schema"), block.Pair{Key: "Text", Value: text(r.Also)}))},
	}
}
