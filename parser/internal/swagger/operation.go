package swagger

import (
	"iter"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch"}

func (c *converter) paths(list *node.Node) *node.Node {
	if list.Kind() != node.Map {
		return list // the reader says what is wrong
	}
	var items []*node.Node
	for key, n := range list.Entries() {
		if strings.HasPrefix(key, "x-") || n.Kind() != node.Map {
			items = append(items, n)
			continue
		}
		items = append(items, c.pathItem(n, key))
	}
	return node.DeriveMap(list, "paths", items...)
}

// pathItem converts an item with what its $ref leads to; what stands beside the $ref goes
// first.
func (c *converter) pathItem(n *node.Node, path string) *node.Node {
	layers := []*node.Node{n}
	if _, ref := n.Ref(); ref != nil {
		if target := c.object(n, "a path"); target != nil {
			layers = []*node.Node{target, n}
		}
	}
	var shared, kids []*node.Node
	for _, layer := range layers {
		if list := layer.Get("parameters"); node.Expect(c.diags, list, "parameters", node.List) {
			shared = append(shared, slices.Collect(list.Items())...)
		}
	}
	params, bodies := c.sort(shared)
	for _, layer := range layers {
		for key, kid := range layer.Entries() {
			switch {
			case key == "$ref":
			case key == "parameters":
				kids = append(kids, node.DeriveList(kid, key, params...))
			case slices.Contains(methods, key) && kid.Kind() == node.Map:
				kids = append(kids, c.operation(kid, bodies))
			default:
				kids = append(kids, kid)
			}
		}
	}
	return node.DeriveMap(n, path, kids...)
}

// moved are the fields of a 2.0 operation that 3.0 has in other places.
var moved = []string{"consumes", "produces", "schemes", "parameters", "responses"}

// operation converts n; bodies are the body and the form fields that its path item gives.
func (c *converter) operation(n *node.Node, bodies []*node.Node) *node.Node {
	var kids []*node.Node
	for key, kid := range n.Entries() {
		if !slices.Contains(moved, key) {
			kids = append(kids, kid)
		}
	}
	if list := n.Get("parameters"); node.Expect(c.diags, list, "parameters", node.List) {
		params, own := c.sort(slices.Collect(list.Items()))
		kids = append(kids, node.DeriveList(list, "parameters", params...))
		bodies = override(bodies, own)
	}
	if schemes := n.Get("schemes"); schemes != nil {
		kids = append(kids, c.servers(schemes, schemes))
	}
	kids = append(kids, c.requestBody(n, bodies), c.operationResponses(n))
	return node.DeriveMap(n, n.Key(), kids...)
}

// sort converts parameters and separates them from the body and the fields of a form.
func (c *converter) sort(list []*node.Node) (params, bodies []*node.Node) {
	for _, n := range list {
		p := c.object(n, "a parameter")
		switch _, ref := n.Ref(); {
		case p == nil && ref != nil:
			params = append(params, n) // broken, as was said; the reader must not miss it
		case p == nil:
		case isBody(p):
			bodies = append(bodies, p)
		default:
			params = append(params, c.parameter(p))
		}
	}
	return params, bodies
}

func isBody(p *node.Node) bool {
	in := p.Get("in").Text()
	return in == "body" || in == "formData"
}

// override returns those of a path item that its operation does not declare itself, and
// the operation's own.
func override(shared, own []*node.Node) []*node.Node {
	kept := slices.DeleteFunc(slices.Clone(shared), func(s *node.Node) bool {
		return slices.ContainsFunc(own, func(o *node.Node) bool {
			in := o.Get("in").Text()
			return in == s.Get("in").Text() && (in == "body" || o.Get("name").Text() == s.Get("name").Text())
		})
	})
	return append(kept, own...)
}

// media returns the list of media types that counts for an operation: its own, or else the
// document's; nil where neither says any.
func (c *converter) media(op *node.Node, field string) *node.Node {
	for _, n := range [...]*node.Node{op.Get(field), c.root.Get(field)} {
		if node.Expect(c.diags, n, field, node.List) {
			return n
		}
	}
	return nil
}

// types reads a list of media types.
func (c *converter) types(list *node.Node) []*node.Node {
	var all []*node.Node
	for n := range list.Items() {
		if node.Expect(c.diags, n, "a media type", node.String) {
			all = append(all, n)
		}
	}
	return all
}

func (c *converter) operationResponses(op *node.Node) *node.Node {
	list := op.Get("responses")
	if list.Kind() != node.Map {
		return list
	}
	media := c.media(op, "produces")
	var all []*node.Node
	for key, n := range list.Entries() {
		if strings.HasPrefix(key, "x-") {
			all = append(all, n)
			continue
		}
		if r := c.object(n, "a response"); r != nil {
			all = append(all, node.DeriveRef(n, key, c.response(r, media)))
		} else if _, ref := n.Ref(); ref != nil {
			all = append(all, n) // broken, as was said; the status counts
		}
	}
	return node.DeriveMap(list, "responses", all...)
}

// values yields the values of a map.
func values(n *node.Node) iter.Seq[*node.Node] {
	return func(yield func(*node.Node) bool) {
		for _, kid := range n.Entries() {
			if !yield(kid) {
				return
			}
		}
	}
}

// response converts one response; media are the types that its body may have.
func (c *converter) response(n, media *node.Node) *node.Node {
	key := shared{n, media}
	if r := c.responses[key]; r != nil {
		return r
	}
	var kids []*node.Node
	for field, kid := range n.Entries() {
		switch field {
		case "schema":
			kids = append(kids, c.content(kid, media))
		case "headers":
			kids = append(kids, c.headers(kid))
		case "examples": // said for people alone
		default:
			kids = append(kids, kid)
		}
	}
	r := node.DeriveMap(n, n.Key(), kids...)
	c.responses[key] = r
	return r
}

// content makes an alternative of every media type. A file is bytes, not text in JSON.
func (c *converter) content(schema, media *node.Node) *node.Node {
	file := c.loader.Resolve(schema).Get("type").Text() == "file"
	var kids []*node.Node
	for _, m := range c.types(media) {
		switch {
		case !file:
			kids = append(kids, node.DeriveMap(m, m.Text(), schema))
		case !strings.Contains(m.Text(), "json"):
			kids = append(kids, node.DeriveMap(m, m.Text()))
		}
	}
	switch {
	case len(kids) > 0:
	case file:
		kids = []*node.Node{node.DeriveMap(schema, "application/octet-stream")}
	default:
		kids = []*node.Node{node.DeriveMap(schema, "application/json", schema)}
	}
	return node.DeriveMap(schema, "content", kids...)
}

func (c *converter) headers(list *node.Node) *node.Node {
	if list.Kind() != node.Map {
		return list
	}
	var all []*node.Node
	for key, n := range list.Entries() {
		if n.Kind() != node.Map {
			all = append(all, n)
			continue
		}
		all = append(all, c.value(n, "header").As(key))
	}
	return node.DeriveMap(list, "headers", all...)
}
