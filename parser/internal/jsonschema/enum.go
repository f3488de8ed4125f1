package jsonschema

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// values reads const, enum and x-extensible-enum; nil where v has none of them.
func (r *Reader) values(v *view, types []string) contract.Schema {
	if consts := v.every("const"); len(consts) > 0 {
		return r.constant(v, consts, types)
	}
	lists := r.valueLists(v, "enum")
	if len(lists) > 0 {
		return r.enum(v, lists, types, v.first("x-extensible-enum").True())
	}
	if lists = r.valueLists(v, "x-extensible-enum"); len(lists) > 0 {
		return r.enum(v, lists, types, true)
	}
	return nil
}

func (r *Reader) valueLists(v *view, keyword string) []*node.Node {
	var lists []*node.Node
	for _, n := range v.every(keyword) {
		if _, flag := n.Bool(); flag && keyword != "enum" {
			continue
		}
		if !node.Expect(r.diags, n, keyword, node.List) {
			continue
		}
		if n.Len() == 0 {
			r.badKeyword(n, keyword+" lists no values")
			continue
		}
		lists = append(lists, n)
	}
	return lists
}

func (r *Reader) constant(v *view, consts []*node.Node, types []string) contract.Schema {
	c := consts[0]
	for _, other := range consts[1:] {
		if !node.Equal(c, other) {
			return r.give(v, "conflicting-values", "the schemas that must all hold allow different constants")
		}
	}
	s := &contract.Scalar{Const: new(c.JSON())}
	switch c.Kind() {
	case node.String:
		s.Kind = contract.String
	case node.Bool:
		s.Kind = contract.Bool
	case node.Null:
		return &contract.Scalar{Kind: contract.Null}
	case node.Number:
		s.Kind = contract.Integer
		if strings.ContainsAny(c.Text(), ".eE") || slices.Contains(types, "number") {
			s.Kind = contract.Number
		}
	default:
		return &contract.Any{Const: s.Const}
	}
	return s
}

// enum reads the values that all lists have in common.
func (r *Reader) enum(v *view, lists []*node.Node, types []string, open bool) contract.Schema {
	e := &contract.Enum{Open: open, Nullable: r.allNullable([]*node.Node{v.node})}
	base := node.Absent
	seen := map[string]bool{}
	fraction, mixed := slices.Contains(types, "number"), false
	shared := shared(lists)
	for item := range lists[0].Items() {
		if shared != nil && !shared[item.JSON()] {
			continue
		}
		if isNull(item) {
			e.Nullable = true
			continue
		}
		value, kind := r.enumValue(item, types)
		if base == node.Absent {
			base = kind
		}
		mixed = mixed || kind != base || kind >= node.List
		if seen[value.JSON] {
			r.diags.Warnf("duplicate-value", item.Span(), "the value %s is listed twice", value.JSON)
			continue
		}
		seen[value.JSON] = true
		fraction = fraction || kind == node.Number && strings.ContainsAny(value.JSON, ".eE")
		value.Name, value.Doc.Summary = r.valueNotes(v, item, lists[0])
		e.Values = append(e.Values, value)
	}
	switch {
	case base == node.Absent && e.Nullable:
		return &contract.Scalar{Kind: contract.Null}
	case base == node.Absent:
		return r.give(v, "conflicting-values", "the enums that must all hold have no value in common")
	case mixed:
		return r.mixedEnum(v, e)
	}
	e.Base = map[node.Kind]contract.ScalarKind{node.String: contract.String, node.Bool: contract.Bool, node.Number: contract.Integer}[base]
	if fraction && base == node.Number {
		e.Base = contract.Number
	}
	return e
}

// shared returns the values, as JSON, that all lists hold; nil where there is only one.
func shared(lists []*node.Node) map[string]bool {
	if len(lists) == 1 {
		return nil
	}
	count := map[string]int{}
	for i, l := range lists {
		for item := range l.Items() {
			if text := item.JSON(); count[text] == i {
				count[text]++
			}
		}
	}
	all := map[string]bool{}
	for text, n := range count {
		all[text] = n == len(lists)
	}
	return all
}

// enumValue reads one value. Where the type says text and YAML took the value for
// something else, as it does with 1.0 and true, text was meant.
func (r *Reader) enumValue(item *node.Node, types []string) (contract.EnumValue, node.Kind) {
	kind, text := item.Kind(), item.JSON()
	if len(types) == 1 && types[0] == "string" && (kind == node.Number || kind == node.Bool) {
		r.diags.Warnf("value-type", item.Span(), "the value %s is %s where the type is string; it is taken as text", item.Written(), kind).
			Help = "write it in quotes"
		kind, text = node.String, node.Quote(item.Written())
	}
	if len(types) == 1 && (types[0] == "integer" || types[0] == "number") && kind == node.String {
		if _, ok := parseDecimal(item.Text()); ok {
			r.diags.Warnf("value-type", item.Span(), "the value %s is text where the type is %s; it is taken as a number", text, types[0])
			kind, text = node.Number, item.Text()
		}
	}
	return contract.EnumValue{JSON: text, Span: item.Span()}, kind
}

// valueNotes finds the name and description that extensions give to a value.
func (r *Reader) valueNotes(v *view, item, list *node.Node) (name, doc string) {
	i := item.Index()
	for _, keyword := range [...]string{"x-enum-varnames", "x-enumNames", "x-enum-names"} {
		if n := v.first(keyword); n.Len() == list.Len() {
			name, _ = n.At(i).Str()
			break
		}
	}
	descriptions := v.first("x-enum-descriptions")
	switch descriptions.Kind() {
	case node.List:
		if descriptions.Len() == list.Len() {
			doc, _ = descriptions.At(i).Str()
		}
	case node.Map:
		doc, _ = descriptions.Get(item.Text()).Str()
	}
	return name, doc
}

// strings returns the texts that v allows by const or enum; none where it allows others.
func (r *Reader) strings(v *view) []string {
	var texts []string
	if c := v.first("const"); c != nil {
		text, ok := c.Str()
		if !ok {
			return nil
		}
		return []string{text}
	}
	for item := range v.first("enum").Items() {
		text, ok := item.Str()
		if !ok {
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}
