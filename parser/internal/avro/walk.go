package avro

import (
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A part is a schema as part of another: null beside it is said where it stands.
type part struct {
	schema contract.Schema
	null   bool
	look   byte   // how its JSON begins, as in runtime/codec/avro
	name   string // of its type, full
}

// A walk reads one schema, whose names are its own.
type walk struct {
	*Reader
	named  map[string]*definition
	failed bool
}

var scalars = map[string]struct {
	kind contract.ScalarKind
	look byte
}{
	"null": {contract.Null, 'n'}, "boolean": {contract.Bool, 't'}, "int": {contract.Int32, '0'}, "long": {contract.Int64, '0'},
	"float": {contract.Float32, '0'}, "double": {contract.Float64, '0'}, "string": {contract.String, '"'}, "bytes": {contract.Bytes, '"'},
}

var anything = part{schema: &contract.Any{}, look: '{'}

func (w *walk) fail(n *node.Node, format string, args ...any) part {
	if !w.failed {
		w.diags.Errorf("avro-schema", n.Span(), format, args...).Help = "the payload is carried as bytes until the schema can be read"
	}
	w.failed = true
	return anything
}

func (w *walk) schema(n *node.Node, space string, depth int) part {
	if depth > maxDepth {
		return w.fail(n, "types are nested deeper than %d", maxDepth)
	}
	n = w.loader.Resolve(n)
	switch n.Kind() {
	case node.List:
		return w.union(n, space, depth)
	case node.Null:
		return part{schema: &contract.Scalar{Kind: contract.Null}, look: 'n', name: "null"}
	case node.Map:
		return w.define(n, space, depth)
	}
	return w.byName(n, n.Text(), space)
}

func (w *walk) byName(n *node.Node, name, space string) part {
	if s, ok := scalars[name]; ok {
		return part{schema: &contract.Scalar{Kind: s.kind}, look: s.look, name: name}
	}
	d := w.named[full(name, space)]
	if d == nil {
		d = w.named[name]
	}
	if d == nil {
		return w.fail(n, "no type is called %q", name)
	}
	return d.part()
}

func (d *definition) part() part {
	p := part{schema: d.schema, look: '"', name: d.name}
	if d.typ != nil {
		p.schema = &contract.Ref{Type: d.typ}
	}
	if _, ok := d.schema.(*contract.Object); ok {
		p.look = '{'
	}
	if s, ok := d.schema.(*contract.Scalar); ok && s.Kind == contract.Decimal {
		p.look = '0'
	}
	return p
}

func full(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

// spaceOf is the namespace of what stands inside of a definition.
func spaceOf(fullName string) string {
	i := strings.LastIndexByte(fullName, '.')
	return fullName[:max(i, 0)]
}

// nameOf is the full name that n defines.
func nameOf(n *node.Node, space string) string {
	if own := n.Get("namespace").Text(); own != "" {
		space = own
	}
	return full(n.Get("name").Text(), space)
}

func (w *walk) define(n *node.Node, space string, depth int) part {
	t := n.Get("type")
	if k := t.Kind(); k == node.Map || k == node.List {
		return w.schema(t, space, depth+1)
	}
	switch t.Text() {
	case "array":
		p := w.schema(n.Get("items"), space, depth+1)
		return part{schema: &contract.List{Elem: p.schema, NullElem: p.null}, look: '[', name: "array"}
	case "map":
		p := w.schema(n.Get("values"), space, depth+1)
		return part{schema: &contract.Map{Value: p.schema, NullValue: p.null}, look: '{', name: "map"}
	case "record", "error", "enum", "fixed":
		return w.definition(n, t.Text(), space, depth)
	}
	p := w.byName(t, t.Text(), space)
	return logical(p, n)
}

// logical gives a value its logical type, where that has JSON of its own.
func logical(p part, n *node.Node) part {
	s, ok := p.schema.(*contract.Scalar)
	if !ok {
		return p
	}
	switch kind := n.Get("logicalType").Text(); {
	case kind == "decimal" && s.Kind == contract.Bytes:
		p.schema, p.look = &contract.Scalar{Kind: contract.Decimal}, '0'
	case kind == "uuid" && s.Kind == contract.String:
		p.schema = &contract.Scalar{Kind: contract.UUID}
	case kind == "date" && s.Kind == contract.Int32:
		p.schema, p.look = &contract.Scalar{Kind: contract.Date}, '"'
	case strings.HasPrefix(kind, "timestamp-") && s.Kind == contract.Int64:
		p.schema, p.look = &contract.Scalar{Kind: contract.DateTime}, '"'
	case kind != "":
		p.schema = &contract.Scalar{Kind: s.Kind, Format: kind}
	}
	return p
}

// definition reads a named type. The same text under the same name is the same type.
func (w *walk) definition(n *node.Node, kind, space string, depth int) part {
	name := nameOf(n, space)
	key := name + "\n" + n.JSON()
	if d := w.shared[key]; d != nil {
		w.named[name] = d
		if kind == "record" || kind == "error" {
			w.fields(&contract.Object{}, n, spaceOf(name), depth) // the names that it defines
		}
		return d.part()
	}
	d := &definition{name: name}
	w.named[name], w.shared[key] = d, d
	w.defined = append(w.defined, d)
	switch kind {
	case "fixed":
		d.schema = fixed(n)
		return d.part()
	case "enum":
		d.schema = enum(n)
	default:
		d.schema = &contract.Object{}
	}
	short := name[strings.LastIndexByte(name, '.')+1:]
	d.typ = &contract.Type{Name: short, Doc: doc(n), Schema: d.schema, Span: n.Span()}
	w.types = append(w.types, d.typ)
	if o, ok := d.schema.(*contract.Object); ok {
		w.fields(o, n, spaceOf(name), depth)
	}
	return d.part()
}

func doc(n *node.Node) contract.Doc {
	return contract.Doc{Detail: strings.TrimSpace(n.Get("doc").Text())}
}

func fixed(n *node.Node) contract.Schema {
	size := n.Get("size").Text()
	switch kind := n.Get("logicalType").Text(); {
	case kind == "decimal":
		return &contract.Scalar{Kind: contract.Decimal}
	case kind == "uuid" && size == "16":
		return &contract.Scalar{Kind: contract.UUID}
	}
	return &contract.Scalar{Kind: contract.Bytes, Format: "fixed(" + size + ")"}
}

func enum(n *node.Node) contract.Schema {
	e := &contract.Enum{Base: contract.String}
	for s := range n.Get("symbols").Items() {
		e.Values = append(e.Values, contract.EnumValue{JSON: node.Quote(s.Text()), Span: s.Span()})
	}
	return e
}

func (w *walk) fields(o *contract.Object, n *node.Node, space string, depth int) {
	for f := range n.Get("fields").Items() {
		f = w.loader.Resolve(f)
		t := f.Get("type")
		p := w.schema(t, space, depth+1)
		if f.Has("logicalType") { // written beside the type by mistake; readers ignore it there
			w.diags.Warnf("avro-logical-type", f.Get("logicalType").Span(), "the logicalType of a field belongs into its type; here it says nothing").
				Help = "write type: {type: " + t.Text() + ", logicalType: " + f.Get("logicalType").Text() + "}"
		}
		field := &contract.Field{Name: f.Get("name").Text(), Doc: doc(f), Schema: p.schema, Span: f.Span(), Required: !p.null && !f.Has("default")}
		field.Default = fallback(p, f.Get("default"))
		o.Fields = append(o.Fields, field)
	}
}

// fallback is the default of a field as its JSON has it. That of a logical type or of bytes
// is only in what is sent.
func fallback(p part, d *node.Node) *string {
	switch s := contract.Resolve(p.schema).(type) {
	case *contract.Enum:
		if d.Kind() == node.String {
			return new(d.JSON())
		}
	case *contract.Scalar:
		plain := s.Kind == contract.String && d.Kind() == node.String || s.Kind == contract.Bool && d.Kind() == node.Bool
		number := s.Kind == contract.Int32 || s.Kind == contract.Int64 || s.Kind == contract.Float32 || s.Kind == contract.Float64
		if s.Format == "" && (plain || number && d.Kind() == node.Number) {
			return new(d.JSON())
		}
	}
	return nil
}

func (w *walk) union(n *node.Node, space string, depth int) part {
	var parts []part
	out := part{look: '?', name: "union"}
	looks, alike := map[byte]bool{}, false
	for item := range n.Items() {
		p := w.schema(item, space, depth+1)
		if p.look == 'n' {
			out.null = true
			continue
		}
		alike = alike || looks[p.look]
		looks[p.look] = true
		parts = append(parts, p)
	}
	switch len(parts) {
	case 0:
		return part{schema: &contract.Scalar{Kind: contract.Null}, look: 'n', name: "null"}
	case 1:
		out.schema = parts[0].schema
		return out
	}
	u := &contract.Union{Span: n.Span()}
	if alike {
		u.Tag = "$type"
	}
	for _, p := range parts {
		u.Variants = append(u.Variants, w.variant(p, alike, n.Span()))
	}
	out.schema = u
	return out
}

// variant is one branch of a union. Where branches look alike in JSON, each says which it is.
func (w *walk) variant(p part, alike bool, at contract.Span) *contract.Variant {
	v := &contract.Variant{Schema: p.schema, Span: at}
	if !alike {
		return v
	}
	v.Tags = []string{p.name}
	if _, ok := contract.Resolve(p.schema).(*contract.Object); ok {
		w.tagged[p.name] = true
		return v
	}
	v.Name = p.name
	v.Schema = &contract.Object{Fields: []*contract.Field{tag(p.name, at),
		{Name: "value", Schema: p.schema, Required: true, Span: at}}}
	return v
}

// tag is the property by which a union knows its branches.
func tag(name string, at contract.Span) *contract.Field {
	return &contract.Field{Name: "$type", Required: true, Span: at,
		Schema: &contract.Scalar{Kind: contract.String, Const: new(node.Quote(name))}}
}
