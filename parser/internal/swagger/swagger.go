// Package swagger says in OpenAPI 3.0 what a Swagger 2.0 document says. The result is a
// tree of derived nodes: structure is new, schemas are those of the source, and every
// place and path is of the source, so that findings point at what people wrote.
//
// Schemas need no translation: their reader understands the few spellings of 2.0 (type:
// file, x-nullable, discriminator as text), and references keep pointing into the source.
// References to parameters, responses and path items are followed here.
//
// It imports contract/diag, parser/internal/node and the standard library.
package swagger

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// Convert returns root, a Swagger 2.0 document, as OpenAPI 3.0. References are followed
// through l; what has no equal in OpenAPI 3 is added to diags.
func Convert(root *node.Node, l *node.Loader, diags *diag.List) *node.Node {
	c := &converter{
		root: root, loader: l, diags: diags,
		params: map[*node.Node]*node.Node{}, responses: map[shared]*node.Node{},
	}
	kids := []*node.Node{node.DeriveText(root.Get("swagger"), "openapi", "3.0.3")}
	for key, n := range root.Entries() {
		if !slices.Contains(replaced, key) {
			kids = append(kids, n)
		}
	}
	kids = append(kids, c.servers(root, root.Get("schemes")), c.paths(root.Get("paths")), c.components())
	return node.DeriveMap(root, "", kids...)
}

// replaced are the fields of a 2.0 document that 3.0 has in other places.
var replaced = []string{"swagger", "host", "basePath", "schemes", "consumes", "produces", "paths", "definitions",
	"parameters", "responses", "securityDefinitions"}

// A converter converts one document. What is shared in the source is converted once, so
// that it stays shared.
type converter struct {
	root      *node.Node
	loader    *node.Loader
	diags     *diag.List
	params    map[*node.Node]*node.Node
	responses map[shared]*node.Node
}

// shared is a response and the media types that it is asked for with.
type shared struct{ response, media *node.Node }

// servers makes URLs of host, basePath and schemes; nil where there is nothing to say.
func (c *converter) servers(at, schemes *node.Node) *node.Node {
	host, base := c.text("host"), strings.TrimSuffix(c.text("basePath"), "/")
	if host == "" {
		if base == "" {
			return nil
		}
		return node.DeriveList(c.root.Get("basePath"), "servers", c.server(c.root.Get("basePath"), base))
	}
	if base != "" && !strings.HasPrefix(base, "/") {
		base = "/" + base
	}
	if !node.Expect(c.diags, schemes, "schemes", node.List) || schemes.Len() == 0 {
		return node.DeriveList(c.root.Get("host"), "servers", c.server(c.root.Get("host"), "https://"+host+base))
	}
	var list []*node.Node
	for scheme := range schemes.Items() {
		if node.Expect(c.diags, scheme, "a scheme", node.String) {
			list = append(list, c.server(scheme, scheme.Text()+"://"+host+base))
		}
	}
	return node.DeriveList(at, "servers", list...)
}

func (c *converter) server(at *node.Node, url string) *node.Node {
	return node.DeriveMap(at, "", node.DeriveText(at, "url", url))
}

// text returns a field of the document that must be text.
func (c *converter) text(field string) string {
	n := c.root.Get(field)
	if n.Kind() == node.Null || !node.Expect(c.diags, n, field, node.String) {
		return ""
	}
	return n.Text()
}

// components collects what the document keeps for sharing. Bodies cannot be told from
// parameters by their place, only by what they say.
func (c *converter) components() *node.Node {
	kids := []*node.Node{c.root.Get("definitions").As("schemas"), c.securitySchemes(c.root.Get("securityDefinitions"))}
	if list := c.root.Get("parameters"); node.Expect(c.diags, list, "parameters", node.Map) {
		var params []*node.Node
		for key, n := range list.Entries() {
			if p := c.object(n, "a parameter"); p != nil && !isBody(p) {
				params = append(params, node.DeriveRef(n, key, c.parameter(p)))
			}
		}
		kids = append(kids, node.DeriveMap(list, "parameters", params...))
	}
	if list := c.root.Get("responses"); node.Expect(c.diags, list, "responses", node.Map) {
		var all []*node.Node
		for key, n := range list.Entries() {
			if r := c.object(n, "a response"); r != nil {
				all = append(all, node.DeriveRef(n, key, c.response(r, c.root.Get("produces"))))
			}
		}
		kids = append(kids, node.DeriveMap(list, "responses", all...))
	}
	return node.DeriveMap(c.root, "components", kids...)
}

// object follows the $ref of n and expects a map.
func (c *converter) object(n *node.Node, what string) *node.Node {
	n = c.loader.Resolve(n)
	if !node.Expect(c.diags, n, what, node.Map) {
		return nil
	}
	return n
}

func (c *converter) securitySchemes(list *node.Node) *node.Node {
	if !node.Expect(c.diags, list, "securityDefinitions", node.Map) {
		return nil
	}
	var all []*node.Node
	for key, n := range list.Entries() {
		if s := c.object(n, "a security definition"); s != nil {
			all = append(all, c.securityScheme(s).As(key))
		}
	}
	return node.DeriveMap(list, "securitySchemes", all...)
}

// flows are 3.0's names for those of 2.0.
var flows = map[string]string{"implicit": "implicit", "password": "password", "application": "clientCredentials", "accessCode": "authorizationCode"}

func (c *converter) securityScheme(n *node.Node) *node.Node {
	kind := n.Get("type")
	switch kind.Text() {
	case "basic":
		return node.DeriveMap(n, "", node.DeriveText(kind, "type", "http"), node.DeriveText(kind, "scheme", "basic"), n.Get("description"))
	case "oauth2":
		flow := n.Get("flow")
		name := flows[flow.Text()]
		if name == "" {
			at := n
			if flow != nil {
				at = flow
			}
			c.diags.Errorf("unknown-value", at.Span(), "the scheme does not name a flow that exists").
				Help = "the flows are implicit, password, application and accessCode"
			return node.DeriveMap(n, "", kind, n.Get("description"))
		}
		one := node.DeriveMap(n, name, n.Get("authorizationUrl"), n.Get("tokenUrl"), n.Get("scopes"))
		return node.DeriveMap(n, "", kind, n.Get("description"), node.DeriveMap(flow, "flows", one))
	}
	return n
}
