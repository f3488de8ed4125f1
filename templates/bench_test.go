package templates

import (
	"fmt"
	"testing"

	"github.com/concordat-dev/concordat/templates/golang"
)

// large is a package like those of the largest public documents: about 1,000 operations
// and 3 MB of Go, in units by tag.
func large() *golang.Package {
	p := &golang.Package{Path: "example.com/large", Name: "large", Source: "large.yaml", Version: "v0.1.0", FakePath: "example.com/large/largetest", FakeName: "largetest"}
	for u := range 40 {
		p.Units = append(p.Units, largeUnit(u))
	}
	return p
}

func largeUnit(n int) *golang.Unit {
	u := &golang.Unit{Stem: fmt.Sprintf("tag%d", n)}
	svc := &golang.Service{Name: fmt.Sprintf("Tag%d", n), Wire: golang.REST, Client: fmt.Sprintf("Tag%dClient", n), New: fmt.Sprintf("NewTag%dClient", n),
		Register: fmt.Sprintf("RegisterTag%d", n), Fake: &golang.Fake{Name: fmt.Sprintf("Tag%d", n)}}
	for i := range 26 {
		name := fmt.Sprintf("Thing%d_%d", n, i)
		svc.Methods = append(svc.Methods, largeMethod(name))
		s, t := largeType(name)
		req, _ := largeType("Get" + name + "Request")
		u.Types, u.Tables = append(u.Types, s, req), append(u.Tables, t)
	}
	u.Services = []*golang.Service{svc}
	return u
}

func largeMethod(name string) *golang.Method {
	m := getCustomer()
	m.Name, m.Var, m.In, m.Out = "Get"+name, "get"+name, local("Get"+name+"Request"), local(name)
	m.Doc = []string{m.Name + " returns one thing, with whatever the document says of it at some length, as", "documents like to do.", "", "\tGET /things/{id}"}
	for i := range 4 {
		m.Op.Params = append(m.Op.Params, &golang.Param{Place: "Query", Explode: true, Field: &golang.TableField{
			Name: fmt.Sprintf("filter%d", i), Kind: "String", Owner: m.In.Name, GoField: fmt.Sprintf("Field%d", i), Flags: []string{"Ptr"}}})
	}
	m.Op.Replies[0].Body.Table = use("table" + name)
	return m
}

func largeType(name string) (*golang.Struct, *golang.Table) {
	s := &golang.Struct{Name: name, Doc: []string{name + " is one of many."}}
	t := object("table"+name, name)
	for i := range 5 {
		f := fmt.Sprintf("Field%d", i)
		s.Fields = append(s.Fields, &golang.Field{Name: f, Type: prefixed("*", "string"), Tag: `json:"` + f + `,omitzero"`, Doc: []string{f + " is described in a sentence."}})
		t.Fields = append(t.Fields, &golang.TableField{Name: f, Kind: "String", Owner: name, GoField: f, Flags: []string{"Ptr"}, Rules: &golang.Rule{MaxLen: "100"}})
	}
	return s, t
}

// BenchmarkEmit measures a whole emission, BenchmarkRender the part before formatting.
func BenchmarkEmit(b *testing.B) {
	p := large()
	for b.Loop() {
		files, err := Emit(p)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, f := range files {
			n += len(f.Content)
		}
		b.SetBytes(int64(n))
	}
}

func BenchmarkRender(b *testing.B) {
	p := large()
	for b.Loop() {
		for _, j := range jobs(p) {
			if _, err := j.file().Render(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
