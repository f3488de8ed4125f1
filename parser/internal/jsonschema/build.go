package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// build reads a view: what it may be one of first, then its values, then its type.
func (r *Reader) build(v *view) contract.Schema {
	if v.never {
		r.diags.Warnf("false-schema", v.node.Span(), "the schema is false: no value is allowed")
		return &contract.Any{Reason: "no value is allowed"}
	}
	r.noteSkipped(v)
	if groups := r.groups(v); len(groups) > 0 {
		return r.union(v, groups)
	}
	also, _ := r.also(v)
	return r.attach(r.one(v), also)
}

// one reads a view without alternatives.
func (r *Reader) one(v *view) contract.Schema {
	types, ok := r.typesOf(v)
	if !ok {
		return r.give(v, "conflicting-types", "the schemas that must all hold allow no common type")
	}
	if s := r.values(v, types); s != nil {
		return s
	}
	if len(types) == 0 {
		types = inferred(v)
	}
	if intOrString(v, types) {
		return r.anyType(v, []string{"integer", "string"})
	}
	switch len(types) {
	case 0:
		return &contract.Any{}
	case 1:
		return r.ofType(v, types[0])
	}
	return r.anyType(v, types)
}

// intOrString says whether v is Kubernetes' text that may be a number, too: its documents in
// Swagger 2 can say that by an extension or a format alone.
func intOrString(v *view, types []string) bool {
	format, _ := v.first("format").Str()
	return v.only == "" && (v.first("x-kubernetes-int-or-string").True() || format == "int-or-string" && slices.Equal(types, []string{"string"}))
}

func (r *Reader) ofType(v *view, typ string) contract.Schema {
	switch typ {
	case "object":
		return r.object(v)
	case "array":
		return r.list(v)
	case "string", "file":
		return r.text(v, typ)
	case "integer", "number":
		return r.number(v, typ)
	case "boolean":
		return &contract.Scalar{Kind: contract.Bool}
	case "null":
		return &contract.Scalar{Kind: contract.Null}
	}
	return &contract.Any{}
}

// anyType is the union of several types; all of them at once allow anything.
func (r *Reader) anyType(v *view, types []string) contract.Schema {
	if slices.Contains(types, "number") {
		types = slices.DeleteFunc(types, func(t string) bool { return t == "integer" })
	}
	if len(types) == 1 {
		return r.ofType(v, types[0])
	}
	if len(types) >= 5 {
		return &contract.Any{}
	}
	u := &contract.Union{Span: v.node.Span()}
	for _, t := range types {
		one := *v
		one.only = t
		u.Variants = append(u.Variants, &contract.Variant{Schema: r.read(&one), Span: v.first("type").Span()})
	}
	return u
}

var typeNames = []string{"object", "array", "string", "number", "integer", "boolean", "null", "file"}

// typesOf returns the types that all parts allow, without null, in source order; none
// where no part names any. It is false where parts exclude one another.
func (r *Reader) typesOf(v *view) (types []string, ok bool) {
	if v.only != "" {
		return []string{v.only}, true
	}
	stated, null := false, false
	for _, n := range v.every("type") {
		names, good := r.typeNames(n)
		if !good {
			continue
		}
		if i := slices.Index(names, "null"); i >= 0 {
			null = true
			names = slices.Delete(names, i, i+1)
		}
		if len(names) == 0 {
			continue
		}
		if !stated {
			types, stated = names, true
			continue
		}
		if types = common(types, names); len(types) == 0 {
			return nil, false
		}
	}
	if !stated && null {
		return []string{"null"}, true
	}
	return types, true
}

// typeNames reads a type keyword.
func (r *Reader) typeNames(n *node.Node) (names []string, ok bool) {
	if !node.Expect(r.diags, n, "type", node.String, node.List, node.Null) {
		return nil, false
	}
	items := []*node.Node{n}
	if n.Kind() == node.List {
		items = slices.Collect(n.Items())
	}
	for _, item := range items {
		name := item.Text() // an unquoted null is meant as the type
		if !slices.Contains(typeNames, name) {
			r.diags.Errorf("unknown-type", item.Span(), "there is no type %s", strconv.Quote(name)).
				Help = "the types are object, array, string, number, integer, boolean and null"
			return nil, false
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, len(names) > 0
}

// common returns what is in both lists; an integer is a number.
func common(a, b []string) []string {
	var both []string
	for _, t := range a {
		switch {
		case slices.Contains(b, t):
			both = append(both, t)
		case t == "number" && slices.Contains(b, "integer"):
			both = append(both, "integer")
		case t == "integer" && slices.Contains(b, "number"):
			both = append(both, t)
		}
	}
	return both
}

// inferred guesses the type of a schema that names none from the keywords that it uses,
// since nobody writes properties and means text.
func inferred(v *view) []string {
	switch {
	case v.has("properties", "additionalProperties", "patternProperties", "required", "minProperties", "maxProperties",
		"unevaluatedProperties", "propertyNames"):
		return []string{"object"}
	case v.has("items", "prefixItems", "minItems", "maxItems", "uniqueItems"):
		return []string{"array"}
	case v.has("pattern", "minLength", "maxLength", "contentEncoding", "contentMediaType"):
		return []string{"string"}
	case v.has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
		return []string{"number"}
	}
	format, _ := v.first("format").Str()
	switch {
	case format == "":
		return nil
	case strings.HasPrefix(format, "int") || strings.HasPrefix(format, "uint"):
		if numberKinds[format] != 0 {
			return []string{"integer"}
		}
	case format == "float" || format == "double":
		return []string{"number"}
	case textKinds[format] != 0:
		return []string{"string"}
	}
	return nil
}
