package messages_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/generator/messages"
	"github.com/concordat-dev/concordat/internal/corpus"
	"github.com/concordat-dev/concordat/parser/protobuf"
)

func parse(t testing.TB, files ...string) *contract.Contract {
	t.Helper()
	for i, f := range files {
		files[i] = "../../parser/protobuf/testdata/shop/v1/" + f
	}
	c, l := protobuf.Parse(t.Context(), files, nil, os.ReadFile)
	if l.HasErrors() || c == nil {
		for _, d := range l {
			t.Errorf("%+v", *d)
		}
		t.FailNow()
	}
	return c
}

// all are samples of every syntax: proto2, proto3, edition 2023 (hybrid API) and 2024
// (opaque API).
var all = []string{"legacy.proto", "money.proto", "orders.proto", "stock.proto"}

// real runs protoc-gen-go itself, built from the same version.
func real(t *testing.T, c *contract.Contract, param string) map[string]string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "protoc-gen-go")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "google.golang.org/protobuf/cmd/protoc-gen-go").CombinedOutput(); err != nil {
		t.Fatalf("protoc-gen-go does not build: %v\n%s", err, out)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(c.Descriptors, &set); err != nil {
		t.Fatal(err)
	}
	req, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{FileToGenerate: c.Files, Parameter: &param, ProtoFile: set.File})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin)
	cmd.Stdin = bytes.NewReader(req)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &resp); err != nil || resp.Error != nil {
		t.Fatal(err, resp.GetError())
	}
	files := map[string]string{}
	for _, f := range resp.File {
		files[f.GetName()] = f.GetContent()
	}
	return files
}

func TestSameBytesAsProtocGenGo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds protoc-gen-go")
	}
	c := parse(t, slices.Clone(all)...)
	want := real(t, c, "module=example.com/shop")
	got, err := messages.Generate(c.Descriptors, c.Files, messages.Options{Module: "example.com/shop"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || len(got) != 5 { // a hybrid API has two files
		t.Errorf("%d files, protoc-gen-go has %d", len(got), len(want))
	}
	for _, f := range got {
		if string(f.Content) != want[f.Name] {
			t.Errorf("%s: not what protoc-gen-go writes", f.Name)
		}
	}
}

// TestGeneratedGoCompiles builds the samples in a module of their own, with what the
// root module has already fetched.
func TestGeneratedGoCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go build")
	}
	c := parse(t, slices.Clone(all)...)
	files, err := messages.Generate(c.Descriptors, c.Files, messages.Options{Module: "example.com/shop"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files,
		messages.File{Name: "go.sum", Content: sums},
		messages.File{Name: "go.mod", Content: []byte("module example.com/shop\n\ngo 1.26.0\n\nrequire google.golang.org/protobuf v1.36.11\n")})
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tags := range []string{"", "protoopaque"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", tags, "./...")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestCorpus generates real contracts, byte for byte as protoc-gen-go does.
func TestCorpus(t *testing.T) {
	dir := filepath.ToSlash(corpus.Dir(t, "proto"))
	for _, name := range []string{"grpc", "opentelemetry", "temporal", "googleapis"} {
		t.Run(name, func(t *testing.T) {
			c := tree(t, dir+"/"+name, dir+"/googleapis")
			checkTaken(t, c, messages.Options{GoPackagePrefix: "example.com/gen"})
			if name != "temporal" || testing.Short() {
				return
			}
			got, err := messages.Generate(c.Descriptors, c.Files, messages.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := real(t, c, "")
			for _, f := range got {
				if want[f.Name] != string(f.Content) {
					t.Errorf("%s: not what protoc-gen-go writes", f.Name)
				}
			}
		})
	}
}

func tree(t *testing.T, roots ...string) *contract.Contract {
	t.Helper()
	var files []string
	err := filepath.WalkDir(roots[0], func(p string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(p, ".proto") {
			files = append(files, filepath.ToSlash(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c, l := protobuf.Parse(t.Context(), files, roots, os.ReadFile)
	if c == nil || l.HasErrors() {
		t.Fatalf("%s does not parse", roots[0])
	}
	return c
}

func TestTakenNamesHoldAllThatIsDeclared(t *testing.T) {
	c := parse(t, slices.Clone(all)...)
	checkTaken(t, c, messages.Options{SourceRelative: true})
}

func checkTaken(t *testing.T, c *contract.Contract, o messages.Options) {
	t.Helper()
	p, err := messages.New(c.Descriptors, c.Files, o)
	if err != nil {
		t.Fatal(err)
	}
	files, err := p.Generate()
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, f := range p.Files() {
		paths[f.Stem] = f.Path
	}
	for _, f := range files {
		stem := strings.TrimSuffix(strings.TrimSuffix(f.Name, ".pb.go"), "_protoopaque")
		taken := p.Taken(paths[stem])
		for _, name := range declared(t, f) {
			if !taken[name] {
				t.Errorf("%s declares %s, which is not known as taken", f.Name, name)
			}
		}
	}
}

func declared(t *testing.T, f messages.File) (names []string) {
	file, err := parser.ParseFile(token.NewFileSet(), f.Name, f.Content, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		d, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return !ast.IsExported(n) })
}

func TestPlan(t *testing.T) {
	c := parse(t, "orders.proto", "stock.proto")
	p, err := messages.New(c.Descriptors, c.Files, messages.Options{Module: "example.com/shop"})
	if err != nil {
		t.Fatal(err)
	}
	want := []messages.GoFile{
		{Source: "shop/v1/orders.proto", Path: "example.com/shop/gen/orders", Package: "orders", Stem: "gen/orders/orders"},
		{Source: "shop/v1/stock.proto", Path: "example.com/shop/gen/stock", Package: "stock", Stem: "gen/stock/stock"},
	}
	if got := p.Files(); !slices.Equal(got, want) {
		t.Errorf("files are %v", got)
	}
	for name, want := range map[string]messages.GoIdent{
		"shop.v1.Order":             {Name: "Order", Path: "example.com/shop/gen/orders"},
		"shop.v1.Order.Pickup":      {Name: "Order_Pickup", Path: "example.com/shop/gen/orders"},
		"shop.v1.Status":            {Name: "Status", Path: "example.com/shop/gen/orders"},
		"shop.v1.Money":             {Name: "Money", Path: "example.com/shop/gen/money"},
		"google.protobuf.Timestamp": {Name: "Timestamp", Path: "google.golang.org/protobuf/types/known/timestamppb"},
	} {
		if got, ok := p.Ident(name); !ok || got != want {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
	if _, ok := p.Ident("shop.v1.Nothing"); ok {
		t.Error("a message that does not exist has a name")
	}
	if f, ok := p.File("google/protobuf/timestamp.proto"); !ok || f.Package != "timestamppb" {
		t.Errorf("timestamp.proto is in %v", f)
	}
}

// bare is a file without a go_package that imports another.
func bare(t *testing.T) *contract.Contract {
	t.Helper()
	texts := map[string]string{
		"acme/pets/v1/pets.proto": `edition = "2023"; package acme.pets.v1; import "acme/food.proto"; message Pet { acme.Food food = 1; }`,
		"acme/food.proto":         `edition = "2023"; package acme; message Food {}`,
	}
	c, l := protobuf.Parse(t.Context(), []string{"acme/pets/v1/pets.proto"}, []string{"."}, func(name string) ([]byte, error) {
		if s, ok := texts[name]; ok {
			return []byte(s), nil
		}
		return nil, os.ErrNotExist
	})
	if c == nil || l.HasErrors() {
		t.Fatal(l)
	}
	return c
}

func TestGoPackages(t *testing.T) {
	c := bare(t)
	for name, tc := range map[string]struct {
		opts    messages.Options
		path    string
		pkg     string
		out     string
		wantErr string
	}{
		"none":            {wantErr: "acme/food.proto: no Go package is known"},
		"prefix":          {opts: messages.Options{GoPackagePrefix: "example.com/gen"}, path: "example.com/gen/acme/pets/v1", pkg: "petsv1", out: "example.com/gen/acme/pets/v1/pets.pb.go"},
		"prefix, module":  {opts: messages.Options{GoPackagePrefix: "example.com/gen", Module: "example.com"}, path: "example.com/gen/acme/pets/v1", pkg: "petsv1", out: "gen/acme/pets/v1/pets.pb.go"},
		"source relative": {opts: messages.Options{GoPackagePrefix: "example.com/gen", SourceRelative: true}, path: "example.com/gen/acme/pets/v1", pkg: "petsv1", out: "acme/pets/v1/pets.pb.go"},
		"mapped": {opts: messages.Options{GoPackagePrefix: "example.com/gen", Mapping: map[string]string{"acme/pets/v1/pets.proto": "example.com/zoo;petspb"}},
			path: "example.com/zoo", pkg: "petspb", out: "example.com/zoo/pets.pb.go"},
		"outside the module": {opts: messages.Options{GoPackagePrefix: "example.com/gen", Module: "example.org"}, wantErr: "does not match prefix"},
		"both ways":          {opts: messages.Options{GoPackagePrefix: "example.com/gen", Module: "example.com", SourceRelative: true}, wantErr: "module= with paths=source_relative"},
		"comma":              {opts: messages.Options{GoPackagePrefix: "example.com/a,b"}, wantErr: "a comma"},
		"no path":            {opts: messages.Options{GoPackagePrefix: "gen", Mapping: map[string]string{"acme/food.proto": "food"}}, wantErr: "invalid Go import path"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := messages.New(c.Descriptors, c.Files, tc.opts)
			var files []messages.File
			if err == nil {
				files, err = p.Generate()
			}
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v, want one line with %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			f := p.Files()[0]
			if f.Path != tc.path || f.Package != tc.pkg || len(files) != 1 || files[0].Name != tc.out || f.Stem+".pb.go" != tc.out {
				t.Errorf("got %+v, %v", f, files[0].Name)
			}
		})
	}
}

func TestBadDescriptors(t *testing.T) {
	if _, err := messages.Generate([]byte("\xff\xff"), []string{"a.proto"}, messages.Options{}); err == nil {
		t.Error("rubbish was understood")
	}
	if _, err := messages.Generate(nil, []string{"a.proto"}, messages.Options{}); err == nil {
		t.Error("a file that does not exist was generated")
	}
}
