// Package openapi reads OpenAPI 3.0, 3.1 and 3.2 documents, and those of Swagger 2.0, into
// the contract model.
//
// The model is filled from the node tree, which keeps order, places, exact numbers and
// anchors; kin-openapi, which loses these and rejects documents that are in use
// everywhere, gives a second opinion on structure (see opinion.go). 3.0 needs no pass of
// its own: its spellings are understood beside those of 3.1. 2.0 is said in 3.0 first.
//
// It imports contract, contract/diag, parser/internal/node, parser/internal/jsonschema,
// parser/internal/overlay, parser/internal/swagger, kin-openapi and the standard library.
package openapi

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/jsonschema"
	"github.com/concordat-dev/concordat/parser/internal/node"
	"github.com/concordat-dev/concordat/parser/internal/overlay"
	"github.com/concordat-dev/concordat/parser/internal/swagger"
)

// Options say how a document is read.
type Options struct {
	Read   func(name string) ([]byte, error) // gets files by slash paths
	Remote func(url string) ([]byte, error)  // gets what lies on other hosts; nil: nothing does

	// Overlays are files with OpenAPI Overlays, applied to the document in order.
	Overlays []string
}

// Parse is ParseWith for a document without overlays that stays on this host.
func Parse(ctx context.Context, file string, read func(string) ([]byte, error)) (*contract.Contract, diag.List) {
	return ParseWith(ctx, file, Options{Read: read})
}

// ParseWith reads the document in file, and what it refers to. What cannot be expressed is
// in the findings, each with its place. The contract is nil only where nothing could be
// understood: the file is not there, no YAML or JSON, or no OpenAPI. When ctx ends, so does
// the second opinion; the document itself is read in any case.
func ParseWith(ctx context.Context, file string, o Options) (*contract.Contract, diag.List) {
	var diags diag.List
	loader := node.NewLoader(o.Read, &diags)
	if o.Remote != nil {
		loader.AllowRemote(o.Remote)
	}
	root := loader.Load(file)
	if root == nil {
		return nil, diags
	}
	if !node.Expect(&diags, root, "an OpenAPI document", node.Map) {
		return nil, diags
	}
	for _, file := range o.Overlays {
		if actions := loader.Load(file); actions != nil {
			overlay.Apply(root, actions, &diags)
		}
	}
	dialect, ok := version(root, &diags)
	if !ok {
		return nil, diags
	}
	old := root.Has("swagger")
	if old {
		root = swagger.Convert(root, loader, &diags)
	}
	r := &reader{
		root: root, loader: loader, diags: &diags,
		schemas:  jsonschema.New(loader, &diags, dialect),
		contract: &contract.Contract{Format: contract.OpenAPI, Source: file, Span: root.Span()},
		schemes:  map[string]*contract.Scheme{},
		params:   map[*node.Node]*contract.Param{},
		messages: map[*node.Node]*contract.Message{},
		names:    map[string]*node.Node{},
		told:     map[*node.Node]bool{},
		hooked:   map[*node.Node][]*contract.Callback{},

		byPointer: map[string]*contract.Operation{},
	}
	r.document()
	if !old && loader.Plain() && !diags.HasErrors() {
		secondOpinion(ctx, root, o.Read, &diags)
	}
	return r.contract, diags
}

// version says how schemas are spelled in root's version of OpenAPI; false where it is
// none that can be read.
func version(root *node.Node, diags *diag.List) (jsonschema.Dialect, bool) {
	if n := root.Get("swagger"); n != nil {
		if n.Text() == "2.0" || n.Text() == "2" {
			return jsonschema.OpenAPI30, true
		}
		diags.Errorf("unsupported-version", n.Span(), "there is no Swagger version %s that can be read", strconv.Quote(n.Text())).
			Help = "Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2 are read"
		return 0, false
	}
	n := root.Get("openapi")
	if n == nil {
		diags.Errorf("missing-field", root.Span(), "the document does not say its version").Help = "add a line such as: openapi: 3.1.0"
		return jsonschema.Draft2020, root.Has("paths") || root.Has("components")
	}
	text := n.Text()
	switch {
	case text == "3.0" || strings.HasPrefix(text, "3.0."):
		return jsonschema.OpenAPI30, true
	case text == "3.1" || text == "3.2" || strings.HasPrefix(text, "3.1.") || strings.HasPrefix(text, "3.2."):
		return jsonschema.Draft2020, true
	}
	diags.Errorf("unsupported-version", n.Span(), "there is no OpenAPI version %s that can be read", strconv.Quote(text)).
		Help = "versions 3.0, 3.1 and 3.2 are read"
	return jsonschema.Draft2020, text == "3" || strings.HasPrefix(text, "3.")
}

// A reader fills one contract.
type reader struct {
	root     *node.Node
	loader   *node.Loader
	diags    *diag.List
	schemas  *jsonschema.Reader
	contract *contract.Contract
	service  *contract.Service

	security [][]contract.Requirement // of the document
	schemes  map[string]*contract.Scheme
	params   map[*node.Node]*contract.Param
	messages map[*node.Node]*contract.Message
	names    map[string]*node.Node // of operations, with the operation that has it
	streams  []*contract.Body      // whose items were read
	told     map[*node.Node]bool   // nodes whose unknown fields were reported

	hooks     *contract.Service                   // of callbacks; nil for none
	hooked    map[*node.Node][]*contract.Callback // callbacks that were read
	byPointer map[string]*contract.Operation      // operations by where they stand
	linked    []pendingLink
	paginated []pageable
}

func (r *reader) document() {
	r.known(r.root, "document")
	r.info()
	c := r.contract
	c.Servers = r.servers(r.root.Get("servers"))
	components := r.components()
	r.securitySchemes(components.Get("securitySchemes"))
	r.security = r.requirements(r.root.Get("security"))
	r.service = &contract.Service{Name: c.Name, Doc: c.Doc, Span: c.Span}
	c.Services = []*contract.Service{r.service}
	r.paths()
	r.webhooks()
	r.unused(components)
	r.links()
	r.settleServices()
	c.Types = r.schemas.Finish()
	r.settleStreams()
	r.pages()
}

// info reads title, version and description, and names the contract after its file, or
// after its title where the file is called like a thousand others.
func (r *reader) info() {
	c := r.contract
	info := r.root.Get("info")
	if info == nil {
		r.diags.Warnf("missing-field", r.root.Span(), "the document has no info").Help = "add info with title and version"
	}
	if node.Expect(r.diags, info, "info", node.Map) {
		c.Span = info.KeySpan()
		c.Title = r.text(info, "title")
		c.Version = r.text(info, "version")
		c.Doc = contract.Doc{Summary: r.text(info, "summary"), Detail: r.text(info, "description")}
	}
	base := path.Base(c.Source)
	c.Name = strings.TrimSuffix(base, path.Ext(base))
	generic := []string{"openapi", "swagger", "api", "spec", "index", "main", "root"}
	if slices.Contains(generic, strings.ToLower(c.Name)) && c.Title != "" {
		c.Name = c.Title
	}
}

// components declares all named schemas, so that they are types in source order.
func (r *reader) components() *node.Node {
	components := r.root.Get("components")
	if !node.Expect(r.diags, components, "components", node.Map) {
		return nil
	}
	r.known(components, "components")
	schemas := components.Get("schemas")
	if node.Expect(r.diags, schemas, "schemas", node.Map) {
		for name, n := range schemas.Entries() {
			r.schemas.Declare(name, n)
		}
	}
	return components
}

// unused reads components that no operation refers to, for the faults in them.
func (r *reader) unused(components *node.Node) {
	for _, kind := range [...]struct {
		key  string
		read func(*node.Node)
	}{
		{"parameters", func(n *node.Node) { r.param(n) }},
		{"requestBodies", func(n *node.Node) { r.requestBody(n) }},
		{"responses", func(n *node.Node) { r.response(n) }},
		{"headers", func(n *node.Node) { r.header(n.Key(), n) }},
		{"pathItems", func(n *node.Node) { r.known(n, "pathItem") }},
	} {
		list := components.Get(kind.key)
		if !node.Expect(r.diags, list, kind.key, node.Map) {
			continue
		}
		for _, n := range list.Entries() {
			kind.read(n)
		}
	}
	r.notGenerated(components.Get("callbacks"), "callback", diag.Remark)
	r.unlinked(components.Get("links"))
}

// notGenerated says of every entry of a map that no code is written for it.
func (r *reader) notGenerated(list *node.Node, kind string, s diag.Severity) {
	if !node.Expect(r.diags, list, kind+"s", node.Map) || r.told[list] {
		return
	}
	r.told[list] = true
	for name, n := range list.Entries() {
		if _, used := r.hooked[n]; used || strings.HasPrefix(name, "x-") {
			continue
		}
		d := r.diags.Warnf("not-generated", n.KeySpan(), "no code is generated for the %s %s", kind, strconv.Quote(name))
		d.Severity = s
	}
}

// text returns a field that must be text; "" where it is absent. A number or a boolean is
// what becomes of text that somebody forgot to quote.
func (r *reader) text(n *node.Node, field string) string { return r.asText(n.Get(field), field) }

func (r *reader) asText(v *node.Node, what string) string {
	switch v.Kind() {
	case node.Null:
		return ""
	case node.Number, node.Bool:
		if what != "version" { // version: 1.0 is written everywhere
			r.diags.Warnf("unquoted-text", v.Span(), "%s is %s; it is taken as text", what, v.Kind()).Help = "write it in quotes"
		}
		return v.Written()
	}
	if !node.Expect(r.diags, v, what, node.String) {
		return ""
	}
	return v.Text()
}

// flag returns a boolean field; absent where it is not there.
func (r *reader) flag(n *node.Node, field string, absent bool) bool {
	v := n.Get(field)
	if !node.Expect(r.diags, v, field, node.Bool) {
		return absent
	}
	return v.True()
}

// doc reads summary, description and deprecated.
func (r *reader) doc(n *node.Node) contract.Doc {
	d := contract.Doc{Summary: r.text(n, "summary"), Detail: r.text(n, "description")}
	if r.flag(n, "deprecated", false) {
		d.Deprecated = "deprecated"
	}
	return d
}

// object resolves n and expects a map.
func (r *reader) object(n *node.Node, what string) *node.Node {
	n = r.loader.Resolve(n)
	if !node.Expect(r.diags, n, what, node.Map) {
		return nil
	}
	return n
}
