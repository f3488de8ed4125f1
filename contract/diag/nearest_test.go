package diag

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"contracts", "version", "operationId", "out", "in", "spec", "package", "imports"}
	for s, want := range map[string]string{
		"contract": "contracts", "verson": "version", "operationID": "operationId", "oit": "out",
		"zebra": "", "": "", "o": "", strings.Repeat("version", 100): "", "VERSION": "version",
		"output": "out", "specs": "spec", "pakcage": "package", "import": "imports", "pack": "package", "ou": "out", "spek": "spec", "ni": "in", "otu": "out",
	} {
		if got := Nearest(s, names); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}
