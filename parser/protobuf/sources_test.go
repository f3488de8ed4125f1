package protobuf

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestRoots holds by which names files are known, which is what imports and generated
// code call them, for trees as people keep them.
func TestRoots(t *testing.T) {
	const pets = "syntax = \"proto3\"; package acme.pets.v1; import \"acme/food.proto\"; message P { acme.Food f = 1; }"
	const food = "syntax = \"proto3\"; package acme; message Food {}"
	for name, tc := range map[string]struct {
		tree  map[string]string
		files []string
		roots []string
		want  []string
		found string // code of the finding that is expected
	}{
		"package is the path": {
			tree:  map[string]string{"proto/acme/pets/v1/pets.proto": pets, "proto/acme/food.proto": food},
			files: []string{"proto/acme/pets/v1/pets.proto", "proto/acme/food.proto"},
			want:  []string{"acme/pets/v1/pets.proto", "acme/food.proto"}},
		"imports say it where the package does not": {
			tree:  map[string]string{"api/x/pets.proto": strings.Replace(pets, "acme/food", "x/food", 1), "api/x/food.proto": food},
			files: []string{"api/x/pets.proto", "api/x/food.proto"},
			want:  []string{"x/pets.proto", "x/food.proto"}},
		"nothing says it: the nearest that holds all": {
			tree:  map[string]string{"api/x/a.proto": head3, "api/b.proto": "syntax = \"proto3\"; package b;"},
			files: []string{"api/x/a.proto", "api/b.proto"},
			want:  []string{"x/a.proto", "b.proto"}},
		"imported by another name than was inferred": {
			tree:  map[string]string{"p/a.proto": "syntax = \"proto3\"; package a; import \"b.proto\"; message A { b.B b = 1; }", "p/b.proto": "syntax = \"proto3\"; package b; message B {}", "q/c.proto": "syntax = \"proto3\"; package c;"},
			files: []string{"p/b.proto", "p/a.proto", "q/c.proto"},
			want:  []string{"b.proto", "a.proto", "q/c.proto"}},
		"deep inside the tree": {
			tree:  map[string]string{"v1/pets.proto": pets, "../../acme/pets/v1/pets.proto": pets, "../../acme/food.proto": food},
			files: []string{"v1/pets.proto"},
			want:  []string{"acme/pets/v1/pets.proto"}},
		"absolute": {
			tree:  map[string]string{"/src/proto/acme/pets/v1/pets.proto": pets, "/src/proto/acme/food.proto": food},
			files: []string{"/src/proto/acme/pets/v1/pets.proto"},
			want:  []string{"acme/pets/v1/pets.proto"}},
		"import paths come first": {
			tree:  map[string]string{"proto/acme/pets/v1/pets.proto": pets, "vendored/acme/food.proto": food},
			files: []string{"proto/acme/pets/v1/pets.proto"}, roots: []string{"./proto/", "vendored"},
			want: []string{"acme/pets/v1/pets.proto"}},
		"import paths that do not hold the file": {
			tree:  map[string]string{"proto/acme/pets/v1/pets.proto": pets, "vendored/acme/food.proto": food},
			files: []string{"proto/acme/pets/v1/pets.proto"}, roots: []string{"vendored"},
			want: []string{"acme/pets/v1/pets.proto"}},
		"the same file twice": {
			tree:  map[string]string{"a.proto": head3},
			files: []string{"a.proto", "a.proto"},
			want:  []string{"a.proto"}},
		"two files of one name": {
			tree:  map[string]string{"x/a.proto": head3, "y/a.proto": head3},
			files: []string{"x/a.proto", "y/a.proto"}, roots: []string{"x", "y"},
			want: []string{"a.proto"}, found: "duplicate-file"},
		"the built-in ones are not looked for": {
			tree:  map[string]string{"a.proto": head3 + "import \"google/protobuf/empty.proto\"; message M { google.protobuf.Empty e = 1; }", "google/protobuf/empty.proto": "rubbish"},
			files: []string{"a.proto"},
			want:  []string{"a.proto"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, l := Parse(t.Context(), tc.files, tc.roots, func(name string) ([]byte, error) {
				if s, ok := tc.tree[path.Clean(name)]; ok {
					return []byte(s), nil
				}
				return nil, os.ErrNotExist
			})
			if got := show(l); c == nil || !strings.Contains(got, tc.found) || tc.found == "" && got != "" {
				t.Fatalf("found\n%s", got)
			}
			if !slices.Equal(c.Files, tc.want) {
				t.Errorf("files %v, want %v", c.Files, tc.want)
			}
			if c.Source != tc.files[0] {
				t.Errorf("shown as %s", c.Source)
			}
		})
	}
}
