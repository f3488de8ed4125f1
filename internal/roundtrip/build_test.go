package roundtrip_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/generator"
	corpora "github.com/concordat-dev/concordat/internal/corpus"
	"github.com/concordat-dev/concordat/parser"
)

const (
	own = "github.com/concordat-dev/concordat"
	// modulePath lies below our own, so that it may import what is internal.
	modulePath = own + "/generated"
)

// A bench is a throwaway module of generated packages, and one test that calls them all:
// a single program, since linking takes longer than calling.
type bench struct {
	dir     string
	imports []string
	tests   []string
	checks  []string // packages with a test of their own
}

func newBench(t *testing.T) *bench {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{dir: t.TempDir()}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(mod), "module "+own, "module "+modulePath, 1) +
		"\nrequire " + own + " v0.0.0\n\nreplace " + own + " => " + root + "\n"
	b.write(t, "go.mod", []byte(text))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "go.sum", sum)
	return b
}

func (b *bench) write(t *testing.T, name string, data []byte) {
	t.Helper()
	file := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// add generates a contract and the calls of its services. what says where it comes from.
func (b *bench) add(t *testing.T, what string, files, imports []string) {
	t.Helper()
	c, _ := parser.Parse(context.Background(), files, parser.Options{Read: os.ReadFile, ImportPaths: imports})
	if c == nil {
		t.Fatalf("%s: no contract", what)
	}
	stem := regexp.MustCompile(`[^a-z0-9]`).ReplaceAllString(strings.ToLower(what), "")
	out, diags := generator.Generate(t.Context(), c, generator.Options{ImportPath: modulePath + "/" + stem, Source: what})
	if diags.HasErrors() {
		for _, d := range diags {
			t.Errorf("%s: %s %s:%d %s", what, d.Code, d.Span.File, d.Span.Line, d.Message)
		}
	}
	if check, err := os.ReadFile("checks/" + stem + ".go.txt"); err == nil {
		b.write(t, stem+"/check_test.go", check)
		b.checks = append(b.checks, "./"+stem)
	}
	byDir := map[string]*generated{}
	for _, f := range out {
		b.write(t, stem+"/"+f.Name, f.Content)
		dir := filepath.ToSlash(filepath.Dir(f.Name))
		if byDir[dir] == nil {
			byDir[dir] = newGenerated()
		}
		byDir[dir].read(string(f.Content))
	}
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		b.calls(t, what, stem, dir, byDir, c, files)
	}
}

// generated is what the Go of one package says about itself.
type generated struct {
	name      string
	ops       map[string]map[string]string // by client and method: the Op
	registers map[string]string            // by interface
	clients   map[string]string            // by interface
	news      map[string]string            // by client
	on        map[string]map[string]string // by fake and method: the field
	fakes     []string
	tables    []string
}

func newGenerated() *generated {
	return &generated{ops: map[string]map[string]string{}, registers: map[string]string{}, clients: map[string]string{},
		news: map[string]string{}, on: map[string]map[string]string{}}
}

var (
	packageClause = regexp.MustCompile(`(?m)^package (\w+)`)
	clientMethod  = regexp.MustCompile(`(?m)^func \([cp] \*(\w+)\) (\w+)\(.*\{\n\treturn \w+\.\w+\(ctx, [cp]\.conn, &(\w+), `)
	fakeMethod    = regexp.MustCompile(`(?m)^func \(f (\w+)\) (\w+)\((?:.|\n)*?\n\treturn f\.(\w+)\(ctx`)
	registerFunc  = regexp.MustCompile(`(?m)^func (\w+)\(s \*concordat\.Server, impl (\w+)\)`)
	implemented   = regexp.MustCompile(`(?m)^var _ (\w+) = \(\*(\w+)\)\(nil\)`)
	newFunc       = regexp.MustCompile(`(?m)^func (\w+)\(conn \*concordat\.Conn\) \*(\w+)`)
	fakeOf        = regexp.MustCompile(`(?m)^var _ \w+\.(\w+) = (\w+)\{\}`)
	tabled        = regexp.MustCompile(`(?m)^func \(\*(\w+)\) ConcordatTable`)
)

func (g *generated) read(text string) {
	if m := packageClause.FindStringSubmatch(text); m != nil {
		g.name = m[1]
	}
	set := func(to map[string]map[string]string, m []string) {
		if to[m[1]] == nil {
			to[m[1]] = map[string]string{}
		}
		to[m[1]][m[2]] = m[3]
	}
	for _, m := range clientMethod.FindAllStringSubmatch(text, -1) {
		set(g.ops, m)
	}
	for _, m := range fakeMethod.FindAllStringSubmatch(text, -1) {
		set(g.on, m)
	}
	for _, m := range registerFunc.FindAllStringSubmatch(text, -1) {
		g.registers[m[2]] = m[1]
	}
	for _, m := range implemented.FindAllStringSubmatch(text, -1) {
		g.clients[m[1]] = m[2]
	}
	for _, m := range newFunc.FindAllStringSubmatch(text, -1) {
		g.news[m[2]] = m[1]
	}
	for _, m := range fakeOf.FindAllStringSubmatch(text, -1) {
		g.fakes = append(g.fakes, m[1]+" "+m[2])
	}
	for _, m := range tabled.FindAllStringSubmatch(text, -1) {
		g.tables = append(g.tables, m[1])
	}
}

// draws is how often each operation is called, and each type is judged: CONCORDAT_DRAWS,
// or what is enough for every day.
func draws() int {
	n, _ := strconv.Atoi(os.Getenv("CONCORDAT_DRAWS"))
	return n
}

// calls writes what the test needs of the package in dir whose fakes are beside or below.
func (b *bench) calls(t *testing.T, what, stem, dir string, all map[string]*generated, c *contract.Contract, files []string) {
	g := all[dir]
	if len(g.clients) == 0 {
		return
	}
	fakeDir := filepath.ToSlash(filepath.Join(dir, g.name+"test"))
	fake := all[fakeDir]
	if fake == nil {
		t.Fatalf("%s: no fakes in %s", what, fakeDir)
	}
	var export strings.Builder
	fmt.Fprintf(&export, "package %s\n\nvar RoundtripOps = map[string]map[string]any{\n", g.name)
	for _, client := range slices.Sorted(maps.Keys(g.ops)) {
		fmt.Fprintf(&export, "%q: {\n", client)
		for _, method := range slices.Sorted(maps.Keys(g.ops[client])) {
			fmt.Fprintf(&export, "%q: &%s,\n", method, g.ops[client][method])
		}
		export.WriteString("},\n")
	}
	export.WriteString("}\n\nvar RoundtripTypes = map[string]any{\n")
	for _, name := range g.tables {
		fmt.Fprintf(&export, "%q: (*%s)(nil),\n", name, name)
	}
	export.WriteString("}\n")
	b.write(t, stem+"/"+dir+"/roundtrip_export.go", formatted(t, export.String()))

	n := len(b.imports)
	path := modulePath + "/" + strings.TrimSuffix(stem+"/"+dir, "/.")
	b.imports = append(b.imports, fmt.Sprintf("p%d %q", n, path), fmt.Sprintf("f%d %q", n, path+"/"+g.name+"test"))
	family := map[contract.Format]string{contract.OpenAPI: "REST", contract.AsyncAPI: "Events", contract.Protobuf: "RPC"}[c.Format]
	var body strings.Builder
	judge := ""
	if c.Format == contract.OpenAPI {
		file := fmt.Sprintf("roundtrip/doc%d.json", n)
		b.write(t, file, document(t, files[0]))
		judge = fmt.Sprintf("Document: data(t, %q), ", filepath.Base(file))
	}
	for _, pair := range fake.fakes {
		name, impl, _ := strings.Cut(pair, " ")
		client := g.clients[name]
		fmt.Fprintf(&body, "t.Run(%q, func(t *testing.T) { roundtrip.%s(t, roundtrip.Service{Ops: p%d.RoundtripOps[%q], On: %#v, Fake: f%d.%s{}, Register: p%d.%s, New: p%d.%s, %sDraws: %d}) })\n",
			name, family, n, client, fake.on[impl], n, impl, n, g.registers[name], n, g.news[client], judge, draws())
	}
	if c.Format == contract.OpenAPI {
		file := fmt.Sprintf("roundtrip/doc%d.json", n)
		fmt.Fprintf(&body, "t.Run(\"types\", func(t *testing.T) { roundtrip.Judge(t, p%d.RoundtripTypes, document(t, %q), \"components/schemas\", %d, %t) })\n", n, filepath.Base(file), draws(), strings.HasPrefix(what, "rules"))
	}
	b.tests = append(b.tests, fmt.Sprintf("func Test_%s_%d(t *testing.T) {\n%s}\n", stem, n, body.String()))
}

// document is an OpenAPI document as JSON.
func document(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if json.Valid(data) {
		return data
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(plain(v))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// plain makes every key a string, as YAML does not: statuses are numbers there.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = plain(x)
		}
	case map[any]any:
		out := map[string]any{}
		for k, x := range v {
			out[fmt.Sprint(k)] = plain(x)
		}
		return out
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

func formatted(t *testing.T, src string) []byte {
	t.Helper()
	out, err := format.Source([]byte(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return out
}

// run builds and runs all of it.
func (b *bench) run(t *testing.T) {
	t.Helper()
	src := "package roundtrip_test\n\nimport (\n\"encoding/json\"\n\"os\"\n\"testing\"\n\n\"" + own + "/internal/roundtrip\"\n" +
		strings.Join(b.imports, "\n") + "\n)\n\n" + strings.Join(b.tests, "\n") + `
func data(t *testing.T, file string) []byte {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func document(t *testing.T, file string) (v map[string]any) {
	if err := json.Unmarshal(data(t, file), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

var _ = document
var _ roundtrip.Service
`
	b.write(t, "roundtrip/all_test.go", formatted(t, src))
	if dir := os.Getenv("CONCORDAT_KEEP"); dir != "" {
		if err := os.CopyFS(dir, os.DirFS(b.dir)); err != nil {
			t.Error(err)
		}
	}
	args := []string{"test", "-trimpath", "-vet=off"}
	if testing.Verbose() {
		args = append(args, "-v")
	}
	cmd := exec.Command("go", append(append(args, "./roundtrip"), b.checks...)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("%s", bytes.TrimSpace(out))
	}
	if err != nil {
		t.Errorf("go test: %v", err)
	}
}

// corpus is the folder of real contracts, which are not part of this tree.
func corpus(t *testing.T) string {
	t.Helper()
	return corpora.Dir(t)
}

func protos(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".proto") && !strings.Contains(p, "google/protobuf/") {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
