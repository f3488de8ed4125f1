package generator

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// A tagging is by which values of one property unions know an object.
type tagging struct{ tags map[string]bool }

// only returns the value where there is but one: then the property needs no Go field.
func (t *tagging) only() (string, bool) {
	if t == nil || len(t.tags) != 1 {
		return "", false
	}
	return t.all()[0], true
}

func (t *tagging) all() []string { return sortedKeys(t.tags) }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// findTags looks at every union of the contract before any type is declared, since a
// union decides how its variants hold their discriminator.
func (p *pass) findTags() {
	w := walker{seen: map[contract.Schema]bool{}, types: map[*contract.Type]bool{}, union: p.tag}
	for _, t := range p.c.Types {
		w.typ(t)
	}
	for _, s := range p.c.Services {
		for _, op := range s.Operations {
			w.operation(op)
		}
	}
}

func (p *pass) tag(u *contract.Union) {
	f := p.flatten(u)
	if f.schema != nil || f.union.Tag == "" {
		return
	}
	if !p.tellable(f.union) {
		f.union.Tag = ""
		return
	}
	for _, v := range f.union.Variants {
		o, _ := contract.Resolve(v.Schema).(*contract.Object)
		if p.tags[o] == nil {
			p.tags[o] = map[string]*tagging{}
		}
		t := p.tags[o][f.union.Tag]
		if t == nil {
			t = &tagging{map[string]bool{}}
			p.tags[o][f.union.Tag] = t
		}
		for _, tag := range v.Tags {
			t.tags[tag] = true
		}
	}
}

// tellable says whether the discriminator of a union can tell its variants: each is an
// object, whose own property may have a value that selects it.
func (p *pass) tellable(u *contract.Union) bool {
	for _, v := range u.Variants {
		o, ok := contract.Resolve(v.Schema).(*contract.Object)
		if !ok {
			return false // no property to look at
		}
		if !allows(o, u.Tag, v.Tags) {
			p.warn("discriminator-contradicted", v.Span, "the discriminator %q selects this variant by %s, which its own property %q does not allow; variants are told apart by what fits", u.Tag, strings.Join(v.Tags, " or "), u.Tag).
				Help = "let the property's enum hold the values of the discriminator's mapping, or name another property"
			return false
		}
	}
	return true
}

// allows says whether a property may have one of the values.
func allows(o *contract.Object, name string, values []string) bool {
	i := slices.IndexFunc(o.Fields, func(f *contract.Field) bool { return f.Name == name })
	if i < 0 {
		return true
	}
	e, ok := contract.Resolve(o.Fields[i].Schema).(*contract.Enum)
	if !ok || e.Open {
		return true
	}
	return slices.ContainsFunc(e.Values, func(v contract.EnumValue) bool { return slices.Contains(values, text(v.JSON)) })
}

// A walker calls union with every union that it meets, each once.
type walker struct {
	seen  map[contract.Schema]bool
	types map[*contract.Type]bool
	union func(*contract.Union)
}

func (w *walker) typ(t *contract.Type) {
	if !w.types[t] {
		w.types[t] = true
		w.schema(t.Schema)
	}
}

func (w *walker) schema(s contract.Schema) {
	switch s := s.(type) {
	case *contract.Ref:
		w.typ(s.Type)
		return
	case *contract.Scalar:
		if s.Content != nil {
			w.schema(s.Content)
		}
		return
	case nil, *contract.Any, *contract.Enum:
		return
	}
	if w.seen[s] {
		return
	}
	w.seen[s] = true
	switch s := s.(type) {
	case *contract.List:
		w.schema(s.Elem)
		for _, e := range s.Prefix {
			w.schema(e)
		}
	case *contract.Map:
		w.schema(s.Value)
	case *contract.Object:
		w.fields(s.Fields)
		w.schema(s.Extra)
		for _, e := range s.Pattern {
			w.schema(e.Schema)
		}
	case *contract.Union:
		for _, v := range s.Variants {
			w.schema(v.Schema)
		}
		w.union(s)
	}
}

func (w *walker) fields(fields []*contract.Field) {
	for _, f := range fields {
		w.schema(f.Schema)
	}
}

func (w *walker) message(m *contract.Message) {
	if m == nil {
		return
	}
	for _, b := range m.Bodies {
		w.schema(b.Schema)
		w.schema(b.Item)
	}
	w.fields(m.Headers)
	for _, one := range m.OneOf {
		w.message(one)
	}
}

func (w *walker) operation(op *contract.Operation) {
	w.message(op.In)
	for _, s := range op.Out {
		w.message(s.Body)
	}
	for _, f := range op.Failures {
		w.message(f.Body)
	}
	switch wire := op.Wire.(type) {
	case *contract.HTTP:
		for _, param := range wire.Params {
			w.schema(param.Schema)
		}
	case *contract.Channel:
		for _, param := range wire.Params {
			w.schema(param.Schema)
		}
		if wire.Reply != nil {
			w.message(wire.Reply.Message)
		}
	}
}
