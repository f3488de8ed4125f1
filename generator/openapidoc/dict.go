package openapidoc

import (
	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
)

// A dict is a mapping in the order in which it was filled.
type dict struct {
	keys   []string
	values []any
}

// add appends a value that is not empty: "", false, nil and lists of nothing are left out.
func (d *dict) add(key string, v any) *dict {
	switch v := v.(type) {
	case string:
		if v == "" {
			return d
		}
	case *dict:
		if v == nil {
			return d
		}
	case []any:
		if len(v) == 0 {
			return d
		}
	}
	d.keys, d.values = append(d.keys, key), append(d.values, v)
	return d
}

// text adds prose under one key.
func (d *dict) text(key string, doc contract.Doc) *dict {
	text := doc.Summary
	if doc.Detail != "" {
		text += "\n\n" + doc.Detail
	}
	return d.add(key, text)
}

func (d *dict) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i, k := range d.keys {
		n.Content = append(n.Content, scalar(k), node(d.values[i]))
	}
	return n
}

func node(v any) *yaml.Node {
	switch v := v.(type) {
	case *dict:
		return v.node()
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, one := range v {
			n.Content = append(n.Content, node(one))
		}
		return n
	}
	return scalar(v)
}

func scalar(v any) *yaml.Node {
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil { // cannot be: only text, numbers and booleans come here
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
	return n
}
