// Package asyncapi reads AsyncAPI documents of versions 2.0 to 2.6, 3.0 and 3.1 into the
// contract model. It has a loader of its own, because no library keeps positions, follows
// references relative to their file, and bears cycles. The official JSON Schemas judge the
// structure; whatever they find, the rest of the document is still read.
//
// Everything of version 2 that differs is lifted to version 3 here: publish and subscribe
// become receive and send, seen from the application that the document describes.
//
// It imports contract, contract/diag, parser/internal/node, parser/internal/jsonschema,
// parser/internal/avro, parser/protobuf, google.golang.org/protobuf, the official schemas with a validator for them, asyncapi/parser-go, and the standard library.
package asyncapi

import (
	"cmp"
	"context"
	"path"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/avro"
	"github.com/concordat-dev/concordat/parser/internal/jsonschema"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// Options say how a document is read.
type Options struct {
	Read   func(name string) ([]byte, error) // gets files by slash paths
	Remote func(url string) ([]byte, error)  // gets what lies on other hosts; nil: nothing does
}

// Parse is ParseWith for a document that stays on this host.
func Parse(ctx context.Context, file string, read func(string) ([]byte, error)) (*contract.Contract, diag.List) {
	return ParseWith(ctx, file, Options{Read: read})
}

// ParseWith reads the document in file, and every file that it refers to. The contract is
// nil only where the file cannot be read or is no AsyncAPI document of a known major
// version; otherwise it holds all that could be understood.
//
// The contract has one service where all operations have one action. Where the document's
// application both sends and receives, it has two, named with the suffixes Send and
// Receive, so that the direction of every operation, requests included, stays known.
func ParseWith(ctx context.Context, file string, o Options) (*contract.Contract, diag.List) {
	var ds diag.List
	loader := node.NewLoader(o.Read, &ds)
	if o.Remote != nil {
		loader.AllowRemote(o.Remote)
	}
	root := loader.Load(file)
	if root == nil || !node.Expect(&ds, root, "an AsyncAPI document", node.Map) {
		return nil, ds
	}
	v, ok := versionOf(root, &ds)
	if !ok {
		return nil, ds
	}
	r := newReader(ctx, loader, root, v, &ds)
	r.read = o.Read
	found := r.validate()
	r.document()
	ds = append(ds, silenced(found, ds)...)
	if len(ds) == 0 {
		r.secondOpinion()
	}
	return r.contract, ds
}

// A reader holds what is known while one document is read.
type reader struct {
	ctx      context.Context
	loader   *node.Loader
	root     *node.Node
	version  version
	diags    *diag.List
	schemas  *jsonschema.Reader
	avro     *avro.Reader
	contract *contract.Contract

	servers   map[*node.Node]*contract.Server
	security  map[*node.Node][][]contract.Requirement // of servers
	schemes   map[*node.Node]*contract.Scheme
	channels  map[*node.Node]*channel
	messages  map[*node.Node]*contract.Message
	bound     map[*contract.Message][]*contract.Binding // of messages
	names     map[string]contract.Span                  // of operations, with the place of the first
	seen      int                                       // operations, faulty ones included
	send      *contract.Service
	receive   *contract.Service
	mediaType string                    // the default content type
	framed    map[*contract.Body]uint32 // bodies of Avro behind the number of their schema
	read      func(string) ([]byte, error)
	protos    []*protoBody
	protoText map[string]string // of .proto that stand in documents, by the names that they get
	plainJSON []*contract.Body  // those described by Avro that travel as JSON
	later     []func()          // what needs the schemas of types, which come last
}

func newReader(ctx context.Context, l *node.Loader, root *node.Node, v version, ds *diag.List) *reader {
	r := &reader{
		ctx: ctx, loader: l, root: root, version: v, diags: ds,
		servers:  map[*node.Node]*contract.Server{},
		security: map[*node.Node][][]contract.Requirement{},
		schemes:  map[*node.Node]*contract.Scheme{},
		channels: map[*node.Node]*channel{},
		messages: map[*node.Node]*contract.Message{},
		bound:    map[*contract.Message][]*contract.Binding{},
		names:    map[string]contract.Span{},
		framed:   map[*contract.Body]uint32{}, protoText: map[string]string{},
		send: &contract.Service{}, receive: &contract.Service{},
		contract: &contract.Contract{Format: contract.AsyncAPI, Source: root.File(), Span: root.Span()},
	}
	r.schemas, r.avro = jsonschema.New(l, ds, jsonschema.Draft7), avro.New(l, ds)
	return r
}

// document reads everything, in the order in which the parts need one another.
func (r *reader) document() {
	r.info()
	r.declare()
	r.readSchemes()
	r.readServers()
	if r.version.major == 2 {
		r.channels2()
	} else {
		r.operations3()
	}
	r.contract.Types = append(r.schemas.Finish(), r.avro.Finish()...)
	r.codings()
	for _, f := range r.later {
		f()
	}
	r.contract.Services = r.services()
}

func (r *reader) info() {
	info := r.follow(r.root.Get("info"))
	c := r.contract
	c.Title, c.Version = text(info.Get("title")), text(info.Get("version"))
	c.Name = stem(c.Source, c.Title)
	c.Doc = r.doc(layers{info})
	if more := r.externalDocs(r.root.Get("externalDocs")); more != "" {
		c.Doc.Detail = paragraphs(c.Doc.Detail, more)
	}
	c.Doc.Summary = ""
	r.mediaType = text(r.root.Get("defaultContentType"))
}

// stem names a contract after its file, or after its title where the file's name says no
// more than what kind of document it is.
func stem(file, title string) string {
	base := path.Base(file)
	base = strings.TrimSuffix(base, path.Ext(base))
	s := strings.Trim(base, "-_.")
	for _, word := range []string{"asyncapi", "AsyncAPI", "asyncAPI"} {
		s = strings.TrimRight(strings.TrimSuffix(s, word), "-_.")
		s = strings.TrimLeft(strings.TrimPrefix(s, word), "-_.")
	}
	switch strings.ToLower(s) {
	case "", "api", "spec", "index", "schema", "contract", "main", "root":
		return cmp.Or(title, base)
	}
	return s
}

// declare names the schemas of the components, in their order, also those that nothing
// refers to: they are part of the promise.
func (r *reader) declare() {
	for name, n := range r.follow(r.root.Get("components")).Get("schemas").Entries() {
		if !isMultiFormat(n) {
			r.schemas.Declare(name, n)
		}
	}
}

// services returns the services that have operations: none, one, or one per direction.
func (r *reader) services() []*contract.Service {
	name, span := r.contract.Name, r.root.Span()
	r.send.Span, r.receive.Span = span, span
	both := len(r.send.Operations) > 0 && len(r.receive.Operations) > 0
	var out []*contract.Service
	for _, s := range []*contract.Service{r.send, r.receive} {
		if len(s.Operations) == 0 {
			continue
		}
		s.Name, s.Doc = name, r.contract.Doc
		if both && s == r.send {
			s.Name += "Send"
		} else if both {
			s.Name += "Receive"
		}
		out = append(out, s)
	}
	return out
}

// follow resolves references. Faults are reported by the loader, once.
func (r *reader) follow(n *node.Node) *node.Node { return r.loader.Resolve(n) }

// mapping returns what n refers to where that is a map, and reports where it is not. what
// names the thing with its article, "a channel".
func (r *reader) mapping(n *node.Node, what string) *node.Node {
	n = r.follow(n)
	if n.Kind() == node.Map {
		return n
	}
	node.Expect(r.diags, n, what, node.Map)
	return nil
}

// text returns what a scalar says; "" for null, lists and maps.
func text(n *node.Node) string {
	if n.Kind() == node.Null {
		return ""
	}
	return n.Text()
}

// doc reads the prose that the objects of AsyncAPI share.
func (r *reader) doc(n layers) contract.Doc {
	d := contract.Doc{Summary: strings.TrimSpace(text(n.get("summary"))), Detail: strings.TrimSpace(text(n.get("description")))}
	if d.Summary == "" {
		d.Summary = strings.TrimSpace(text(n.get("title")))
	}
	switch v := n.get("x-deprecated"); {
	case v.True():
		d.Deprecated = "deprecated"
	case v.Kind() == node.String:
		d.Deprecated = v.Text()
	}
	if more := r.externalDocs(n.get("externalDocs")); more != "" {
		d.Detail = paragraphs(d.Detail, more)
	}
	return d
}

func (r *reader) externalDocs(n *node.Node) string {
	n = r.follow(n)
	url := text(n.Get("url"))
	if url == "" {
		return ""
	}
	if about := strings.TrimSpace(text(n.Get("description"))); about != "" {
		return "See " + url + " (" + about + ")."
	}
	return "See " + url + "."
}

// paragraphs joins those parts that say something.
func paragraphs(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}

// tags returns the names of tags, which version 3 may refer to.
func (r *reader) tags(n *node.Node) []string {
	var out []string
	for item := range n.Items() {
		if name := text(r.follow(item).Get("name")); name != "" {
			out = append(out, name)
		}
	}
	return out
}
