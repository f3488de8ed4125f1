package avro

import (
	"strings"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A writer writes a schema as the JSON that codecs read: references followed, names
// full, types that were written before by their names alone.
type writer struct {
	*Reader
	seen map[string]string // full names, with what defined them
}

// kept are the attributes that say something about the wire.
var kept = []string{"size", "symbols", "default", "logicalType", "precision", "scale"}

func (w *writer) schema(n *node.Node, space string, depth int) string {
	if depth > maxDepth {
		return `"null"`
	}
	n = w.loader.Resolve(n)
	switch n.Kind() {
	case node.Null:
		return `"null"`
	case node.List:
		var all []string
		for item := range n.Items() {
			all = append(all, w.schema(item, space, depth+1))
		}
		return "[" + strings.Join(all, ",") + "]"
	case node.Map:
		return w.define(n, space, depth)
	}
	return w.byName(n.Text(), space)
}

func (w *writer) byName(name, space string) string {
	if _, ok := scalars[name]; !ok && w.seen[full(name, space)] != "" {
		name = full(name, space)
	}
	return node.Quote(name)
}

func (w *writer) define(n *node.Node, space string, depth int) string {
	t := n.Get("type")
	if k := t.Kind(); k == node.Map || k == node.List {
		return w.schema(t, space, depth+1)
	}
	out := []string{`"type":` + w.byName(t.Text(), space)}
	switch t.Text() {
	case "record", "error", "enum", "fixed":
		name := nameOf(n, space)
		if w.seen[name] == n.JSON() {
			return node.Quote(name)
		}
		w.seen[name] = n.JSON()
		out = append(out, `"name":`+node.Quote(name))
		if w.tagged[name] {
			out = append(out, `"tagged":true`)
		}
		space = spaceOf(name)
	}
	for _, key := range kept {
		if v := n.Get(key); v != nil {
			out = append(out, node.Quote(key)+":"+v.JSON())
		}
	}
	for _, key := range []string{"items", "values"} {
		if v := n.Get(key); v != nil {
			out = append(out, node.Quote(key)+":"+w.schema(v, space, depth+1))
		}
	}
	if t.Text() == "record" || t.Text() == "error" {
		out = append(out, `"fields":[`+strings.Join(w.fields(n, space, depth), ",")+"]")
	}
	return "{" + strings.Join(out, ",") + "}"
}

func (w *writer) fields(n *node.Node, space string, depth int) []string {
	var all []string
	for f := range n.Get("fields").Items() {
		f = w.loader.Resolve(f)
		one := `{"name":` + node.Quote(f.Get("name").Text()) + `,"type":` + w.schema(f.Get("type"), space, depth+1)
		if d := f.Get("default"); d != nil {
			one += `,"default":` + d.JSON()
		}
		all = append(all, one+"}")
	}
	return all
}
