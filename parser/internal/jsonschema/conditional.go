package jsonschema

import (
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// conditional returns fields for the properties that only a condition's branch declares:
// they may be there, and what they then must be is asserted. known are the properties
// that have a field, required those that always must be there.
func (r *Reader) conditional(v *view, known map[string][]*node.Node, required map[string]*node.Node) (fields []*contract.Field) {
	var names []string
	by := map[string][]*node.Node{}
	for _, branch := range branches(v) {
		for name, n := range branch.Get("properties").Entries() {
			if known[name] != nil || !constrains(n) {
				continue
			}
			if by[name] == nil {
				names = append(names, name)
			}
			by[name] = append(by[name], n)
		}
	}
	for _, name := range names {
		f := &contract.Field{Name: name, Required: required[name] != nil, Schema: &contract.Any{}, Span: by[name][0].KeySpan(), Doc: Doc(by[name][0])}
		if len(by[name]) == 1 {
			f = r.field(name, by[name], required[name] != nil)
		}
		fields = append(fields, f)
		known[name] = by[name]
	}
	return fields
}

// branches are the schemas of v that hold for some values only.
func branches(v *view) (all []*node.Node) {
	for _, keyword := range [...]string{"then", "else"} {
		all = append(all, v.every(keyword)...)
	}
	for _, keyword := range [...]string{"dependentSchemas", "dependencies"} {
		for _, n := range v.every(keyword) {
			for _, branch := range n.Entries() {
				all = append(all, branch)
			}
		}
	}
	return all
}

func isFalse(n *node.Node) bool {
	value, ok := n.Bool()
	return ok && !value
}

// restOf reads what items or unevaluatedItems say of the items without a position.
func (r *Reader) restOf(n *node.Node) (rest []*node.Node, closed bool) {
	if open, ok := n.Bool(); ok {
		return nil, !open
	}
	if node.Expect(r.diags, n, "items", node.Map, node.Bool) {
		rest = []*node.Node{n}
	}
	return rest, false
}
