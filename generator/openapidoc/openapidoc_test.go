package openapidoc_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/generator/openapidoc"
	"github.com/concordat-dev/concordat/parser"
)

var update = flag.Bool("update", false, "write the golden file")

const contracts = "../../internal/library/contracts/"

func parse(t *testing.T, name string) *contract.Contract {
	t.Helper()
	c, l := parser.Parse(t.Context(), []string{name}, parser.Options{Read: os.ReadFile})
	if c == nil || l.HasErrors() {
		t.Fatal(name, l)
	}
	return c
}

// The document of the library is the one that internal/library/rest is generated from,
// whose client calls the routes (TestClient there).
func TestEmit(t *testing.T) {
	got, l := openapidoc.Emit(parse(t, contracts+"library.proto"))
	if l.HasErrors() || len(l) != 1 || l[0].Code != "not-generated" { // PURGE
		t.Fatal(l)
	}
	if *update {
		if err := os.WriteFile(contracts+"library.openapi.yaml", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(contracts + "library.openapi.yaml")
	if err != nil || string(got) != string(want) {
		t.Errorf("the document differs (%v); go test -update rewrites it", err)
	}
}

// Our own parser reads the document without a finding, and finds every route.
func TestOurParserReadsIt(t *testing.T) {
	c, l := parser.Parse(t.Context(), []string{contracts + "library.openapi.yaml"}, parser.Options{Read: os.ReadFile})
	for _, d := range l {
		t.Errorf("%s:%d: %s [%s]", d.Span.File, d.Span.Line, d.Message, d.Code)
	}
	var all []string
	for _, s := range c.Services {
		for _, op := range s.Operations {
			h := op.Wire.(*contract.HTTP)
			all = append(all, h.Method+" "+h.Path)
		}
	}
	for _, want := range []string{"GET /v1/shelves/{shelf}/books/{book}", "GET /v1/books:byName", "POST /v1/shelves/{shelf}/books/{book}:move", "GET /v1/pages/{path}", "GET /v1/shelves/{shelf}:watch"} {
		if !strings.Contains(strings.Join(all, "\n")+"\n", want+"\n") {
			t.Errorf("no %s in\n%s", want, strings.Join(all, "\n"))
		}
	}
}

func TestNothingToEmit(t *testing.T) {
	for name, code := range map[string]string{"../../testdata/contracts/vets.proto": "no-routes", "../../testdata/contracts/pets.yaml": "not-protobuf"} {
		if out, l := openapidoc.Emit(parse(t, name)); out != nil || len(l) != 1 || l[0].Code != code {
			t.Error(name, l)
		}
	}
}
