package generator

import (
	"slices"

	"github.com/concordat-dev/concordat/templates/golang"
)

// breakValues turns fields that would make a struct contain itself into pointers, and
// those that would hold a struct without fields: it has no size, so that the field would
// share its address, by which tables know fields, with the next one.
func (p *pass) breakValues() {
	empty := p.emptyStructs()
	next := map[string][]string{}
	for _, e := range p.edges {
		if byValue(e) {
			next[e.from] = append(next[e.from], e.to)
		}
	}
	component := components(next)
	for _, e := range p.edges {
		if byValue(e) && (component[e.from] == component[e.to] || empty[e.to]) {
			e.point()
		}
	}
}

func (p *pass) emptyStructs() map[string]bool {
	empty := map[string]bool{}
	for _, d := range p.decls {
		if st, ok := d.decl.(*golang.Struct); ok && len(st.Fields) == 0 {
			empty[st.Name] = true
		}
	}
	return empty
}

// byValue says whether the field contains the struct: plainly, or in an Opt.
func byValue(e edge) bool { return e.field.Type.Prefix == "" }

// point makes the field a pointer. An Opt loses the difference of absent and null.
func (e edge) point() {
	if len(e.field.Type.Args) > 0 {
		e.field.Type = e.field.Type.Args[0]
		e.line.Flags = slices.DeleteFunc(e.line.Flags, func(f string) bool { return f == "Maybe" })
	}
	e.field.Type = pointer(e.field.Type)
	e.line.Flags = append(e.line.Flags, "Ptr")
}

// breakTables makes the edges Lazy that would make a table's initialisation depend on
// itself. Every cycle passes through a table whose type can tell its table, since a
// union never is a variant of a union.
func (p *pass) breakTables() {
	tables := map[string]*golang.Table{}
	next := map[string][]string{}
	for _, d := range p.decls {
		if d.table == nil {
			continue
		}
		tables[d.table.Var] = d.table
		eachUse(d.table, func(u *golang.Table) { next[d.table.Var] = append(next[d.table.Var], u.Use) })
	}
	component := components(next)
	for _, d := range p.decls {
		if d.table == nil {
			continue
		}
		replaceUses(d.table, func(u *golang.Table) *golang.Table {
			target := tables[u.Use]
			if target == nil || !target.Methods || component[u.Use] != component[d.table.Var] {
				return u
			}
			return &golang.Table{Kind: "Lazy", Lazy: target.Of}
		})
	}
}

// eachUse calls f with every table of the package that t refers to.
func eachUse(t *golang.Table, f func(*golang.Table)) {
	replaceUses(t, func(u *golang.Table) *golang.Table { f(u); return u })
}

// replaceUses puts f's result in the place of every table of the package that t refers
// to.
func replaceUses(t *golang.Table, f func(*golang.Table) *golang.Table) {
	visit := func(at **golang.Table) {
		switch {
		case *at == nil:
		case (*at).Use != "":
			*at = f(*at)
		default:
			c := **at // tables written in place may be shared
			replaceUses(&c, f)
			*at = &c
		}
	}
	for _, l := range t.Fields {
		visit(&l.Table)
	}
	visit(&t.Extra)
	for _, m := range t.More {
		visit(&m.Table)
	}
	visit(&t.Elem)
	if t.Union != nil {
		for _, v := range t.Union.Variants {
			visit(&v.Table)
		}
	}
}

// components numbers the strongly connected components of a graph: nodes of one cycle
// share a number, others have one of their own. A node alone shares one with itself, so
// callers look at edges. (Tarjan, 1972.)
func components(next map[string][]string) map[string]int {
	t := tarjan{next: next, index: map[string]int{}, low: map[string]int{}, component: map[string]int{}}
	for _, n := range sortedKeys(next) {
		if t.index[n] == 0 {
			t.visit(n)
		}
	}
	return t.component
}

type tarjan struct {
	next       map[string][]string
	index, low map[string]int
	component  map[string]int
	stack      []string
}

func (t *tarjan) visit(n string) {
	t.index[n] = len(t.index) + 1
	t.low[n] = t.index[n]
	t.stack = append(t.stack, n)
	for _, m := range t.next[n] {
		if t.index[m] == 0 {
			t.visit(m)
			t.low[n] = min(t.low[n], t.low[m])
		} else if t.component[m] == 0 {
			t.low[n] = min(t.low[n], t.index[m])
		}
	}
	if t.low[n] != t.index[n] {
		return
	}
	for {
		last := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.component[last] = t.index[n]
		if last == n {
			return
		}
	}
}
