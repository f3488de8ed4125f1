// Package jsonpath selects nodes of a document by JSONPath (RFC 9535). It reads the whole
// language; beyond it, names after a dot may hold hyphens, as extensions do.
//
// It imports parser/internal/node and the standard library.
package jsonpath

import (
	"fmt"
	"slices"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// maxSteps is how many nodes one selection may visit.
const maxSteps = 5_000_000

// A Path is a parsed expression.
type Path struct {
	relative bool // begins at @, the node that a filter asks about
	segments []segment
}

// A segment selects among the children of nodes, or of all nodes below them.
type segment struct {
	descendants bool
	selectors   []selector
}

// A selector yields those children of a node that it selects.
type selector interface {
	sel(e *evaluation, n *node.Node, yield func(*node.Node))
}

type (
	name     string
	wildcard struct{}
	index    int
	slice    struct {
		start, end *int
		step       int
	}
	filter struct{ cond condition }
)

// evaluation is one selection in a document.
type evaluation struct {
	root  *node.Node
	steps int
}

// Select returns the nodes of root's document that p selects, each once, in the order of
// the expression. The error says that there are too many to look at.
func (p *Path) Select(root *node.Node) ([]*node.Node, error) {
	e := &evaluation{root: root}
	found := e.walk(p, root)
	if e.steps > maxSteps {
		return nil, fmt.Errorf("the expression visits more than %d values", maxSteps)
	}
	seen := map[*node.Node]bool{}
	return slices.DeleteFunc(found, func(n *node.Node) bool {
		again := seen[n]
		seen[n] = true
		return again
	}), nil
}

func (e *evaluation) walk(p *Path, at *node.Node) []*node.Node {
	nodes := []*node.Node{at}
	if !p.relative {
		nodes[0] = e.root
	}
	for _, s := range p.segments {
		var next []*node.Node
		for _, n := range nodes {
			next = e.segment(s, n, next)
		}
		nodes = next
	}
	return nodes
}

func (e *evaluation) segment(s segment, n *node.Node, out []*node.Node) []*node.Node {
	for _, sel := range s.selectors {
		if e.steps++; e.steps > maxSteps {
			return out
		}
		sel.sel(e, n, func(kid *node.Node) {
			e.steps++
			out = append(out, kid)
		})
	}
	if s.descendants {
		for i := range n.Len() {
			out = e.segment(s, n.At(i), out)
		}
	}
	return out
}

func (s name) sel(_ *evaluation, n *node.Node, yield func(*node.Node)) {
	if kid := n.Get(string(s)); kid != nil {
		yield(kid)
	}
}

func (wildcard) sel(_ *evaluation, n *node.Node, yield func(*node.Node)) {
	for i := range n.Len() {
		yield(n.At(i))
	}
}

func (s index) sel(_ *evaluation, n *node.Node, yield func(*node.Node)) {
	i := int(s)
	if i < 0 {
		i += n.Len()
	}
	if kid := n.At(i); kid != nil && n.Kind() == node.List {
		yield(kid)
	}
}

// sel follows RFC 9535 section 2.3.4.2.2.
func (s slice) sel(_ *evaluation, n *node.Node, yield func(*node.Node)) {
	if n.Kind() != node.List || s.step == 0 {
		return
	}
	size := n.Len()
	bound := func(p *int, absent, low, high int) int {
		if p == nil {
			return absent
		}
		i := *p
		if i < 0 {
			i += size
		}
		return min(max(i, low), high)
	}
	if s.step > 0 {
		end := bound(s.end, size, 0, size)
		for i := bound(s.start, 0, 0, size); i < end; i += s.step {
			yield(n.At(i))
		}
		return
	}
	end := bound(s.end, -1, -1, size-1)
	for i := bound(s.start, size-1, -1, size-1); i > end; i += s.step {
		yield(n.At(i))
	}
}

func (s filter) sel(e *evaluation, n *node.Node, yield func(*node.Node)) {
	for i := range n.Len() {
		if e.steps++; e.steps > maxSteps {
			return
		}
		if kid := n.At(i); s.cond.holds(e, kid) {
			yield(kid)
		}
	}
}
