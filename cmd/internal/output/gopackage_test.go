package output

import (
	"path/filepath"
	"testing"
)

func TestPackageIn(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":         {nil, ""},
		"a person's":      {map[string]string{"doc.go": "// Package zoo.\npackage zoo\n"}, "zoo"},
		"ours":            {map[string]string{"a.concordat.go": by + "\npackage pets\n"}, ""},
		"a test":          {map[string]string{"a_test.go": "package zoo_test\n"}, ""},
		"a script":        {map[string]string{"gen.go": "//go:build ignore\n\npackage main\n", "doc.go": "package zoo\n"}, "zoo"},
		"no Go":           {map[string]string{"README.md": "package zoo\n", "broken.go": "pakcage zoo\n"}, ""},
		"below":           {map[string]string{"sub/doc.go": "package sub\n"}, ""},
		"ours and theirs": {map[string]string{"a.concordat.go": by + "\npackage pets\n", "z.go": "package zoo\n"}, "zoo"},
	} {
		dir := t.TempDir()
		for file, text := range c.files {
			write(t, filepath.Join(dir, filepath.FromSlash(file)), text)
		}
		if got := PackageIn(dir); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got := PackageIn(filepath.Join(t.TempDir(), "not", "yet")); got != "" {
		t.Errorf("a folder that does not exist holds %q", got)
	}
}
