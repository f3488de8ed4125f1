package generator

import (
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// hold decides how a schema is held. want is the name of the type that must be declared
// for it where it has none: owner and field.
func (p *pass) hold(s contract.Schema, want string) *held {
	s, null := p.normal(s)
	h := p.plain(s, want)
	if null && !h.null {
		c := *h
		c.null = true
		return &c
	}
	return h
}

// plain holds a schema that is no nullable union.
func (p *pass) plain(s contract.Schema, want string) *held {
	if h, ok := p.inline[s]; ok {
		return h
	}
	switch s := s.(type) {
	case *contract.Ref:
		return p.named(s.Type)
	case *contract.Scalar:
		return p.scalar(s)
	case *contract.List:
		return p.list(s, want)
	case *contract.Map:
		return p.mapped(s.Value, s.Rules, want)
	case *contract.Object:
		if v, ok := mapLike(s); ok {
			return p.mapped(v, s.Rules, want)
		}
		name := p.names.name(want, "Object", "Value")
		st, tab := p.newStruct(name)
		h := structHeld(st, tab)
		p.inline[s] = h
		p.fill(s, st, tab)
		return h
	case *contract.Enum:
		return p.enum(s, func() string { return p.names.name(want, "Enum", "Value") }, contract.Doc{})
	case *contract.Union:
		h, fill := p.union(s, p.names.name(want, "Union", "Value"), contract.Doc{})
		p.inline[s] = h
		fill()
		return h
	case *contract.Any:
		return asserted(s)
	}
	return raw()
}

// asserted holds what may be anything, but for what is asserted of it.
func asserted(a *contract.Any) *held {
	h := raw()
	if a.Const != nil {
		h.rules = &golang.Rule{Const: *a.Const}
	}
	h.rules = asserting(h.rules, a.Also)
	return h
}

// list holds an ordered collection.
func (p *pass) list(l *contract.List, want string) *held {
	elem := p.element(l)
	if elem == nil {
		elem = &contract.Any{}
	}
	return p.listOf(p.hold(elem, itemName(want)), p.sizeRule(&l.Rules))
}

func (p *pass) listOf(e *held, rules *golang.Rule) *held {
	ref, table, flags := e.elem()
	h := &held{ref: of("[]", ref), kind: "Slice", rules: rules, base: "List"}
	if h.ref.Prefix == "[]" && table.Std == "StringTable" {
		h.table = &golang.Table{Std: "StringsTable"}
	} else {
		h.table = &golang.Table{Kind: "Slice", Elem: table, ElemFlags: flags}
	}
	return h
}

// element is the schema of every element of a list: that of its tuple positions where
// they all agree.
func (p *pass) element(l *contract.List) contract.Schema {
	if len(l.Prefix) == 0 {
		return l.Elem
	}
	all := l.Prefix
	if l.Elem != nil {
		if _, any := l.Elem.(*contract.Any); !any {
			all = append(all[:len(all):len(all)], l.Elem)
		}
	}
	first, ok := contract.Resolve(all[0]).(*contract.Scalar)
	same := ok
	for _, s := range all {
		sc, ok := contract.Resolve(s).(*contract.Scalar)
		same = same && ok && sc.Kind == first.Kind
	}
	if same {
		return &contract.Scalar{Kind: first.Kind}
	}
	p.remark("tuple-as-raw", p.at, "positions of this list have types of their own; its elements are kept as JSON text")
	return &contract.Any{}
}

// mapLike says whether an object has no field of its own, and the schema of its values.
func mapLike(o *contract.Object) (contract.Schema, bool) {
	switch {
	case len(o.Fields) > 0:
		return nil, false
	case o.Extra != nil:
		return o.Extra, true
	case len(o.Pattern) == 1:
		return o.Pattern[0].Schema, true
	}
	return &contract.Any{}, !o.Closed || len(o.Pattern) > 0
}

// mapped holds a map with values of a schema.
func (p *pass) mapped(value contract.Schema, rules contract.Rules, want string) *held {
	if value == nil {
		value = &contract.Any{}
	}
	v := p.hold(value, itemName(want))
	ref, table, flags := v.elem()
	h := &held{ref: of("map[string]", ref), kind: "Map", rules: p.sizeRule(&rules), base: "Map"}
	if h.ref.Prefix == "map[string]" && table.Std == "StringTable" {
		h.table = &golang.Table{Std: "StringMapTable"}
	} else {
		h.table = &golang.Table{Kind: "Map", MapOf: &ref, Elem: table, ElemFlags: flags}
	}
	return h
}
