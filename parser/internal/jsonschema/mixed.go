package jsonschema

import (
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// mixedEnum makes a union of an enum whose values are of several types: an enum for each
// type, in the order in which they appear. Lists and objects stay JSON, and are asserted
// to be among the values.
func (r *Reader) mixedEnum(v *view, e *contract.Enum) contract.Schema {
	u := &contract.Union{Span: v.node.Span()}
	parts := map[string]*contract.Enum{}
	for _, value := range e.Values {
		word := wordOf(value.JSON)
		part := parts[word]
		if part == nil {
			part = &contract.Enum{Base: bases[word], Open: e.Open}
			parts[word] = part
			u.Variants = append(u.Variants, &contract.Variant{Name: word, Schema: part, Span: value.Span})
		}
		if word == "Number" && strings.ContainsAny(value.JSON, ".eE") {
			part.Base = contract.Number
		}
		part.Values = append(part.Values, value)
	}
	for _, x := range u.Variants {
		if x.Name == "JSON" {
			r.diags.Warnf("structured-enum", x.Span, "the enum lists values that are lists or objects; they are kept as raw JSON").Severity = diag.Remark
			x.Schema = structured(parts["JSON"])
		}
	}
	if e.Nullable {
		u.Variants = append(u.Variants, &contract.Variant{Schema: &contract.Scalar{Kind: contract.Null}, Span: u.Span})
	}
	if len(u.Variants) == 1 {
		return u.Variants[0].Schema
	}
	return u
}

// wordOf names the type of a JSON value, as a part of the name of its Go type.
func wordOf(json string) string {
	switch c := json[0]; {
	case c == '"':
		return "Text"
	case c == 't' || c == 'f':
		return "Flag"
	case c == '[' || c == '{':
		return "JSON"
	}
	return "Number"
}

var bases = map[string]contract.ScalarKind{"Text": contract.String, "Flag": contract.Bool, "Number": contract.Integer}

// structured is what may be one of several lists and objects.
func structured(e *contract.Enum) contract.Schema {
	if e.Open {
		return &contract.Any{}
	}
	values := make([]string, len(e.Values))
	for i, value := range e.Values {
		values[i] = value.JSON
	}
	return &contract.Any{
		Reason: "its values are lists and objects",
		Also:   &contract.Assertion{Schema: "{" + node.Quote("enum") + ":[" + strings.Join(values, ",") + "]}", Span: e.Values[0].Span},
	}
}
