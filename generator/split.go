package generator

import (
	"cmp"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/templates/golang"
)

// A package with more operations, or with more declarations, than these is cut into
// units, so that no file of it chokes an editor.
const (
	manyOperations = 150
	manyDecls      = 400
)

// split arranges declarations in the order of the contract and puts them into units: one
// for a contract of usual size; for a large one a unit per tag, which prints the tag's
// operations and what belongs to them alone, and units for the named types.
func (p *pass) split(services []*service) {
	slices.SortStableFunc(p.decls, func(a, b *placed) int { return cmp.Compare(a.group, b.group) })
	main := &golang.Unit{Stem: stemOf(p.c.Name)}
	p.out.Units = []*golang.Unit{main}
	operations := 0
	for _, s := range services {
		main.Services = append(main.Services, s.out)
		operations += len(s.ops)
	}
	if operations <= manyOperations && len(p.decls) <= manyDecls {
		for _, d := range p.decls {
			d.into(main)
		}
		return
	}
	c := &cutter{pass: p, main: main, units: map[string]*golang.Unit{}, stems: newScope("codec", "types", "test", "concordat"), group: map[int]*golang.Unit{}}
	for _, s := range services {
		c.service(s)
	}
	c.decls()
}

func (d *placed) into(u *golang.Unit) {
	u.Types = append(u.Types, d.decl)
	if d.table != nil {
		u.Tables = append(u.Tables, d.table)
	}
}

// A cutter divides a large package.
type cutter struct {
	*pass
	main  *golang.Unit
	units map[string]*golang.Unit // by tag
	stems *scope
	group map[int]*golang.Unit // of the declarations of an operation
}

// service gives every operation to the unit of its first tag.
func (c *cutter) service(s *service) {
	parts := map[*golang.Unit]*golang.Part{}
	for _, op := range s.ops {
		if len(op.Tags) == 0 {
			c.group[op.group] = c.main
			continue
		}
		u := c.unit(op.Tags[0])
		c.group[op.group] = u
		part := parts[u]
		if part == nil {
			part = &golang.Part{Service: s.out}
			parts[u] = part
			u.Parts = append(u.Parts, part)
		}
		op.method.Apart = true
		part.Methods = append(part.Methods, op.method)
	}
}

// unit is that of a tag.
func (c *cutter) unit(tag string) *golang.Unit {
	if u := c.units[tag]; u != nil {
		return u
	}
	stem := strings.ToLower(exported(tag))
	if platforms[stem] || strings.ContainsFunc(stem, func(r rune) bool { return r > 0x7f }) {
		stem = "tag" + strings.Map(func(r rune) rune {
			if r > 0x7f {
				return -1
			}
			return r
		}, stem)
	}
	u := &golang.Unit{Stem: c.main.Stem + "_" + c.stems.name(stem)}
	c.units[tag] = u
	c.out.Units = append(c.out.Units, u)
	return u
}

// decls puts what belongs to an operation into the unit of the operation, and named types
// into units by their first letter.
func (c *cutter) decls() {
	for _, d := range c.pass.decls {
		u := c.group[d.group]
		if u == nil {
			u = c.unit("models " + strings.ToLower(c.first(d.group)))
		}
		d.into(u)
	}
}

// first is the first letter of a named type of the contract.
func (c *cutter) first(group int) string {
	if group >= len(c.c.Types) {
		return ""
	}
	return exported(c.c.Types[group].Name)[:1]
}
