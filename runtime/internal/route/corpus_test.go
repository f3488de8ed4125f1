package route

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	corpora "github.com/concordat-dev/concordat/internal/corpus"
)

// corpus is where public documents lie that are too large to be kept here.
func corpus(t testing.TB) string {
	t.Helper()
	return corpora.Dir(t, "openapi")
}

// routes returns "METHOD /template" of every operation of a document.
func routes(t testing.TB, file string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]any `json:"paths" yaml:"paths"`
	}
	if filepath.Ext(file) == ".json" {
		err = json.Unmarshal(data, &doc)
	} else {
		err = yaml.Unmarshal(data, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for template, item := range doc.Paths {
		for method := range item {
			switch method = strings.ToUpper(method); method {
			case "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE":
				all = append(all, method+" "+template)
			}
		}
	}
	return all
}

// fill replaces each parameter of template.
func fill(template, with string) string {
	for _, name := range Names(template) {
		template = strings.Replace(template, "{"+name+"}", with, 1)
	}
	return template
}

func TestEveryPathOfTheCorpusFindsItself(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t), "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no documents", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all := routes(t, file)
			m := build(t, all...)
			for _, r := range all {
				method, template, _ := strings.Cut(r, " ")
				for _, value := range []string{"q7", "a b%2F.x", "%E2%82%AC"} {
					got, values, ok := m.Lookup(method, fill(template, value), nil)
					if !ok || got != r || len(values) != len(Names(template)) {
						t.Errorf("%s with %q finds %q %q", r, value, got, values)
					}
				}
			}
			t.Logf("%d operations", len(all))
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	all := routes(b, filepath.Join(corpus(b), "github.json"))
	m := build(b, all...)
	type request struct{ method, path string }
	var requests []request
	for _, r := range all {
		method, template, _ := strings.Cut(r, " ")
		requests = append(requests, request{method, fill(template, "value")})
	}
	params := make([]string, 0, 16)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r := &requests[i]
		if i++; i == len(requests) {
			i = 0
		}
		if _, _, ok := m.Lookup(r.method, r.path, params); !ok {
			b.Fatal(r)
		}
	}
	b.ReportMetric(float64(len(all)), "routes")
}
