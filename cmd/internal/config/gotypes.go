package config

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// goTypes reads which Go types stand for formats or named schemas.
func (r *reader) goTypes(n *yaml.Node, what string) map[string]string {
	if n.Kind != yaml.MappingNode {
		r.wrong(n, what, "a mapping of names to Go types")
		return nil
	}
	out := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		text := r.text(v, what+"."+k.Value)
		if text != "" && text != "string" && strings.LastIndexByte(text, '.') < 1 {
			r.diags.Errorf("config-type", r.span(v), "%q is no Go type", text).
				Help = "write the import path of its package and its name, as in github.com/google/uuid.UUID"
			continue
		}
		out[k.Value] = text
	}
	return out
}
