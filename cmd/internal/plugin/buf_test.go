package plugin_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/parser"
)

const own = "github.com/concordat-dev/concordat"

// buf finds the real buf, which .ci/run installs.
func buf(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds plugins and what they generate")
	}
	bin, err := exec.LookPath("buf")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("buf is not installed; .ci/run does that")
	}
	if err != nil {
		t.Skip("buf is not installed")
	}
	return bin
}

// plugins builds protoc-gen-go and ours into a folder.
func plugins(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tool(t, "../../..", nil, "go", "build", "-o", dir+"/", "google.golang.org/protobuf/cmd/protoc-gen-go", "./cmd/protoc-gen-concordat")
	return dir
}

func tool(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// snapshot is the content of all files below dir.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// project is a module of its own with contracts in a buf workspace.
func project(t *testing.T, gen string) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"buf.yaml":                           "version: v2\nmodules:\n  - path: a\n  - path: b\n",
		"buf.gen.yaml":                       gen,
		"a/acme/pets/v1/pets.proto":          "syntax = \"proto3\";\npackage acme.pets.v1;\nimport \"acme/money/v1/money.proto\";\n\nmessage Pet {\n  acme.money.v1.Money price = 1;\n}\n\nservice Pets {\n  rpc Buy(Pet) returns (acme.money.v1.Money);\n  rpc Watch(Pet) returns (stream Pet);\n}\n",
		"a/acme/pets/v1/shelters.proto":      "syntax = \"proto2\";\npackage acme.pets.v1;\nimport \"acme/pets/v1/pets.proto\";\n\nmessage Shelter {\n  required string name = 1;\n  repeated group Room = 2 {\n    optional Pet pet = 1;\n  }\n}\n\nservice Shelters {\n  rpc Open(stream Shelter) returns (Shelter);\n}\n",
		"b/acme/money/v1/money.proto":        "edition = \"2023\";\npackage acme.money.v1;\n\nmessage Money {\n  int64 cents = 1;\n}\n",
		"b/acme/empty/v1/nothing_here.proto": "edition = \"2023\";\npackage acme.empty.v1;\n\nmessage Nothing {}\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.mod"), strings.Replace(string(mod), "module "+own, "module example.com/shop", 1)+
		"\nrequire "+own+" v0.0.0\n\nreplace "+own+" => "+root+"\n")
	write(t, filepath.Join(dir, "go.sum"), string(sum))
	return dir
}

const managed = `version: v2
managed:
  enabled: true
  override:
    - {file_option: go_package_prefix, value: example.com/shop/gen}
`

// Under buf, beside protoc-gen-go, what is generated compiles as it is, and is the same
// whenever it is; with messages=true it is the same again without protoc-gen-go.
func TestBufGenerate(t *testing.T) {
	bin := buf(t)
	env := []string{"PATH=" + plugins(t) + string(os.PathListSeparator) + os.Getenv("PATH"), "BUF_CACHE_DIR=" + t.TempDir()}
	generated := map[string]map[string]string{}
	for name, gen := range map[string]string{
		"beside": managed + "plugins:\n  - {local: protoc-gen-go, out: gen, opt: paths=source_relative}\n  - {local: protoc-gen-concordat, out: gen, opt: paths=source_relative}\n",
		"alone":  managed + "plugins:\n  - {local: protoc-gen-concordat, out: gen, opt: [paths=source_relative, messages=true], strategy: all}\n",
		"module": managed + "plugins:\n  - {local: protoc-gen-go, out: gen, opt: module=example.com/shop/gen}\n  - {local: protoc-gen-concordat, out: gen, opt: module=example.com/shop/gen}\n",
	} {
		dir := project(t, gen)
		tool(t, dir, env, bin, "generate")
		first := snapshot(t, filepath.Join(dir, "gen"))
		tool(t, dir, env, bin, "generate")
		if again := snapshot(t, filepath.Join(dir, "gen")); !same(again, first) {
			t.Errorf("%s: a second run differs", name)
		}
		generated[name] = first
		if name == "beside" {
			tool(t, dir, []string{"GOFLAGS=-mod=mod -trimpath", "GOPROXY=off", "GOWORK=off"}, "go", "vet", "./gen/...")
		}
	}
	for _, want := range []string{"acme/pets/v1/pets.concordat.go", "acme/pets/v1/pets.pb.go", "acme/pets/v1/petsv1test/pets.concordat.go", "acme/pets/v1/shelters.concordat.go"} {
		if generated["beside"][want] == "" {
			t.Errorf("no %s", want)
		}
	}
	for name, files := range generated {
		for file, text := range files {
			if want := generated["beside"][file]; want != text && stable(want) != stable(text) {
				t.Errorf("%s: %s differs\n%s\nfrom\n%s", name, file, text, want)
			}
		}
		if len(files) != len(generated["beside"]) {
			t.Errorf("%s: %d files, not %d", name, len(files), len(generated["beside"]))
		}
	}
}

// stable leaves out the version of protoc, which buf says to protoc-gen-go alone.
func stable(text string) string { return protocVersion.ReplaceAllString(text, "") }

var protocVersion = regexp.MustCompile(`(?m)^// \s*protoc .*$`)

func same(a, b map[string]string) bool {
	for name := range a {
		if a[name] != b[name] {
			return false
		}
	}
	return len(a) == len(b)
}

// What buf generates of our own contracts is what lies there, from concordat generate.
func TestBufGenerateOurOwn(t *testing.T) {
	bin := buf(t)
	dir := t.TempDir()
	tool(t, "../../..", nil, bin, "generate", "-o", dir)
	made := snapshot(t, dir)
	if len(made) < 3 {
		t.Fatal(len(made), "files")
	}
	for name, text := range made {
		there, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil || string(there) != text {
			t.Errorf("%s differs: %v", name, err)
		}
	}
}

// An image of buf is a contract: of its own files, with positions.
func TestBufImage(t *testing.T) {
	bin := buf(t)
	dir := project(t, managed)
	for _, name := range []string{"image.binpb", "image.binpb.gz"} {
		tool(t, dir, []string{"BUF_CACHE_DIR=" + t.TempDir()}, bin, "build", "--path", "a/acme", "-o", name)
		c, l := parser.Parse(t.Context(), []string{filepath.Join(dir, name)}, parser.Options{Read: os.ReadFile})
		if c == nil || l.HasErrors() {
			t.Fatal(name, l)
		}
		if got := strings.Join(c.Files, " "); got != "acme/pets/v1/pets.proto acme/pets/v1/shelters.proto" {
			t.Errorf("%s: %s", name, got)
		}
		if at := c.Services[0].Span; at.Line != 9 || at.Col != 9 {
			t.Errorf("%s: %+v", name, at)
		}
		if bytes.Contains(c.Descriptors, []byte{0xd2, 0xf6, 0x03}) { // field 8042
			t.Errorf("%s: the marks of buf are left in", name)
		}
	}
}
