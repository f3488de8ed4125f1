package openapi_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	corpora "github.com/concordat-dev/concordat/internal/corpus"
	"github.com/concordat-dev/concordat/parser/openapi"
)

// corpus returns the folder of real documents, or skips the test.
func corpus(t testing.TB) string {
	t.Helper()
	return corpora.Dir(t, "openapi")
}

// faults are the true faults of the corpus: how many errors of which code.
var faults = map[string]map[string]int{
	"superset.json": {"unused-parameter": 1},
}

func TestCorpus(t *testing.T) {
	dir := corpus(t)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(f.Name(), func(t *testing.T) {
			name := filepath.Join(dir, f.Name())
			c, diags := openapi.Parse(t.Context(), name, os.ReadFile)
			if c == nil {
				t.Fatalf("nothing understood: %s", show(diags))
			}
			errors := map[string]int{}
			for _, d := range diags {
				if d.Severity == diag.Error {
					errors[d.Code]++
				}
			}
			if want := faults[f.Name()]; fmt.Sprint(errors) != fmt.Sprint(want) {
				t.Errorf("errors %v, want %v\n%s", errors, want, show(diags))
			}
			want := operationsIn(t, name)
			var got []string
			for _, op := range c.Services[0].Operations {
				h := op.Wire.(*contract.HTTP)
				got = append(got, h.Method+" "+h.Path)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%d operations, want %d", len(got), len(want))
			}
			complete(t, c)
		})
	}
}

// operationsIn counts operations without our own reader.
func operationsIn(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]any `json:"paths" yaml:"paths"`
	}
	if filepath.Ext(name) == ".json" {
		err = json.Unmarshal(data, &doc)
	} else {
		err = yaml.Unmarshal(data, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for path, item := range doc.Paths {
		for method := range item {
			switch method {
			case "get", "put", "post", "delete", "options", "head", "patch", "trace":
				all = append(all, fmt.Sprintf("%s %s", upper(method), path))
			}
		}
	}
	slices.Sort(all)
	return all
}

// complete asserts what holds of every contract: names are unique, and everything that a
// diagnostic or a review may point at has a place.
func complete(t *testing.T, c *contract.Contract) {
	t.Helper()
	seen := map[string]bool{}
	for _, op := range c.Services[0].Operations {
		if op.Name == "" || seen[op.Name] {
			t.Errorf("operation name %q is empty or taken", op.Name)
		}
		seen[op.Name] = true
		placed(t, op.Name, op.Span)
		for _, p := range op.Wire.(*contract.HTTP).Params {
			placed(t, op.Name+" "+p.Name, p.Span)
			if p.Schema == nil || p.Style == "" || p.In == "path" && !p.Required {
				t.Errorf("%s: parameter %s is incomplete", op.Name, p.Name)
			}
		}
		for _, f := range op.Out {
			placed(t, op.Name+" "+f.Status, f.Span)
		}
		for _, f := range op.Failures {
			placed(t, op.Name+" "+f.Status, f.Span)
		}
	}
	for _, typ := range c.Types {
		placed(t, typ.Name, typ.Span)
		if typ.Name == "" || typ.Schema == nil || contract.Resolve(typ.Schema) == nil {
			t.Errorf("type %q at %s has no schema", typ.Name, typ.Span.Path)
		}
	}
}

func placed(t *testing.T, what string, s contract.Span) {
	t.Helper()
	if s.File == "" || s.Line < 1 || s.Col < 1 || s.EndLine < s.Line || s.EndLine == s.Line && s.EndCol < s.Col || s.Path == "" {
		t.Errorf("%s has no place: %+v", what, s)
	}
}

func BenchmarkGitHub(b *testing.B) {
	name := filepath.Join(corpus(b), "github.json")
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		c, _ := openapi.Parse(b.Context(), name, os.ReadFile)
		if c == nil {
			b.Fatal("nothing understood")
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-kept")
		runtime.KeepAlive(c)
	}
}
