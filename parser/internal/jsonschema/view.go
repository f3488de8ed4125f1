package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A view is one schema that may be written in several places: a node, what it refers to,
// and the members of its allOf, all of which hold at once. Keywords are asked of the
// whole view, so that merging needs no case of its own.
type view struct {
	node  *node.Node   // what the schema is called after and diagnostics point at
	parts []*node.Node // maps; never the same twice
	done  []*node.Node // oneOf and anyOf lists that were multiplied out
	only  string       // the one type that is meant, of several
	never bool         // a false schema takes part
	full  bool         // there were too many parts; the rest is left out
}

// viewOf returns the view of all nodes together.
func (r *Reader) viewOf(nodes ...*node.Node) *view {
	v := &view{}
	for _, n := range nodes {
		if v.node == nil {
			v.node = n
		}
		r.add(v, n, 0)
	}
	return v
}

// with returns v and n together, the groups in done being dealt with.
func (r *Reader) with(v *view, done []*node.Node, members ...*node.Node) *view {
	w := &view{node: v.node, parts: slices.Clone(v.parts), done: slices.Concat(v.done, done), only: v.only, never: v.never}
	for _, n := range members {
		r.add(w, n, 0)
	}
	if len(members) > 0 {
		w.node = members[len(members)-1]
	}
	return w
}

func (r *Reader) add(v *view, n *node.Node, depth int) {
	if value, ok := n.Bool(); ok {
		v.never = v.never || !value
		return
	}
	if v.full || !node.Expect(r.diags, n, "a schema", node.Map) || slices.Contains(v.parts, n) {
		return
	}
	if r.parts++; depth > maxDepth || len(v.parts) >= maxParts || r.parts > maxTotal {
		v.full = true
		r.tellFull(n)
		return
	}
	v.parts = append(v.parts, n)
	if _, ref := n.Ref(); ref != nil {
		if r.warnBesideRef(n) {
			v.parts = v.parts[:len(v.parts)-1]
		}
		r.noteDynamic(n)
		if target := r.loader.Target(n); target != nil {
			r.add(v, target, depth+1)
		}
		if r.dialect != Draft2020 {
			return
		}
	}
	all := n.Get("allOf")
	if node.Expect(r.diags, all, "allOf", node.List) {
		for member := range all.Items() {
			r.add(v, member, depth+1)
		}
	}
}

// tellFull reports, once, that schemas multiply.
func (r *Reader) tellFull(n *node.Node) {
	if !r.full {
		r.diags.Errorf("too-complex", n.Span(), "schemas multiply by allOf: more than %d make one, refer to one another in a row of more than %d, or make more than %d together",
			maxParts, maxDepth, maxTotal)
	}
	r.full = true
}

// warnBesideRef reports keywords that OpenAPI 3.0 and draft 7 ignore because they stand
// beside a $ref, and says whether n counts for nothing but its $ref.
func (r *Reader) warnBesideRef(n *node.Node) bool {
	if r.dialect == Draft2020 || !constrains(n) {
		return r.dialect != Draft2020
	}
	for key, kid := range n.Entries() {
		if neutral(key) || key == "$ref" || key == "$dynamicRef" || key == "type" {
			continue
		}
		r.skip("keyword beside $ref", kid, diag.Warning)
	}
	return true
}

func (r *Reader) keyOf(v *view) string {
	var b strings.Builder
	b.WriteString(v.only)
	if v.never {
		b.WriteByte('!')
	}
	for i, list := range [2][]*node.Node{v.parts, v.done} {
		for _, n := range list {
			id, ok := r.ids[n]
			if !ok {
				id = len(r.ids)
				r.ids[n] = id
			}
			b.WriteByte(",|"[i])
			b.WriteString(strconv.Itoa(id))
		}
	}
	return b.String()
}

// first returns the first value of a keyword among v's parts.
func (v *view) first(keyword string) *node.Node {
	for _, p := range v.parts {
		if n := p.Get(keyword); n != nil {
			return n
		}
	}
	return nil
}

// every returns all values of a keyword.
func (v *view) every(keyword string) []*node.Node {
	var all []*node.Node
	for _, p := range v.parts {
		if n := p.Get(keyword); n != nil {
			all = append(all, n)
		}
	}
	return all
}

// has says whether a part has one of keywords.
func (v *view) has(keywords ...string) bool {
	return slices.ContainsFunc(keywords, func(k string) bool { return v.first(k) != nil })
}

// properties returns the names of all properties in source order, and what the parts say
// of each.
func (r *Reader) properties(v *view) (names []string, by map[string][]*node.Node) {
	by = map[string][]*node.Node{}
	for _, p := range v.every("properties") {
		if !node.Expect(r.diags, p, "properties", node.Map) {
			continue
		}
		for name, n := range p.Entries() {
			if by[name] == nil {
				names = append(names, name)
			}
			by[name] = append(by[name], n)
		}
	}
	return names, by
}

// required returns the names that some part requires, with where it does.
func (r *Reader) required(v *view) (names []string, at map[string]*node.Node) {
	at = map[string]*node.Node{}
	for _, list := range v.every("required") {
		if list.Kind() == node.Bool { // draft 3, and a common slip: it belongs to the field
			r.skip("required as a boolean", list, diag.Warning)
			continue
		}
		if !node.Expect(r.diags, list, "required", node.List) {
			continue
		}
		for item := range list.Items() {
			if !node.Expect(r.diags, item, "a name in required", node.String) {
				continue
			}
			if name := item.Text(); at[name] == nil {
				names = append(names, name)
				at[name] = item
			}
		}
	}
	return names, at
}

// neutral says whether a keyword leaves the set of allowed values as it is.
func neutral(keyword string) bool {
	switch keyword {
	case "title", "description", "summary", "deprecated", "default", "example", "examples", "externalDocs", "xml",
		"readOnly", "writeOnly", "nullable", "$comment", "$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$defs", "definitions":
		return true
	}
	return strings.HasPrefix(keyword, "x-") && keyword != "x-extensible-enum"
}

// constrains says whether a schema says more than documentation does.
func constrains(n *node.Node) bool {
	if n.Kind() != node.Map {
		return !n.True()
	}
	for key := range n.Entries() {
		if !neutral(key) {
			return true
		}
	}
	return false
}

// sole returns the node whose $ref n comes down to: n itself, or the one member of its
// allOf that says something, where n adds nothing. It is nil for all other schemas.
func (r *Reader) sole(n *node.Node) *node.Node {
	for range maxDepth {
		_, ref := n.Ref()
		if ref != nil && r.dialect != Draft2020 {
			return n
		}
		var found *node.Node
		count := 0
		for member := range n.Get("allOf").Items() {
			if constrains(member) {
				found = member
				count++
			}
		}
		if ref != nil {
			found = n
			count++
		}
		if count != 1 || !r.addsNothing(n, found) {
			return nil
		}
		if found == n {
			return n
		}
		n = found
	}
	return nil
}

// addsNothing says whether n only wraps member: a type that member has, too, is no
// addition.
func (r *Reader) addsNothing(n, member *node.Node) bool {
	for key, kid := range n.Entries() {
		if neutral(key) || key == "$ref" || key == "$dynamicRef" || key == "allOf" {
			continue
		}
		if key != "type" || member == n && r.dialect != Draft2020 {
			return false
		}
		if !r.hasType(member, kid, n) {
			return false
		}
	}
	return true
}

func (r *Reader) hasType(member, typ, except *node.Node) bool {
	want, ok := typ.Str()
	if !ok {
		return false
	}
	v := r.viewOf(member)
	for _, p := range v.parts {
		if p == except {
			continue
		}
		if t := p.Get("type"); t != nil && t.Text() == want || t == nil && want == "object" && p.Has("properties") {
			return true
		}
	}
	return false
}
