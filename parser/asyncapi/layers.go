package asyncapi

import (
	"iter"
	"slices"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// Layers are an object and its traits, the one whose word counts first. Looking through
// them gives what merging them would, and every value keeps its place.
type layers []*node.Node

// get returns the value of a key from the first layer that has one.
func (l layers) get(key string) *node.Node {
	for _, n := range l {
		if v := n.Get(key); v != nil {
			return v
		}
	}
	return nil
}

// all yields the values of a key from every layer that has one.
func (l layers) all(key string) iter.Seq[*node.Node] {
	return func(yield func(*node.Node) bool) {
		for _, n := range l {
			if v := n.Get(key); v != nil && !yield(v) {
				return
			}
		}
	}
}

// layered returns n with its traits. In version 3 an object's own word counts before that
// of its traits, in version 2 theirs does (JSON merge patch, RFC 7396); a later trait
// counts before an earlier one in both.
func (r *reader) layered(n *node.Node, what string) layers {
	var traits layers
	for t := range n.Get("traits").Items() {
		if t = r.mapping(t, what); t != nil {
			traits = append(traits, t)
		}
	}
	slices.Reverse(traits)
	if r.version.major == 2 {
		return append(traits, n)
	}
	return append(layers{n}, traits...)
}
