package jsonschema

import (
	"slices"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// Nullable says whether the schema at n allows null beside what Schema returns, however
// it is spelled: a type list, nullable, an enum or const, a member of a oneOf, or what a
// $ref leads to.
func (r *Reader) Nullable(n *node.Node) bool { return r.nullable(n, 0) }

func (r *Reader) nullable(n *node.Node, depth int) bool {
	if n.Kind() != node.Map || depth > maxDepth {
		return false
	}
	if is, known := r.nulls[n]; known {
		return is
	}
	r.nulls[n] = false // what leads back to itself adds nothing
	is := saysNull(n) || r.memberNull(n, depth)
	r.nulls[n] = is
	return is
}

func saysNull(n *node.Node) bool {
	if n.Get("nullable").True() || n.Get("x-nullable").True() || n.Get("const").Kind() == node.Null {
		return true
	}
	typ := n.Get("type")
	return isNullName(typ) || holdsNull(typ, isNullName) || holdsNull(n.Get("enum"), isNull)
}

func isNull(n *node.Node) bool     { return n.Kind() == node.Null }
func isNullName(n *node.Node) bool { return n.Text() == "null" }

func holdsNull(list *node.Node, is func(*node.Node) bool) bool {
	for item := range list.Items() {
		if is(item) {
			return true
		}
	}
	return false
}

func (r *Reader) memberNull(n *node.Node, depth int) bool {
	if _, ref := n.Ref(); ref != nil && r.nullable(r.loader.Target(n), depth+1) {
		return true
	}
	for _, keyword := range [...]string{"oneOf", "anyOf"} {
		for member := range n.Get(keyword).Items() {
			if r.nullable(member, depth+1) {
				return true
			}
		}
	}
	all := slices.DeleteFunc(slices.Collect(n.Get("allOf").Items()), func(m *node.Node) bool { return !constrains(m) })
	return len(all) > 0 && !n.Has("type") && !n.Has("properties") &&
		!slices.ContainsFunc(all, func(m *node.Node) bool { return !r.nullable(m, depth+1) })
}

// allNullable says whether every one of nodes that says something allows null.
func (r *Reader) allNullable(nodes []*node.Node) bool {
	is := false
	for _, n := range nodes {
		if r.Nullable(n) {
			is = true
		} else if constrains(n) {
			return false
		}
	}
	return is
}

// onlyNull says whether a member of a union allows null and nothing else.
func onlyNull(n *node.Node) bool {
	if n.Has("const") {
		return isNull(n.Get("const"))
	}
	enum, typ := n.Get("enum"), n.Get("type")
	return isNullName(typ) || typ.Kind() == node.List && typ.Len() == 1 && isNullName(typ.At(0)) ||
		enum.Len() == 1 && isNull(enum.At(0))
}
