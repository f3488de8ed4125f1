package generator

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A part is the package of a tag: its operations, and what belongs to them alone.
type part struct {
	tag   string
	out   *golang.Package
	ops   []*operation
	decls []*placed
}

// A division of a contract into packages: one for each tag, and the root, which holds what
// they share. The root imports none of them, so that imports cannot go in circles.
type division struct {
	*pass
	parts  []*part
	names  *scope // of packages
	home   map[*placed]*part
	decls  map[string]*placed // by name of the type
	tables map[string]*placed // by variable
	with   map[*placed][]*placed
}

// divide cuts the operations with tags off services, where that is asked for. It returns
// the services of the root, and the parts.
func (p *pass) divide(services []*service) ([]*service, []*part) {
	i := slices.IndexFunc(services, func(s *service) bool { return s.from.Role == "" })
	switch {
	case p.o.Split != SplitPackages || i < 0:
		return services, nil
	case p.c.Format != contract.OpenAPI:
		p.warn("split-without-tags", p.c.Span, "only OpenAPI documents are split into packages").Help = "leave out `split`"
		return services, nil
	}
	d := &division{pass: p, names: newScope(p.out.Name, p.out.FakeName), home: map[*placed]*part{},
		decls: map[string]*placed{}, tables: map[string]*placed{}, with: map[*placed][]*placed{}}
	d.operations(services[i])
	if len(d.parts) == 0 {
		p.warn("split-without-tags", p.c.Span, "no operation has a tag, so there is nothing to split by").Help = "leave out `split`, or give operations tags"
		return services, nil
	}
	d.declarations()
	d.share(services)
	for _, part := range d.parts {
		d.build(part, services[i])
	}
	d.keep(services[i])
	if len(services[i].ops) == 0 {
		services = slices.Delete(slices.Clone(services), i, i+1)
	}
	return services, d.parts
}

// operations gives each operation to the part of its first tag.
func (d *division) operations(s *service) {
	byTag := map[string]*part{}
	for _, op := range s.ops {
		if len(op.Tags) == 0 {
			continue
		}
		tag := op.Tags[0]
		if byTag[tag] == nil {
			byTag[tag] = &part{tag: tag, out: d.empty(tag)}
			d.parts = append(d.parts, byTag[tag])
		}
		byTag[tag].ops = append(byTag[tag].ops, op)
	}
}

// empty is the package of a tag without anything in it.
func (d *division) empty(tag string) *golang.Package {
	ascii := strings.Map(func(r rune) rune {
		if r > 0x7f {
			return -1
		}
		return r
	}, packageName(tag))
	root := d.pass.out
	name := d.names.name(cmp.Or(strings.TrimLeft(ascii, "0123456789"), "tag"), "api")
	home := path.Join(root.Path, name)
	return &golang.Package{
		Path: home, Name: name, Source: root.Source, Version: root.Version,
		FakePath: path.Join(home, name+"test"), FakeName: name + "test",
		Doc: wrap("Package "+name+" is what the contract "+strings.TrimSuffix(cmp.Or(oneLine(d.c.Title), d.c.Name), ".")+
			" has under the tag "+oneLine(tag)+". What tags share is in package "+root.Name+".", ""),
	}
}

// declarations gives what belongs to an operation to the operation's part, for now.
func (d *division) declarations() {
	group := map[int]*part{}
	for _, part := range d.parts {
		for _, op := range part.ops {
			group[op.group] = part
		}
	}
	for _, one := range d.pass.decls {
		d.home[one] = group[one.group]
		d.decls[declName(one.decl)] = one
		if one.table != nil {
			d.tables[one.table.Var] = one
		}
	}
}

func declName(d golang.Decl) string {
	switch d := d.(type) {
	case *golang.Struct:
		return d.Name
	case *golang.Named:
		return d.Name
	case *golang.Enum:
		return d.Name
	case *golang.Union:
		return d.Name
	}
	return ""
}

// share moves to the root what two parts use, and what follows it there: what it consists
// of, and the unions that it is a variant of, since only types of one package can be.
func (d *division) share(services []*service) {
	refs := map[*placed][]*placed{}
	together := map[*placed][]*placed{} // unions and their variants
	for _, one := range d.pass.decls {
		refs[one] = d.uses(one.decl, one.table)
		d.with[one] = append(d.with[one], refs[one]...)
		if u, ok := one.decl.(*golang.Union); ok {
			together[one] = d.uses(u)
			for _, v := range together[one] {
				d.with[v] = append(d.with[v], one)
			}
		}
	}
	for _, one := range d.pass.decls {
		d.used(refs[one], d.home[one])
		if slices.ContainsFunc(together[one], func(v *placed) bool { return d.home[v] == nil }) {
			d.sink(one)
		}
	}
	at := map[*operation]*part{}
	for _, part := range d.parts {
		for _, op := range part.ops {
			at[op] = part
		}
	}
	for _, s := range services {
		for _, op := range s.ops {
			d.used(d.uses(op.method), at[op])
		}
	}
}

// uses are the declarations that values refer to.
func (d *division) uses(values ...any) []*placed {
	var out []*placed
	add := func(one *placed) {
		if one != nil && !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	for _, v := range values {
		eachReference(v, func(r golang.Ref) { add(d.decls[r.Name]) }, func(table string) { add(d.tables[table]) })
	}
	return out
}

// used moves those of decls to the root that are not in the part that uses them.
func (d *division) used(decls []*placed, by *part) {
	for _, one := range decls {
		if d.home[one] != by {
			d.sink(one)
		}
	}
}

func (d *division) sink(one *placed) {
	if d.home[one] == nil {
		return
	}
	d.home[one] = nil
	for _, next := range d.with[one] {
		d.sink(next)
	}
}

// build fills the package of a part.
func (d *division) build(part *part, from *service) {
	unit := &golang.Unit{Stem: part.out.Name, Source: part.out.Source + "#" + oneLine(part.tag)}
	for _, one := range d.pass.decls {
		if d.home[one] == part {
			part.decls = append(part.decls, one)
		}
	}
	slices.SortStableFunc(part.decls, func(a, b *placed) int { return cmp.Compare(a.group, b.group) })
	for _, one := range part.decls {
		one.into(unit)
	}
	s := d.service(part)
	unit.Services = []*golang.Service{s}
	for _, op := range part.ops {
		s.Methods = append(s.Methods, op.method)
	}
	s.Links = d.links(s, from.out.Links)
	s.Callbacks = slices.DeleteFunc(slices.Clone(from.out.Callbacks), func(c *golang.Callback) bool { return !slices.Contains(s.Methods, c.From) })
	part.out.Units = []*golang.Unit{unit}
	part.out.Security = needed(d.pass.out.Security, s.Methods)
}

// service is the interface of a part and those who implement it, without methods.
func (d *division) service(part *part) *golang.Service {
	names := newScope("Client", "NewClient", "Register")
	for _, one := range part.decls {
		names.take(declName(one.decl))
	}
	s := &golang.Service{Wire: golang.REST, Client: "Client", New: "NewClient", Register: "Register"}
	s.Name = names.name(exported(part.tag), "Service", "API")
	d.docService(&contract.Service{Doc: d.c.Doc}, s)
	s.Fake = &golang.Fake{Name: s.Name, Doc: wrap(s.Name+" implements "+part.out.Name+"."+s.Name+
		" with its fields. A method whose field is nil fails with concordat.Unimplemented.", "")}
	return s
}

// links are those between operations of s. Others would need packages that import each
// other.
func (d *division) links(s *golang.Service, all []*golang.Link) []*golang.Link {
	var out []*golang.Link
	for _, l := range all {
		from, to := slices.Contains(s.Methods, l.From), slices.Contains(s.Methods, l.To)
		if from && to {
			out = append(out, l)
		} else if from {
			d.warn("link-across-packages", d.c.Span, "the link %s is left out, since %s and %s are in different packages", l.Name, l.From.Name, l.To.Name)
		}
	}
	return out
}

// keep leaves the root what no part has taken.
func (d *division) keep(s *service) {
	d.pass.decls = slices.DeleteFunc(d.pass.decls, func(one *placed) bool { return d.home[one] != nil })
	s.ops = slices.DeleteFunc(s.ops, func(op *operation) bool { return len(op.Tags) > 0 })
	s.out.Methods = nil
	for _, op := range s.ops {
		s.out.Methods = append(s.out.Methods, op.method)
	}
	s.out.Links = d.links(s.out, s.out.Links)
	s.out.Callbacks = slices.DeleteFunc(s.out.Callbacks, func(c *golang.Callback) bool { return !slices.Contains(s.out.Methods, c.From) })
}

// needed are those of all that methods name.
func needed(all []*golang.Security, methods []*golang.Method) []*golang.Security {
	return slices.DeleteFunc(slices.Clone(all), func(s *golang.Security) bool {
		return !slices.ContainsFunc(methods, func(m *golang.Method) bool { return m.Op.Security == s.Var })
	})
}
