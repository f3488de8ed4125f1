// Package route finds the handler of a request by method and path. Its templates are
// those of OpenAPI: parameters stand anywhere within a segment ("/files/{name}.json",
// "/compare/{base}...{head}", "/v1/{name}:cancel"), literal text wins over a parameter,
// and every template that fits is tried, whatever the order in which they were added. A
// last parameter that is written {+name}, as RFC 6570 does, spans segments; it is tried
// when nothing else fits.
//
// It imports only the standard library.
package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Mux is a tree of templates. It is built first and then only read: Add must not run
// at the same time as Lookup.
type Mux[V any] struct {
	root node[V]
}

// A node is what stands after one literal, or after one parameter.
type node[V any] struct {
	text   string     // the literal; empty for a parameter
	first  []byte     // the first byte of each of next
	next   []*node[V] // literals that may follow
	param  *node[V]   // the parameter that may follow
	rest   *node[V]   // the parameter that may follow and spans segments
	tails  bool       // of a parameter: a literal other than "/" may follow it
	routes []entry[V]
}

type entry[V any] struct {
	method, template string
	value            V
	rest             bool // the last parameter spans segments
}

// Add puts v at method and template. The errors say which template is at fault: one that
// does not begin with "/", holds a query or fragment, has an unclosed or empty parameter,
// two parameters with nothing between them, or one that fits the same paths as another of
// the same method.
func (m *Mux[V]) Add(method, template string, v V) error {
	parts, err := split(template)
	if err != nil {
		return fmt.Errorf("route: %s %s: %w", method, template, err)
	}
	n, rest := &m.root, false
	for _, p := range parts {
		switch {
		case p.rest:
			n, rest = n.remainder(), true
		case p.param:
			n = n.parameter()
		default:
			n = n.literal(p.text)
		}
	}
	if i := slices.IndexFunc(n.routes, func(e entry[V]) bool { return e.method == method }); i >= 0 {
		return fmt.Errorf("route: %s %s fits the same paths as %s", method, template, n.routes[i].template)
	}
	n.routes = append(n.routes, entry[V]{method, template, v, rest})
	return nil
}

// A part is one literal or one parameter of a template.
type part struct {
	text        string
	param, rest bool
}

func split(template string) ([]part, error) {
	if !strings.HasPrefix(template, "/") {
		return nil, errors.New("a path begins with /")
	}
	if strings.ContainsAny(template, "?#") {
		return nil, errors.New("a path holds no query and no fragment")
	}
	var parts []part
	for rest := template; rest != ""; {
		literal, after, found := strings.Cut(rest, "{")
		if literal != "" {
			parts = append(parts, part{text: normal(literal)})
		}
		if !found {
			break
		}
		if literal == "" {
			return nil, errors.New("two parameters need text between them")
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || name == "" || strings.ContainsAny(name, "/{") {
			return nil, errors.New("a parameter is {name}")
		}
		plus := name[0] == '+'
		if plus && strings.ContainsAny(tail, "/{") {
			return nil, errors.New("a parameter that spans segments is the last one, in the last segment")
		}
		parts, rest = append(parts, part{text: name, param: true, rest: plus}), tail
	}
	return parts, nil
}

// Names returns the parameters of template in the order in which Lookup gives their values.
func Names(template string) []string {
	var names []string
	for rest := template; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return names
		}
		name, tail, _ := strings.Cut(after, "}")
		names, rest = append(names, name), tail
	}
}

func (n *node[V]) remainder() *node[V] {
	if n.rest == nil {
		n.rest = &node[V]{}
	}
	return n.rest
}

func (n *node[V]) parameter() *node[V] {
	if n.param == nil {
		n.param = &node[V]{}
	}
	return n.param
}

// literal returns the node after text, splitting the ones on the way where needed.
func (n *node[V]) literal(text string) *node[V] {
	if n.text == "" && text[0] != '/' {
		n.tails = true
	}
	for text != "" {
		i := slices.Index(n.first, text[0])
		if i < 0 {
			child := &node[V]{text: text}
			n.first, n.next = append(n.first, text[0]), append(n.next, child)
			return child
		}
		child := n.next[i]
		common := shared(child.text, text)
		if common < len(child.text) {
			child = child.cut(common)
			n.next[i] = child
		}
		n, text = child, text[common:]
	}
	return n
}

// cut puts a node for the first at bytes of n's literal above n.
func (n *node[V]) cut(at int) *node[V] {
	above := &node[V]{text: n.text[:at], first: []byte{n.text[at]}, next: []*node[V]{n}}
	n.text = n.text[at:]
	return above
}

func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
