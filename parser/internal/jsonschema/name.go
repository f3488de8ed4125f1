package jsonschema

import (
	"path"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// structural are the keys that say where a schema stands, not what it is about.
var structural = []string{"components", "schemas", "definitions", "$defs", "properties", "items", "schema", "content",
	"allOf", "oneOf", "anyOf", "paths", "responses", "requestBody", "parameters", "channels", "messages", "payload"}

// nameOf makes a name for a schema that a reference or a recursion turns into a type: its
// key where named schemas are kept, its title, the words of its path, or its file.
func (r *Reader) nameOf(n *node.Node) string {
	parent := n.Parent()
	if parent == nil {
		if title, ok := n.Get("title").Str(); ok && title != "" {
			return title
		}
		base := path.Base(n.File())
		return strings.TrimSuffix(base, path.Ext(base))
	}
	switch parent.Key() {
	case "schemas", "definitions", "$defs":
		return n.Key()
	}
	if title, ok := n.Get("title").Str(); ok && title != "" {
		return title
	}
	if parent.Parent() == nil && n.Key() != "" {
		return n.Key() // of a file that is nothing but a list of schemas
	}
	var words []string
	for ; n.Parent() != nil; n = n.Parent() {
		key := n.Key()
		if key == "" || slices.Contains(structural, key) {
			continue
		}
		words = append(words, strings.Trim(strings.ReplaceAll(key, "/", "_"), "_"))
	}
	slices.Reverse(words)
	if len(words) == 0 {
		return "value"
	}
	return strings.Join(words, "_")
}
