package generator

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// An edge is a field that holds a struct by value.
type edge struct {
	from, to string // names of structs
	field    *golang.Field
	line     *golang.TableField
}

// newStruct places a struct and its table, both empty.
func (p *pass) newStruct(name string) (*golang.Struct, *golang.Table) {
	st := &golang.Struct{Name: name}
	tab := &golang.Table{Var: p.tableVar(name), Kind: "Object", Of: &golang.Ref{Name: name}, Methods: true}
	p.place(st, tab)
	return st, tab
}

func structHeld(st *golang.Struct, tab *golang.Table) *held {
	return &held{ref: golang.Ref{Name: st.Name}, kind: "Object", table: &golang.Table{Use: tab.Var}, value: st.Name, decl: st, base: "Object"}
}

// fill gives a struct its fields and its table its lines.
func (p *pass) fill(o *contract.Object, st *golang.Struct, tab *golang.Table) {
	names := fieldScope()
	seen := make(map[string]bool, len(o.Fields))
	tags := p.tags[o]
	for _, f := range o.Fields {
		if seen[f.Name] {
			continue
		}
		seen[f.Name] = true
		p.within(f.Span, func() {
			if tag, ok := tags[f.Name].only(); ok && canBe(f.Schema, tag) {
				tab.Fields = append(tab.Fields, constant(f.Name, strconv.Quote(tag), true))
			} else {
				p.field(o, f, names, st, tab)
			}
		})
	}
	p.missingTags(o, seen, names, st, tab)
	p.extra(o, names, st, tab)
	tab.Closed = o.Closed
	tab.Rules = p.sizeRule(&o.Rules)
	tab.Required = required(tab.Fields)
}

func required(lines []*golang.TableField) int {
	n := 0
	for _, l := range lines {
		for _, f := range l.Flags {
			if f == "Req" {
				n++
			}
		}
	}
	return n
}

// constant is the line of a property that can have only one value.
func constant(name, json string, required bool) *golang.TableField {
	l := &golang.TableField{Name: name, Kind: "Const", Table: &golang.Table{Kind: "Const", Const: json}}
	if required {
		l.Flags = []string{"Req"}
	}
	return l
}

// field adds a property to a struct and to its table.
func (p *pass) field(o *contract.Object, f *contract.Field, names *scope, st *golang.Struct, tab *golang.Table) {
	if c, ok := constOf(f.Schema); ok && (!f.Nullable || c == "null") {
		tab.Fields = append(tab.Fields, constant(f.Name, c, f.Required))
		return
	}
	name := names.name(exported(cmp.Or(f.GoName, f.Name)), "Value")
	var h *held
	if p.forms[o] {
		h = file(f.Schema)
	}
	if content := p.eventData(o, f); content != nil {
		h = p.hold(content, st.Name+name)
	}
	if h == nil {
		h = p.hold(f.Schema, st.Name+name)
	}
	g, line := p.member(f, name, h, st.Name)
	g.Tag = jsonTag(f.Name, f.Required)
	if text := defaultOf(f, h); text != "" && p.requests[o] {
		tab.Defaults = append(tab.Defaults, golang.TableDefault{Field: len(tab.Fields), JSON: text})
	}
	st.Fields = append(st.Fields, g)
	tab.Fields = append(tab.Fields, line)
}

// member is a field of a struct and its line in a table.
func (p *pass) member(f *contract.Field, name string, h *held, owner string) (*golang.Field, *golang.TableField) {
	ref, flags := h.field(f.Required, f.Nullable)
	if f.ReadOnly {
		flags = append(flags, "ReadOnly")
	}
	if f.WriteOnly {
		flags = append(flags, "WriteOnly")
	}
	g := &golang.Field{Name: name, Doc: fieldDoc(f.Doc), Type: ref, Comment: remarks(f)}
	if len(g.Doc) == 1 && g.Comment == "" && len(g.Doc[0]) <= 60 {
		g.Comment, g.Doc = strings.TrimSuffix(g.Doc[0], "."), nil
	}
	line := h.line(f.Name, owner, name, flags)
	if h.value != "" && (h.kind == "Object" || h.kind == "Tuple") {
		p.edges = append(p.edges, edge{owner, h.value, g, line})
	}
	return g, line
}

// constOf is the one value that a schema allows, as JSON.
func constOf(s contract.Schema) (string, bool) {
	if a, ok := contract.Resolve(s).(*contract.Any); ok && a.Const != nil {
		return *a.Const, true
	}
	sc, ok := contract.Resolve(s).(*contract.Scalar)
	if !ok {
		return "", false
	}
	if sc.Kind == contract.Null {
		return "null", true
	}
	if sc.Const != nil {
		return *sc.Const, true
	}
	return "", false
}

// canBe says whether a property may be the string tag.
func canBe(s contract.Schema, tag string) bool {
	switch s := contract.Resolve(s).(type) {
	case *contract.Scalar:
		return s.Kind == contract.String && (s.Const == nil || *s.Const == strconv.Quote(tag))
	case *contract.Enum:
		for _, v := range s.Values {
			if v.JSON == strconv.Quote(tag) {
				return true
			}
		}
	}
	return false
}

// missingTags adds the properties by which unions tell an object apart, where the object
// itself does not have them.
func (p *pass) missingTags(o *contract.Object, seen map[string]bool, names *scope, st *golang.Struct, tab *golang.Table) {
	for _, prop := range sortedKeys(p.tags[o]) {
		if seen[prop] {
			continue
		}
		t := p.tags[o][prop]
		if tag, ok := t.only(); ok {
			tab.Fields = append(tab.Fields, constant(prop, strconv.Quote(tag), true))
			continue
		}
		p.field(o, &contract.Field{Name: prop, Schema: &contract.Scalar{Kind: contract.String}, Required: true,
			Doc: contract.Doc{Summary: "One of " + strings.Join(t.all(), ", ") + "."}}, names, st, tab)
	}
}

// extra adds the map of the properties that the object does not name.
func (p *pass) extra(o *contract.Object, names *scope, st *golang.Struct, tab *golang.Table) {
	for _, form := range o.Pattern {
		p.formed(form, names, st, tab)
	}
	value := o.Extra
	if value == nil {
		return
	}
	name := names.name("AdditionalProperties", "Map")
	h := p.mapped(value, o.NullExtra, contract.Rules{}, st.Name+"Property")
	st.Fields = append(st.Fields, &golang.Field{Name: name, Type: h.ref, Tag: `json:"-"`, Comment: "the properties without a field of their own"})
	tab.Extra, tab.ExtraOf = h.table, name
}

// jsonTag is the struct tag of a property; "" where no tag can hold the name.
func jsonTag(name string, required bool) string {
	for _, r := range name {
		if r == ',' || r == '"' || r == '\\' || r == '`' || r == '\'' || unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ""
		}
	}
	switch {
	case name == "":
		return ""
	case !required:
		return `json:"` + name + `,omitzero"`
	case name == "-":
		return `json:"-,"`
	}
	return `json:"` + name + `"`
}
