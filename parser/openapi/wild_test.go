package openapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/parser/openapi"
)

// TestWild holds what real documents do, whatever the specification says: each file of
// testdata/wild shows some habits of public APIs, its golden the contract and the findings
// that they give.
func TestWild(t *testing.T) {
	all, err := filepath.Glob("testdata/wild/*")
	if err != nil || len(all) < 25 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	for _, name := range all {
		if filepath.Ext(name) == ".golden" {
			continue
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			c, diags := openapi.Parse(t.Context(), filepath.ToSlash(name), os.ReadFile)
			if c == nil {
				t.Fatalf("nothing understood: %s", show(diags))
			}
			golden(t, strings.TrimSuffix(name, filepath.Ext(name))+".golden", c, diags)
			sound(t, name, c, diags)
		})
	}
}
