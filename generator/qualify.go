package generator

import (
	"maps"
	"reflect"

	"github.com/concordat-dev/concordat/templates/golang"
)

// qualify gives the packages of a contract their final form: what parts use of the root is
// qualified, and tables that they use are exported there. It returns the root first.
func (p *pass) qualify(parts []*part) []*golang.Package {
	if len(parts) == 0 {
		return []*golang.Package{p.out}
	}
	root := &qualifier{renamed: map[string]string{}}
	away := &qualifier{pkg: p.out.Path, renamed: root.renamed, declared: map[string]bool{}}
	tables := map[string]*golang.Table{}
	for _, d := range p.decls {
		away.declared[declName(d.decl)] = true
		if d.table != nil {
			tables[d.table.Var] = d.table
		}
	}
	var methods []*golang.Method
	for _, u := range p.out.Units {
		for _, s := range u.Services {
			methods = append(methods, s.Methods...)
		}
	}
	for _, s := range p.out.Schemes {
		away.declared[s.Var] = true
	}
	p.out.Security = needed(p.out.Security, methods)
	for _, part := range parts {
		eachReference(part.out, func(golang.Ref) {}, func(table string) { p.export(tables[table], root.renamed) })
	}
	if p.xml != nil && p.xml.schema.Var != "" {
		root.renamed[p.xml.schema.Var] = p.names.name(exported(p.xml.schema.Var))
	}
	out := []*golang.Package{root.of(p.out)}
	for _, part := range parts {
		part.out.Names = maps.Clone(p.out.Names)
		if part.out.Names == nil {
			part.out.Names = map[string]string{}
		}
		part.out.Names[p.out.Path] = p.out.Name
		out = append(out, away.of(part.out))
	}
	return out
}

// export gives a table of the root, nil for another's, a name that parts can use.
func (p *pass) export(t *golang.Table, renamed map[string]string) {
	if t == nil || renamed[t.Var] != "" {
		return
	}
	renamed[t.Var] = p.names.name(exported(t.Var))
	t.Doc = wrap(renamed[t.Var]+" says how a "+t.Of.Name+" is read and written, for the packages beside this one.", "")
}

// A qualifier copies a package, and qualifies on the way what another one declares.
type qualifier struct {
	pkg      string            // import path of that one; "" to qualify nothing
	declared map[string]bool   // what it declares, by name
	renamed  map[string]string // variables of tables that have another name now
	seen     map[pointee]reflect.Value
}

func (q *qualifier) of(p *golang.Package) *golang.Package {
	q.seen = map[pointee]reflect.Value{}
	return q.copy(reflect.ValueOf(p)).Interface().(*golang.Package)
}

// copy is a copy of v that shares nothing with it. What v shares, it shares, too.
func (q *qualifier) copy(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		return q.pointer(v)
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		return q.copy(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(q.copy(v.Index(i)))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			out.Field(i).Set(q.copy(v.Field(i)))
		}
		q.name(out.Addr().Interface())
		return out
	}
	return v
}

func (q *qualifier) pointer(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return v
	}
	if out, ok := q.seen[pointed(v)]; ok {
		return out
	}
	out := reflect.New(v.Type().Elem())
	q.seen[pointed(v)] = out
	out.Elem().Set(q.copy(v.Elem()))
	q.name(out.Interface())
	return out
}

// name qualifies what one copied struct names.
func (q *qualifier) name(copied any) {
	switch c := copied.(type) {
	case *golang.Ref:
		if c.Pkg == "" && q.declared[c.Name] {
			c.Pkg = q.pkg
		}
	case *golang.Requirement:
		if c.Pkg == "" && q.declared[c.Scheme] {
			c.Pkg = q.pkg
		}
	case *golang.Table:
		q.rename(&c.Var, new(string))
		q.rename(&c.Use, &c.Pkg)
	case *golang.XMLSchema:
		q.rename(&c.Var, new(string))
	case *golang.XMLFormat:
		q.rename(&c.Types, &c.Pkg)
	}
}

// rename gives a variable of the root its name, and the package that declares it.
func (q *qualifier) rename(name, pkg *string) {
	if now := q.renamed[*name]; now != "" {
		*name, *pkg = now, q.pkg
	}
}

// A pointee is what a pointer points to: a struct and its first field share an address.
type pointee struct {
	address uintptr
	is      reflect.Type
}

func pointed(v reflect.Value) pointee { return pointee{v.Pointer(), v.Type()} }

// eachReference calls ref and table with what v refers to: types, and tables by their
// variables.
func eachReference(v any, ref func(golang.Ref), table func(string)) {
	w := &referrer{ref, table, map[pointee]bool{}}
	w.walk(reflect.ValueOf(v))
}

type referrer struct {
	ref   func(golang.Ref)
	table func(string)
	seen  map[pointee]bool
}

func (w *referrer) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !w.seen[pointed(v)] {
			w.seen[pointed(v)] = true
			w.walk(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			w.walk(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			w.walk(v.Index(i))
		}
	case reflect.Struct:
		w.visit(v.Interface())
		for i := range v.NumField() {
			w.walk(v.Field(i))
		}
	}
}

func (w *referrer) visit(v any) {
	switch v := v.(type) {
	case golang.Ref:
		if v.Pkg == "" && v.Name != "" {
			w.ref(v)
		}
	case golang.Table:
		if v.Use != "" {
			w.table(v.Use)
		}
	}
}
