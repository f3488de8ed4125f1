package jsonschema

import (
	"slices"
	"strconv"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// object reads fields and what else an object may hold. One without named properties is
// a Map.
func (r *Reader) object(v *view) contract.Schema {
	rules := r.sizes(v, "minProperties", "maxProperties")
	fields := r.fields(v)
	patterns := r.patternProperties(v)
	extra, null, closed := r.extra(v)
	if len(fields) == 0 && !closed && len(patterns) == 0 {
		if extra == nil {
			extra = &contract.Any{}
		}
		return &contract.Map{Key: r.keys(v), Value: extra, Rules: rules, NullValue: null}
	}
	if len(fields) == 0 && len(patterns) == 1 && closed && len(v.every("patternProperties")) == 1 {
		p := patterns[0]
		key := &contract.Scalar{Kind: contract.String, Rules: contract.Rules{Pattern: p.Regexp}}
		return &contract.Map{Key: key, Value: p.Schema, NullValue: p.Null, Rules: rules}
	}
	return &contract.Object{Fields: fields, Extra: extra, NullExtra: null, Closed: closed, Pattern: patterns, Rules: rules}
}

func (r *Reader) fields(v *view) []*contract.Field {
	names, by := r.properties(v)
	required, at := r.required(v)
	fields := make([]*contract.Field, 0, len(names))
	for _, name := range names {
		fields = append(fields, r.field(name, by[name], at[name] != nil))
	}
	if !slices.ContainsFunc(v.every("additionalProperties"), isFalse) {
		fields = append(fields, r.conditional(v, by, at)...)
	}
	for _, name := range required {
		if by[name] != nil {
			continue
		}
		r.diags.Warnf("required-undeclared", at[name].Span(), "the property %s is required but not declared", strconv.Quote(name)).
			Help = "declare it under properties, or take it out of required"
		fields = append(fields, &contract.Field{Name: name, Schema: &contract.Any{}, Required: true, Span: at[name].Span()})
	}
	return fields
}

// Field reads the schema at n as the property, header or parameter that it describes:
// its schema, and what JSON Schema keeps beside it.
func (r *Reader) Field(name string, n *node.Node, required bool) *contract.Field {
	return r.field(name, []*node.Node{n}, required)
}

func (r *Reader) field(name string, nodes []*node.Node, required bool) *contract.Field {
	f := &contract.Field{Name: name, Required: required, Schema: r.together(nodes), Nullable: r.allNullable(nodes)}
	last := nodes[len(nodes)-1]
	f.Span = last.KeySpan()
	for _, n := range nodes {
		if d := Doc(n); d != (contract.Doc{}) {
			f.Doc = d
		}
	}
	parts := nodes
	if _, ref := last.Ref(); len(nodes) > 1 || ref != nil || last.Has("allOf") {
		parts = append(parts[:len(parts):len(parts)], r.viewOf(nodes...).parts...)
	}
	for _, p := range parts {
		f.ReadOnly = f.ReadOnly || p.Get("readOnly").True()
		if name, ok := p.Get("x-go-name").Str(); ok && f.GoName == "" && slices.Contains(nodes, p) {
			f.GoName = name
		}
		f.WriteOnly = f.WriteOnly || p.Get("writeOnly").True()
		if flag := p.Get("required"); flag.Kind() == node.Bool && !p.Has("in") {
			r.skip("required as a boolean", flag, diag.Warning)
		}
		if f.XML == nil {
			f.XML = r.xml(p)
		}
		if d := p.Get("default"); d != nil && f.Default == nil {
			f.Default = r.defaultOf(d, f, parts)
		}
	}
	return f
}

// together reads nodes that all describe the same property.
func (r *Reader) together(nodes []*node.Node) contract.Schema {
	var saying []*node.Node
	for _, n := range nodes {
		if constrains(n) {
			saying = append(saying, n)
		}
	}
	switch len(saying) {
	case 0:
		return r.Schema(nodes[0])
	case 1:
		return r.Schema(saying[0])
	}
	same := r.target(saying[0])
	for _, n := range saying[1:] {
		if r.target(n) != same {
			same = nil
		}
	}
	if same != nil {
		return r.Schema(saying[0])
	}
	return r.read(r.viewOf(saying...))
}

// target returns what n comes down to a reference to; nil where it says something else.
func (r *Reader) target(n *node.Node) *node.Node {
	holder := r.sole(n)
	if holder == nil {
		return nil
	}
	return r.loader.Target(holder)
}

// extra reads additionalProperties and unevaluatedProperties: the schema of properties
// without a name, whether they may be null, and whether there may be none.
func (r *Reader) extra(v *view) (s contract.Schema, null, closed bool) {
	var nodes []*node.Node
	conditional := v.has("if", "dependentSchemas", "dependencies")
	for _, keyword := range [...]string{"additionalProperties", "unevaluatedProperties"} {
		for _, n := range v.every(keyword) {
			if conditional && keyword == "unevaluatedProperties" {
				if s == nil { // what they are is asserted
					s = &contract.Any{}
				}
				continue
			}
			if open, ok := n.Bool(); ok {
				closed = closed || !open
				if open && s == nil {
					s = &contract.Any{}
				}
			} else if node.Expect(r.diags, n, keyword, node.Map, node.Bool) {
				nodes = append(nodes, n)
			}
		}
	}
	if closed {
		return nil, false, true
	}
	if len(nodes) > 0 {
		s = r.together(nodes)
		null = r.allNullable(nodes)
	}
	return s, null, false
}

func (r *Reader) keys(v *view) contract.Schema {
	names := v.every("propertyNames")
	if len(names) == 0 {
		return nil
	}
	one := r.viewOf(names...)
	one.only = "string"
	return r.read(one)
}

func (r *Reader) patternProperties(v *view) []*contract.Pattern {
	var all []*contract.Pattern
	for _, p := range v.every("patternProperties") {
		if !node.Expect(r.diags, p, "patternProperties", node.Map) {
			continue
		}
		for expr, n := range p.Entries() {
			re, ok := r.pattern(expr, n.KeySpan())
			if ok {
				all = append(all, &contract.Pattern{Regexp: re, Schema: r.Schema(n), Null: r.Nullable(n), Span: n.KeySpan()})
			}
		}
	}
	return all
}

// list reads an array. Draft 7's list of items is 2020-12's prefixItems.
func (r *Reader) list(v *view) contract.Schema {
	l := &contract.List{Rules: r.sizes(v, "minItems", "maxItems")}
	l.Rules.Unique = slices.ContainsFunc(v.every("uniqueItems"), (*node.Node).True)
	rest, closed := []*node.Node(nil), false
	if n := v.first("unevaluatedItems"); n != nil && !v.has("items", "if", "contains") { // they are what items would say
		rest, closed = r.restOf(n)
	}
	for _, p := range v.parts {
		items, prefix := p.Get("items"), p.Get("prefixItems")
		if items.Kind() == node.List && prefix == nil {
			items, prefix = p.Get("additionalItems"), items
		}
		if node.Expect(r.diags, prefix, "prefixItems", node.List) && len(l.Prefix) == 0 {
			for item := range prefix.Items() {
				title, _ := item.Get("title").Str()
				l.Prefix, l.PrefixNames = append(l.Prefix, r.Schema(item)), append(l.PrefixNames, title)
				l.NullPrefix = append(l.NullPrefix, r.Nullable(item))
			}
		}
		if open, ok := items.Bool(); ok {
			closed = closed || !open
		} else if node.Expect(r.diags, items, "items", node.Map, node.Bool) {
			rest = append(rest, items)
		}
	}
	switch {
	case closed:
	case len(rest) == 0:
		l.Elem = &contract.Any{}
	default:
		l.Elem, l.NullElem, l.ElemXML = r.together(rest), r.allNullable(rest), r.firstXML(rest)
	}
	return l
}
