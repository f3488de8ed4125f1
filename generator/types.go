package generator

import (
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// declareTypes gives every named type of the contract its Go name, then declares them
// all. Names come first, so that no inline type can take one that the contract gives.
func (p *pass) declareTypes() {
	names := make(map[*contract.Type]string, len(p.c.Types))
	for _, t := range p.c.Types {
		names[t] = p.names.name(exported(t.Name), "Type", kindName(t.Schema))
	}
	d := &declarer{pass: p, names: names, groups: make(map[*contract.Type]int, len(p.c.Types))}
	for i, t := range p.c.Types {
		d.groups[t] = i
	}
	p.declare = d
}

// shells declares the named types without what they hold.
func (p *pass) shells() {
	for i, t := range p.c.Types {
		p.group = i
		p.named(t)
	}
}

// fillTypes declares all that the named types hold.
func (p *pass) fillTypes() {
	for len(p.declare.later) > 0 {
		next := p.declare.later[0]
		p.declare.later = p.declare.later[1:]
		next()
	}
	p.group = len(p.c.Types)
}

// A declarer turns named types into declarations: a shell at once, so that types may
// refer to each other, and what it holds later.
type declarer struct {
	pass   *pass
	names  map[*contract.Type]string
	groups map[*contract.Type]int
	later  []func()
}

// named holds a named type.
func (p *pass) named(t *contract.Type) *held {
	if h, ok := p.types[t]; ok {
		if h == nil {
			return p.cyclicAlias(t)
		}
		return h
	}
	name, ok := p.declare.names[t]
	if !ok { // not listed by the contract
		name = p.names.name(exported(t.Name), "Type", kindName(t.Schema))
		p.declare.names[t], p.declare.groups[t] = name, p.group
	}
	p.types[t] = nil
	var h *held
	group := p.group
	p.group = p.declare.groups[t]
	p.within(t.Span, func() {
		if h = p.external(t, name); h == nil {
			h = p.shell(t, name)
		}
	})
	p.group = group
	p.types[t] = h
	return h
}

// cyclicAlias holds a type that is nothing but a reference to itself.
func (p *pass) cyclicAlias(t *contract.Type) *held {
	p.warn("cyclic-reference", t.Span, "type %q refers only to itself; its values are kept as JSON text", t.Name).Help =
		"give one of the types of the cycle a schema of its own"
	return raw()
}

// shell declares a named type without what it holds.
func (p *pass) shell(t *contract.Type, name string) *held {
	s, null := p.normal(t.Schema)
	h := p.shape(s, t, name)
	if null && !h.null {
		c := *h
		c.null = true
		return &c
	}
	return h
}

func (p *pass) shape(s contract.Schema, t *contract.Type, name string) *held {
	switch s := s.(type) {
	case *contract.Object:
		if v, ok := mapLike(s); ok {
			return p.defined(t, name, "Map", func() *held { return p.mapOf(s, v, name) })
		}
		st, tab := p.newStruct(name)
		st.Doc = typeDoc(name, t.Doc)
		p.fillLater(t, func() { p.fill(s, st, tab) })
		return structHeld(st, tab)
	case *contract.Union:
		h, fill := p.union(s, name, t.Doc)
		p.fillLater(t, fill)
		return h
	case *contract.Enum:
		h := p.enum(s, func() string { return name }, t.Doc)
		if h.decl == nil {
			return p.alias(t, name, h)
		}
		return h
	case *contract.List:
		if _, uniform := p.element(s); !uniform {
			st, tab := p.newTuple(name)
			st.Doc = typeDoc(name, t.Doc)
			p.fillLater(t, func() { p.positions(s, st, tab) })
			return tupleHeld(st, tab)
		}
		return p.defined(t, name, "Slice", func() *held { return p.list(s, name) })
	case *contract.Map:
		return p.defined(t, name, "Map", func() *held { return p.keyed(s, name) })
	case *contract.Ref:
		return p.alias(t, name, p.named(s.Type))
	case *contract.Scalar:
		return p.alias(t, name, p.scalar(s))
	case *contract.Any:
		return p.alias(t, name, asserted(s))
	}
	return p.alias(t, name, raw())
}

// alias declares name as another name of what h holds.
func (p *pass) alias(t *contract.Type, name string, h *held) *held {
	p.place(&golang.Named{Name: name, Doc: typeDoc(name, t.Doc), Type: h.ref, Alias: true}, nil)
	c := *h
	c.ref = golang.Ref{Name: name}
	if c.table != nil && c.decl == nil { // a table written in place
		c.table = h.alone()
	}
	return &c
}

// defined declares a list or map as a type of its own, which may therefore hold itself.
func (p *pass) defined(t *contract.Type, name, kind string, make func() *held) *held {
	n := &golang.Named{Name: name, Doc: typeDoc(name, t.Doc)}
	tab := &golang.Table{Var: p.tableVar(name), Kind: kind, Of: &golang.Ref{Name: name}, Methods: true}
	p.place(n, tab)
	p.fillLater(t, func() {
		h := make()
		n.Type = h.ref
		setTable(tab, h)
	})
	return &held{ref: golang.Ref{Name: name}, kind: kind, table: &golang.Table{Use: tab.Var}, decl: n, base: kind}
}

// setTable gives a declared table what h's own says, which is written in place.
func setTable(tab *golang.Table, h *held) {
	switch {
	case h.table == nil:
	case h.table.Std == "StringsTable", h.table.Std == "StringMapTable":
		tab.Elem = &golang.Table{Std: "StringTable"}
		if h.kind == "Map" {
			tab.MapOf = &golang.Ref{Name: "string"}
		}
	default:
		tab.Elem, tab.ElemFlags, tab.MapOf = h.table.Elem, h.table.ElemFlags, h.table.MapOf
		tab.Names, tab.Closed = h.table.Names, h.table.Closed
		tab.Enum, tab.EnumInt, tab.Open = h.table.Enum, h.table.EnumInt, h.table.Open
	}
	tab.Rules = h.rules
}

func (p *pass) fillLater(t *contract.Type, fill func()) {
	group := p.declare.groups[t]
	p.declare.later = append(p.declare.later, func() {
		old := p.group
		p.group = group
		p.within(t.Span, fill)
		p.group = old
	})
}

func (p *pass) tableVar(name string) string { return p.names.name(unexported(name) + "Table") }

// kindName is what a schema is, as a suffix that keeps its name apart from others.
func kindName(s contract.Schema) string {
	switch s := s.(type) {
	case *contract.Enum:
		return "Enum"
	case *contract.Union:
		return "Union"
	case *contract.Object:
		return "Object"
	case *contract.List:
		return "List"
	case *contract.Map:
		return "Map"
	case *contract.Ref:
		return "Alias"
	case *contract.Scalar:
		return "Value"
	default:
		_ = s
		return ""
	}
}
