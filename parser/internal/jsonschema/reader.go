// Package jsonschema turns JSON Schema into the schemas of the contract model, for
// OpenAPI and AsyncAPI alike. It reads draft 2020-12 and takes the spellings of draft 7
// and OpenAPI 3.0 (nullable, boolean exclusiveMinimum, items as a list) as what they
// mean. allOf is merged, whatever its members are; what the model cannot hold becomes
// contract.Any and a diagnostic, never an error that stops the reading.
//
// It imports contract, contract/diag, parser/internal/node and the standard library.
package jsonschema

import (
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// Dialect is the language that schemas are written in.
type Dialect uint8

// The dialects. They differ in what keywords beside a $ref mean: only Draft2020 applies
// them. All other spellings are understood everywhere.
const (
	Draft2020 Dialect = iota // OpenAPI 3.1 and 3.2
	Draft7                   // AsyncAPI
	OpenAPI30
)

// Limits on what schemas that refer to one another may grow to.
const (
	maxDepth    = 200       // of schemas inside one another, before a type of its own is made
	maxMerged   = 50_000    // merged schemas of one contract
	maxVariants = 1000      // of one union, after unions inside allOf are multiplied out
	maxParts    = 1000      // schemas merged into one
	maxTotal    = 3_000_000 // schemas merged, all together
)

// A Reader turns the schemas of one contract into its types. Finish must be called when
// all of them have been asked for.
type Reader struct {
	loader  *node.Loader
	diags   *diag.List
	dialect Dialect

	types    map[*node.Node]*contract.Type
	made     []*contract.Type            // in order of declaration
	declared []*node.Node                // those that Declare was given, in order
	children map[*node.Node][]*node.Node // those whose allOf names a schema; nil until asked for
	queue    []work                      // types whose schema is still to be read
	memo     map[string]*memo
	ids      map[*node.Node]int // short names of nodes, for keys of memo
	names    map[string]int     // how often a type's name was given
	nulls    map[*node.Node]bool
	depth    int
	merged   int
	parts    int  // that all views have had together
	full     bool // too many of them was reported

	patterns map[string]pattern
	skipped  map[string]*skipped // keywords that are not checked, by keyword
}

// A work is a type whose schema must be read: from the view, or the node that names it.
type work struct {
	typ  *contract.Type
	from *node.Node
	view *view
}

// A memo is a schema that was read, or is being read, without a name of its own. If it
// turns out to contain itself it gets one.
type memo struct {
	schema contract.Schema
	typ    *contract.Type
	busy   bool
}

// New returns a Reader that follows references through l and adds its findings to diags.
func New(l *node.Loader, diags *diag.List, d Dialect) *Reader {
	return &Reader{
		loader: l, diags: diags, dialect: d,
		types: map[*node.Node]*contract.Type{}, memo: map[string]*memo{}, ids: map[*node.Node]int{},
		names: map[string]int{}, nulls: map[*node.Node]bool{},
		patterns: map[string]pattern{}, skipped: map[string]*skipped{},
	}
}

// Declare makes the schema at n a named type, as under components/schemas. A second
// Declare of the same node returns the first type. Its Schema is complete after Finish.
func (r *Reader) Declare(name string, n *node.Node) *contract.Type {
	if t := r.types[n]; t != nil {
		return t
	}
	t := r.newType(name, n)
	r.types[n] = t
	r.declared = append(r.declared, n)
	r.queue = append(r.queue, work{typ: t, from: n})
	return t
}

func (r *Reader) newType(name string, n *node.Node) *contract.Type {
	r.names[name]++
	t := &contract.Type{Name: name, Doc: Doc(n), Span: n.KeySpan()}
	t.GoType = goType(n)
	t.XML = r.xml(n)
	r.made = append(r.made, t)
	return t
}

// Schema reads the schema at n. A $ref, alone or inside an allOf that adds nothing,
// becomes a contract.Ref to the type that it names; everything else stays inline. The
// same n gives the same result, so that a shared parameter has one inline schema. Whether
// null is allowed, too, is Nullable's business. An absent n allows anything.
func (r *Reader) Schema(n *node.Node) contract.Schema {
	if n == nil || n.True() {
		return &contract.Any{}
	}
	if t := r.types[n]; t != nil {
		return &contract.Ref{Type: t}
	}
	if goType(n) != "" {
		return &contract.Ref{Type: r.Declare(r.nameOf(n), n)}
	}
	return r.inline(n)
}

// goType is the Go type that the author of a schema wants: x-go-type, whose package may
// stand under x-go-type-import.
func goType(n *node.Node) string {
	name, _ := n.Get("x-go-type").Str()
	if path, ok := n.Get("x-go-type-import").Get("path").Str(); ok && name != "" {
		return path + "." + name[strings.LastIndexByte(name, '.')+1:]
	}
	return name
}

func (r *Reader) inline(n *node.Node) contract.Schema {
	if holder := r.sole(n); holder != nil && !r.bareHeir(n, holder) {
		return r.reference(holder)
	}
	return r.read(r.viewOf(n))
}

// reference returns the Ref that a node with a $ref stands for.
func (r *Reader) reference(holder *node.Node) contract.Schema {
	r.warnBesideRef(holder)
	r.noteDynamic(holder)
	target := r.loader.Target(holder)
	switch {
	case target == nil:
		return &contract.Any{Reason: "its reference leads nowhere"}
	case target.True():
		return &contract.Any{}
	}
	return &contract.Ref{Type: r.Declare(r.nameOf(target), target)}
}

// read returns the schema of a view, which is read once. A view that is met again while
// it is read contains itself: it becomes a type, and the second meeting a Ref to it.
func (r *Reader) read(v *view) contract.Schema {
	if len(v.parts) > 1 {
		if r.merged++; r.merged > maxMerged {
			return r.give(v, "too-complex", "the schemas of the contract multiply to more than "+strconv.Itoa(maxMerged))
		}
	}
	key := r.keyOf(v)
	m := r.memo[key]
	switch {
	case m == nil:
	case m.busy && m.typ == nil:
		m.typ = r.newType(r.nameOf(v.node), v.node)
		return &contract.Ref{Type: m.typ}
	case m.typ != nil:
		return &contract.Ref{Type: m.typ}
	default:
		return m.schema
	}
	m = &memo{busy: true}
	r.memo[key] = m
	if r.depth > maxDepth {
		m.typ = r.newType(r.nameOf(v.node), v.node)
		r.queue = append(r.queue, work{typ: m.typ, view: v})
		return &contract.Ref{Type: m.typ}
	}
	r.depth++
	m.schema = r.build(v)
	r.depth--
	m.busy = false
	if m.typ != nil {
		m.typ.Schema = m.schema
		return &contract.Ref{Type: m.typ}
	}
	return m.schema
}

// give stands in for a schema that cannot be modelled.
func (r *Reader) give(v *view, code, why string) contract.Schema {
	r.diags.Warnf(code, v.node.Span(), "%s; the value is kept as raw JSON", why)
	return &contract.Any{Reason: why}
}

// Finish reads what is still to be read and returns all types: those declared, in their
// order, then those that references and recursion made.
func (r *Reader) Finish() []*contract.Type {
	for len(r.queue) > 0 {
		w := r.queue[0]
		r.queue = r.queue[1:]
		if w.view != nil {
			w.typ.Schema = r.build(w.view)
		} else {
			w.typ.Schema = r.typeSchema(w.from)
		}
	}
	r.breakLoops()
	r.shorten()
	r.tellSkipped()
	return r.made
}

func (r *Reader) typeSchema(n *node.Node) contract.Schema {
	if n == nil || n.True() {
		return &contract.Any{}
	}
	if s := r.byDiscriminator(n); s != nil {
		return s
	}
	return r.inline(n)
}

// Doc returns what is written for people at n: title, description and deprecated.
func Doc(n *node.Node) contract.Doc {
	var d contract.Doc
	d.Summary, _ = n.Get("title").Str()
	d.Detail, _ = n.Get("description").Str()
	if n.Get("deprecated").True() {
		d.Deprecated = "deprecated"
	}
	return d
}
