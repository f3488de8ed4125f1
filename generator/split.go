package generator

import (
	"cmp"
	"slices"

	"github.com/concordat-dev/concordat/templates/golang"
)

// split arranges declarations in the order of the contract and puts them into units.
func (p *pass) split(services []*service) {
	slices.SortStableFunc(p.decls, func(a, b *placed) int { return cmp.Compare(a.group, b.group) })
	u := &golang.Unit{Stem: stemOf(p.c.Name)}
	for _, s := range services {
		u.Services = append(u.Services, s.out)
	}
	for _, d := range p.decls {
		u.Types = append(u.Types, d.decl)
		if d.table != nil {
			u.Tables = append(u.Tables, d.table)
		}
	}
	p.out.Units = []*golang.Unit{u}
}
