package templates

import (
	"bytes"
	"flag"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

var update = flag.Bool("update", false, "write the golden files")

// shows are the samples that the comments of the templates show.
func shows() map[string][]block.Code {
	p, s := users(), usersService()
	one := func(c block.Code) []block.Code { return []block.Code{c} }
	return map[string][]block.Code{
		"Version":         one(Version()),
		"Interface":       one(Interface(s)),
		"Client":          one(Client(s)),
		"Implemented":     one(Implemented(s)),
		"New":             one(New(s)),
		"ClientMethod":    one(ClientMethod(s, getCustomer())),
		"Register":        one(Register(s)),
		"Ops":             one(Ops(s, s.Methods)),
		"Type":            Type(&golang.Named{Name: "CustomerID", Type: local("string")}),
		"Struct":          Struct(customer()),
		"Named":           Named(tags()),
		"Enum":            Enum(status()),
		"Union":           one(Union(p.Units[0].Types[len(p.Units[0].Types)-3].(*golang.Union))),
		"Table":           one(Table(customerTable())),
		"XMLSchema":       one(XMLSchema(customerXML())),
		"TableMethods":    one(TableMethods(customerTable())),
		"Scheme":          one(Scheme(apiKey())),
		"Policies":        one(Policies(&golang.Policies{Name: "Policies", Doc: []string{"Policies is what concordat.yaml says of calls."}, Text: `{"operations":{"GetCustomer":{"timeout":"250ms"}}}`})),
		"Security":        one(Security(securities())),
		"Fake":            one(Fake(p, s)),
		"Faked":           one(Faked(p, s)),
		"FakeMethod":      one(FakeMethod(p, s, getCustomer())),
		"Checks":          one(Checks(&golang.Unit{Stem: "users", Tables: []*golang.Table{customerTable()}, Services: []*golang.Service{{Wire: golang.REST, Methods: []*golang.Method{getCustomer()}}}})),
		"AllPages":        one(AllPages(s, listCustomers())),
		"Link":            one(Link(link())),
		"CallbackURL":     one(CallbackURL(callback())),
		"ServerURL":       one(ServerURL(&golang.Server{Name: "ServerURL", Doc: []string{"ServerURL is a server that the contract names."}, URL: "https://api.example.com/v1"})),
		"ServerVariables": one(ServerVariables(regional())),
	}
}

// TestComments checks that the comment of every template shows what the template prints.
func TestComments(t *testing.T) {
	samples := shows()
	for name, doc := range templateDocs(t) {
		t.Run(name, func(t *testing.T) {
			code, ok := samples[name]
			if !ok {
				t.Fatal("no sample in shows")
			}
			if got, want := render(t, code), shown(t, doc); got != want {
				t.Errorf("prints\n%s\nshows\n%s", got, want)
			}
		})
	}
}

// templateDocs returns the comments of all exported functions that print, by name.
func templateDocs(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && prints(fn) {
				docs[fn.Name.Name] = fn.Doc.Text()
			}
		}
	}
	return docs
}

func prints(fn *ast.FuncDecl) bool {
	if !fn.Name.IsExported() || fn.Recv != nil || fn.Type.Results == nil {
		return false
	}
	result := fn.Type.Results.List[0].Type
	if list, ok := result.(*ast.ArrayType); ok {
		result = list.Elt
	}
	sel, ok := result.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Code"
}

// shown is the Go in a comment, formatted, since a comment cannot hold every alignment.
func shown(t *testing.T, doc string) string {
	var b strings.Builder
	for l := range strings.Lines(doc) {
		if s, ok := strings.CutPrefix(l, "\t"); ok {
			b.WriteString(s)
		} else if strings.TrimSpace(l) == "" {
			b.WriteString("\n")
		}
	}
	out, err := format.Source([]byte(b.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	return strings.TrimSpace(string(out))
}

func render(t *testing.T, decls []block.Code) string {
	t.Helper()
	f := newFile(users(), Place{Path: "example.com/shop/sample", Name: "sample"})
	f.Decls = decls
	src, err := f.Source()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(src), "package sample\n")
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "import (") {
		_, rest, _ = strings.Cut(rest, ")\n")
	} else if strings.HasPrefix(rest, "import ") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	return strings.TrimSpace(rest)
}

// TestEmit compares whole packages with the files under testdata, one directory each.
func TestEmit(t *testing.T) {
	for _, p := range []*golang.Package{users(), orders(), activity(), edges()} {
		t.Run(p.Name, func(t *testing.T) {
			files, err := Emit(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				golden(t, filepath.Join("testdata", p.Name, f.Name+".golden"), f.Content)
			}
			if again, err := Emit(p); err != nil || len(again) != len(files) || !bytes.Equal(again[0].Content, files[0].Content) {
				t.Error("a second run differs")
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		write(t, name, string(got))
		return
	}
	if want := read(t, name); want != string(got) {
		t.Errorf("%s differs; go test -update rewrites it, git diff shows how", name)
	}
}
