// Package avro turns Avro schemas (Apache Avro 1.12) into the schemas of the contract model,
// with the positions of the YAML or JSON that they are written in. What values look like as
// JSON is what runtime/codec/avro says; hamba/avro has the last word on whether a schema is
// one.
//
// It imports contract, contract/diag, parser/internal/node, hamba/avro and the standard
// library.
package avro

import (
	"strings"

	hamba "github.com/hamba/avro/v2"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// maxDepth bounds types inside one another.
const maxDepth = 200

// A Reader turns the Avro schemas of one contract into its types.
type Reader struct {
	loader  *node.Loader
	diags   *diag.List
	types   []*contract.Type
	shared  map[string]*definition // by full name and text: one definition is one type, however often it is copied
	tagged  map[string]bool        // full names of records that some union tells from others
	defined []*definition
	later   []func()
}

// A definition is a record, an enum or a fixed.
type definition struct {
	name   string         // full
	typ    *contract.Type // nil for fixed, which is no type
	schema contract.Schema
}

// New returns a reader of what loader holds. Findings go to diags.
func New(loader *node.Loader, diags *diag.List) *Reader {
	return &Reader{loader: loader, diags: diags, shared: map[string]*definition{}, tagged: map[string]bool{}}
}

// Body fills b with the schema that n is or refers to. False says that there was a finding
// and b was not touched.
func (r *Reader) Body(b *contract.Body, n *node.Node) bool {
	n = r.loader.Resolve(n)
	if n == nil {
		return false
	}
	w := &walk{Reader: r, named: map[string]*definition{}}
	p := w.schema(n, "", 0)
	if w.failed {
		return false
	}
	if err := r.check(n); err != nil {
		w.fail(n, "this is no Avro schema: %s", strings.TrimPrefix(err.Error(), "avro: "))
		return false
	}
	b.Schema, b.Nullable = p.schema, p.null
	r.later = append(r.later, func() {
		text := &writer{Reader: r, seen: map[string]string{}}
		b.Coding = &contract.Coding{Language: "avro", Schema: text.schema(n, "", 0)}
	})
	return true
}

// check asks hamba/avro.
func (r *Reader) check(n *node.Node) (err error) {
	text := &writer{Reader: r, seen: map[string]string{}}
	_, err = hamba.ParseWithCache(text.schema(n, "", 0), "", &hamba.SchemaCache{})
	return err
}

// Finish returns the types that the schemas name, when all bodies have been read. Bodies get
// their Coding here, since only now is known which records some union tells by their names.
func (r *Reader) Finish() []*contract.Type {
	for _, d := range r.defined {
		if o, ok := d.schema.(*contract.Object); ok && r.tagged[d.name] {
			o.Fields = append([]*contract.Field{tag(d.name, d.typ.Span)}, o.Fields...)
		}
	}
	for _, f := range r.later {
		f()
	}
	return r.types
}
