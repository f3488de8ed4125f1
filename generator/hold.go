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
		return p.keyed(s, want)
	case *contract.Object:
		if v, ok := mapLike(s); ok {
			return p.mapOf(s, v, want)
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
	elem, uniform := p.element(l)
	if !uniform {
		st, tab := p.newTuple(p.names.name(want, "List", "Tuple"))
		h := tupleHeld(st, tab)
		p.inline[l] = h
		p.positions(l, st, tab)
		return h
	}
	return p.listOf(p.hold(elem, itemName(want)).orNull(l.NullElem), p.sizeRule(listRules(l)))
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

// mapLike says whether an object has no field of its own, and the schema of its values.
func mapLike(o *contract.Object) (contract.Schema, bool) {
	switch {
	case len(o.Fields) > 0:
		return nil, false
	case o.Extra != nil && len(o.Pattern) == 0:
		return o.Extra, true
	case o.Extra == nil && len(o.Pattern) == 1:
		return o.Pattern[0].Schema, true
	}
	return &contract.Any{}, !o.Closed && len(o.Pattern) == 0
}

// mapOf holds an object without a field of its own, whose values mapLike found.
func (p *pass) mapOf(o *contract.Object, value contract.Schema, want string) *held {
	h := p.mapped(value, o.NullExtra || len(o.Pattern) > 0 && o.Pattern[0].Null, o.Rules, want)
	if len(o.Pattern) == 0 {
		return h
	}
	return withNames(h, p.pattern(o.Pattern[0].Regexp), o.Closed)
}

// withNames is h for names of a form only. Other properties are ignored, or refused.
func withNames(h *held, form string, closed bool) *held {
	if form == "" {
		return h
	}
	c, t := *h, *spelled(h.table)
	t.Names, t.Closed = &golang.Rule{Pattern: form}, closed
	c.table = &t
	return &c
}

// keyed holds a map, whose names may have a form.
func (p *pass) keyed(m *contract.Map, want string) *held {
	h := p.mapped(m.Value, m.NullValue, m.Rules, want)
	key, ok := m.Key.(*contract.Scalar)
	if !ok || key.Rules.Pattern == "" {
		return h
	}
	return withNames(h, p.pattern(key.Rules.Pattern), true)
}

// mapped holds a map with values of a schema, or null.
func (p *pass) mapped(value contract.Schema, null bool, rules contract.Rules, want string) *held {
	if value == nil {
		value = &contract.Any{}
	}
	v := p.hold(value, itemName(want)).orNull(null)
	ref, table, flags := v.elem()
	h := &held{ref: of("map[string]", ref), kind: "Map", rules: p.sizeRule(&rules), base: "Map"}
	if h.ref.Prefix == "map[string]" && table.Std == "StringTable" {
		h.table = &golang.Table{Std: "StringMapTable"}
	} else {
		h.table = &golang.Table{Kind: "Map", MapOf: &ref, Elem: table, ElemFlags: flags}
	}
	return h
}
