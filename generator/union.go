package generator

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A flat is a union without unions in it and without null.
type flat struct {
	union  *contract.Union
	null   bool
	schema contract.Schema // in place of the union where that has fewer than two variants, or only constants
}

// normal is a schema without the wrapping of null: what remains, and whether null is
// legal beside it. A union of one is that one.
func (p *pass) normal(s contract.Schema) (contract.Schema, bool) {
	null := false
	for range 100 {
		u, ok := s.(*contract.Union)
		if !ok {
			return orAny(s), null
		}
		f := p.flatten(u)
		null = null || f.null
		if f.schema == nil {
			return f.union, null
		}
		s = f.schema
	}
	return &contract.Any{}, null
}

func orAny(s contract.Schema) contract.Schema {
	if s == nil {
		return &contract.Any{}
	}
	return s
}

// flatten makes a union of the variants of u and of the unions among them.
func (p *pass) flatten(u *contract.Union) *flat {
	if f, ok := p.flat[u]; ok {
		return f
	}
	f := &flat{union: &contract.Union{Tag: u.Tag, Span: u.Span, Also: u.Also}}
	w := flattener{flat: f, seen: map[*contract.Union]bool{}}
	w.add(u)
	f.schema = simple(f.union, f.null)
	p.flat[u] = f
	return f
}

type flattener struct {
	*flat
	seen map[*contract.Union]bool
}

func (w *flattener) add(u *contract.Union) {
	if w.seen[u] {
		return
	}
	w.seen[u] = true
	if u.Tag != w.union.Tag {
		w.union.Tag = ""
	}
	for _, v := range u.Variants {
		switch s := contract.Resolve(v.Schema).(type) {
		case *contract.Union:
			w.add(s)
		case *contract.Scalar:
			if s.Kind == contract.Null {
				w.null = true
			} else {
				w.variant(v)
			}
		default:
			w.variant(v)
		}
	}
}

func (w *flattener) variant(v *contract.Variant) {
	if len(v.Tags) == 0 {
		w.union.Tag = ""
	}
	c := *v
	w.union.Variants = append(w.union.Variants, &c)
}

// simple is what a union amounts to where it is no choice between types.
func simple(u *contract.Union, null bool) contract.Schema {
	switch len(u.Variants) {
	case 0:
		if null {
			return &contract.Scalar{Kind: contract.Null}
		}
		return &contract.Any{}
	case 1:
		return u.Variants[0].Schema
	}
	e := &contract.Enum{Base: contract.String}
	for _, v := range u.Variants {
		s, ok := contract.Resolve(v.Schema).(*contract.Scalar)
		if !ok || s.Const == nil || kindOf(*s.Const) != contract.String {
			return nil
		}
		e.Values = append(e.Values, contract.EnumValue{Name: v.Name, JSON: *s.Const, Span: v.Span})
	}
	return e
}

// union holds a union as an interface named name; fill declares its variants.
func (p *pass) union(u *contract.Union, name string, doc contract.Doc) (h *held, fill func()) {
	d := &golang.Union{Name: name, Doc: typeDoc(name, doc), Marker: "is" + name}
	ref := golang.Ref{Name: name}
	t := &golang.Table{Var: p.tableVar(name), Kind: "Union", Of: &ref, Union: &golang.TableUnion{Of: ref, Tag: u.Tag}, Rules: asserting(nil, u.Also)}
	p.place(d, t)
	h = &held{ref: ref, kind: "Union", table: &golang.Table{Use: t.Var}, decl: d, base: "Union"}
	return h, func() { p.variants(u, d, t.Union) }
}

// variants declares what a union may hold. Two variants of one Go type are one.
func (p *pass) variants(u *contract.Union, d *golang.Union, t *golang.TableUnion) {
	byType := map[string]*golang.TableVariant{}
	for i, v := range u.Variants {
		p.within(v.Span, func() {
			h := p.variant(v, d, i)
			if old, ok := byType[h.ref.Name]; ok {
				old.Tags = append(old.Tags, v.Tags...)
				return
			}
			tv := &golang.TableVariant{Of: h.ref, Tags: slices.Clone(v.Tags), Table: h.alone()}
			byType[h.ref.Name] = tv
			d.Variants = append(d.Variants, h.ref)
			t.Variants = append(t.Variants, tv)
		})
	}
	if t.Tag == "" {
		for _, v := range t.Variants {
			v.Tags = nil
		}
	}
}

// variant holds one variant: the type that it has already, or one made for it.
func (p *pass) variant(v *contract.Variant, d *golang.Union, i int) *held {
	h := p.hold(v.Schema, p.variantName(v, d, i))
	if h.kind == "Custom" {
		p.remark("go-type-not-used", v.Span, "a type of the program cannot be a variant of the union %s; the value is kept as JSON text", d.Name)
		h = raw()
	}
	if markers := markersOf(h.decl); markers != nil {
		if !slices.Contains(*markers, d.Marker) {
			*markers = append(*markers, d.Marker)
		}
		return canonical(h)
	}
	name := p.names.name(d.Name+variantWord(v, h), "Variant")
	n := &golang.Named{Name: name, Type: h.ref, Markers: []string{d.Marker}}
	t := &golang.Table{Var: p.tableVar(name), Kind: h.kind, Of: &golang.Ref{Name: name}}
	setTable(t, h)
	if h.kind == "Slice" || h.kind == "Map" {
		t.Methods = true
	}
	if t.Rules != nil && t.Rules.Const != "" {
		n.Doc = []string{name + " holds " + t.Rules.Const + "."}
	}
	p.place(n, t)
	return &held{ref: golang.Ref{Name: name}, kind: h.kind, table: &golang.Table{Use: t.Var}, decl: n, base: h.base}
}

// variantName is what an inline variant is called.
func (p *pass) variantName(v *contract.Variant, d *golang.Union, i int) string {
	switch {
	case v.Name != "":
		return d.Name + exported(v.Name)
	case len(v.Tags) > 0:
		return d.Name + exported(v.Tags[0])
	}
	switch contract.Resolve(v.Schema).(type) {
	case *contract.Object, *contract.Enum:
		return d.Name + "Variant" + strconv.Itoa(i+1)
	}
	return d.Name
}

func variantWord(v *contract.Variant, h *held) string {
	if r, ok := v.Schema.(*contract.Ref); ok {
		return exported(r.Type.Name)
	}
	if v.Name != "" {
		return exported(v.Name)
	}
	return cmp.Or(h.base, "Value")
}

// canonical is h by the name of its declaration, where h came by an alias.
func canonical(h *held) *held {
	c := *h
	switch d := h.decl.(type) {
	case *golang.Struct:
		c.ref = golang.Ref{Name: d.Name}
	case *golang.Enum:
		c.ref = golang.Ref{Name: d.Name}
	case *golang.Named:
		c.ref = golang.Ref{Name: d.Name}
	}
	return &c
}

// markersOf is where a declared type keeps the unions that it belongs to; nil where it
// can belong to none.
func markersOf(d golang.Decl) *[]string {
	switch d := d.(type) {
	case *golang.Struct:
		return &d.Markers
	case *golang.Enum:
		return &d.Markers
	case *golang.Named:
		if !d.Alias {
			return &d.Markers
		}
	}
	return nil
}
