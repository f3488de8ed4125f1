package asyncapi

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"

	corpora "github.com/concordat-dev/concordat/internal/corpus"
)

// corpus is where contracts lie that others wrote; see DESIGN. It is no part of the module.
func corpus(t *testing.T) string {
	t.Helper()
	return corpora.Dir(t, "asyncapi")
}

// TestCorpus reads every real document, with as many operations as plain YAML shows.
func TestCorpus(t *testing.T) {
	root := corpus(t)
	read := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte("asyncapi")) {
			return err
		}
		var doc map[string]any
		if yaml.Unmarshal(data, &doc) != nil || doc["asyncapi"] == nil {
			return nil
		}
		name, _ := filepath.Rel(root, path)
		read++
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			want := count(doc)
			c, ds := Parse(t.Context(), filepath.ToSlash(path), os.ReadFile)
			for _, d := range ds.Sorted() {
				t.Logf("%v %s", d.Severity, show(d))
				if d.Span.Line == 0 || d.Span.Col == 0 {
					t.Errorf("no place: %s", show(d))
				}
			}
			if c == nil {
				t.Fatal("no contract")
			}
			if got := len(operations(c)); got != want || want == 0 {
				t.Errorf("%d operations, want %d", got, want)
			}
			for _, o := range operations(c) {
				if o.In == nil || o.Span.Line == 0 || !strings.HasPrefix(o.Span.Path, "#/") {
					t.Errorf("operation %s: message %v, span %+v", o.Name, o.In, o.Span)
				}
			}
			if err := contract.Dump(&bytes.Buffer{}, c); err != nil {
				t.Error(err)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 15 {
		t.Errorf("the corpus has %d documents; it should have more", read)
	}
}

// count counts operations without any of the code under test.
func count(doc map[string]any) int {
	if ops, ok := doc["operations"].(map[string]any); ok {
		return len(ops)
	}
	n := 0
	channels, _ := doc["channels"].(map[string]any)
	for _, c := range channels {
		item, _ := c.(map[string]any)
		for _, verb := range []string{"publish", "subscribe"} {
			if item[verb] != nil {
				n++
			}
		}
	}
	return n
}
