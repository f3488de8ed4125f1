package plugin_test

import (
	"bytes"
	"errors"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/concordat-dev/concordat/cmd/internal/plugin"
	"github.com/concordat-dev/concordat/generator/messages"
	"github.com/concordat-dev/concordat/parser/protobuf"
)

// request is what protoc would send for files, made by our own parser.
func request(t *testing.T, parameter string, files ...string) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	dir := "../../../parser/protobuf/testdata"
	var paths []string
	for _, f := range files {
		paths = append(paths, dir+"/"+f)
	}
	c, l := protobuf.Parse(t.Context(), paths, []string{dir}, os.ReadFile)
	if c == nil || l.HasErrors() {
		t.Fatal("the samples do not parse")
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(c.Descriptors, &set); err != nil {
		t.Fatal(err)
	}
	return &pluginpb.CodeGeneratorRequest{FileToGenerate: c.Files, Parameter: &parameter, ProtoFile: set.File}
}

func run(t *testing.T, req *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, string) {
	t.Helper()
	raw, err := proto.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	if err := plugin.Run(t.Context(), bytes.NewReader(raw), &out, &log, "v0.0.0-test"); err != nil {
		t.Fatal(err)
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out.Bytes(), &resp); err != nil {
		t.Fatal(err)
	}
	return &resp, log.String()
}

func names(resp *pluginpb.CodeGeneratorResponse) (out []string) {
	for _, f := range resp.File {
		out = append(out, f.GetName())
	}
	slices.Sort(out)
	return out
}

func TestFilesGoWhereProtocGenGoPutsThem(t *testing.T) {
	for name, tc := range map[string]struct {
		parameter string
		files     []string
		want      []string
	}{
		"import path": {"", []string{"shop/v1/orders.proto"},
			[]string{"example.com/shop/gen/orders/orders.concordat.go", "example.com/shop/gen/orders/orderstest/orders.concordat.go"}},
		"module": {"module=example.com/shop", []string{"shop/v1/orders.proto", "shop/v1/stock.proto"},
			[]string{"gen/orders/orders.concordat.go", "gen/orders/orderstest/orders.concordat.go", "gen/stock/stock.concordat.go", "gen/stock/stocktest/stock.concordat.go"}},
		"source relative": {"paths=source_relative", []string{"shop/v1/orders.proto"},
			[]string{"shop/v1/orders.concordat.go", "shop/v1/orderstest/orders.concordat.go"}},
		"mapped": {"Mshop/v1/orders.proto=example.com/else/where;wherepb", []string{"shop/v1/orders.proto"},
			[]string{"example.com/else/where/orders.concordat.go", "example.com/else/where/wherepbtest/orders.concordat.go"}},
		"with messages": {"messages=true,module=example.com/shop", []string{"shop/v1/orders.proto"},
			[]string{"gen/orders/orders.concordat.go", "gen/orders/orders.pb.go", "gen/orders/orderstest/orders.concordat.go"}},
		"without messages, said aloud": {"messages=false,module=example.com/shop,paths=import", []string{"shop/v1/money.proto"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			resp, log := run(t, request(t, tc.parameter, tc.files...))
			if resp.Error != nil || log != "" {
				t.Fatal(resp.GetError(), log)
			}
			if got := names(resp); !slices.Equal(got, tc.want) {
				t.Errorf("got %q", got)
			}
			for _, f := range resp.File {
				if _, err := parser.ParseFile(token.NewFileSet(), f.GetName(), f.GetContent(), parser.SkipObjectResolution); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestFeatures(t *testing.T) {
	resp, _ := run(t, request(t, "", "shop/v1/stock.proto"))
	const optional, editions = 1, 2
	if resp.GetSupportedFeatures() != optional|editions || resp.GetMinimumEdition() > 1000 || resp.GetMaximumEdition() != 1001 {
		t.Errorf("features %d, editions %d to %d", resp.GetSupportedFeatures(), resp.GetMinimumEdition(), resp.GetMaximumEdition())
	}
}

func TestFaultsStandInTheResponse(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*pluginpb.CodeGeneratorRequest)
		want   string
	}{
		"unknown parameter":  {func(r *pluginpb.CodeGeneratorRequest) { r.Parameter = new("grpc=true") }, `unknown parameter "grpc=true"`},
		"unknown paths":      {func(r *pluginpb.CodeGeneratorRequest) { r.Parameter = new("paths=up") }, `unknown parameter "paths=up"`},
		"other module":       {func(r *pluginpb.CodeGeneratorRequest) { r.Parameter = new("messages=true,module=example.org") }, "does not match prefix"},
		"no descriptor":      {func(r *pluginpb.CodeGeneratorRequest) { r.FileToGenerate = []string{"no.proto"} }, "no descriptor of no.proto"},
		"nothing to do":      {func(r *pluginpb.CodeGeneratorRequest) { r.FileToGenerate = nil }, "no file was asked for"},
		"no go_package":      {func(r *pluginpb.CodeGeneratorRequest) { drop(r) }, "shop/v1/orders.proto: no Go package is known"},
		"broken descriptors": {func(r *pluginpb.CodeGeneratorRequest) { r.ProtoFile = r.ProtoFile[1:] }, `could not resolve import "google/protobuf/descriptor.proto"`},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(t, "module=example.com/shop", "shop/v1/orders.proto")
			tc.change(req)
			resp, _ := run(t, req)
			if !strings.Contains(resp.GetError(), tc.want) || len(resp.File) > 0 {
				t.Errorf("got %q and %d files", resp.GetError(), len(resp.File))
			}
		})
	}
}

func drop(r *pluginpb.CodeGeneratorRequest) {
	for _, f := range r.ProtoFile {
		if f.GetName() == "shop/v1/orders.proto" {
			f.Options.GoPackage = nil
		}
	}
}

func TestStreams(t *testing.T) {
	sad := errors.New("sad")
	if err := plugin.Run(t.Context(), iotest.ErrReader(sad), nil, nil, ""); !errors.Is(err, sad) {
		t.Error(err)
	}
	if err := plugin.Run(t.Context(), strings.NewReader("\xff"), nil, nil, ""); err == nil || !strings.Contains(err.Error(), "no request of protoc") {
		t.Error(err)
	}
}

// TestBinary speaks to the real plugin as protoc does, and builds what it and
// protoc-gen-go's generator write side by side.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go build")
	}
	bin := filepath.Join(t.TempDir(), "protoc-gen-concordat")
	build(t, "../../..", nil, "build", "-o", bin, "./cmd/protoc-gen-concordat")
	req := request(t, "module=example.com/shop", "shop/v1/orders.proto", "shop/v1/stock.proto", "shop/v1/money.proto")
	raw, err := proto.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin)
	cmd.Stdin = bytes.NewReader(raw)
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
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: req.ProtoFile})
	if err != nil {
		t.Fatal(err)
	}
	pbs, err := messages.Generate(set, req.FileToGenerate, messages.Options{Module: "example.com/shop"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range pbs {
		files[f.Name] = string(f.Content)
	}
	compile(t, files)
}

// compile builds files in a module that uses this one.
func compile(t *testing.T, files map[string]string) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const name = "github.com/concordat-dev/concordat"
	files["go.mod"] = strings.Replace(string(mod), "module "+name, "module example.com/shop", 1) +
		"\nrequire " + name + " v0.0.0\n\nreplace " + name + " => " + root + "\n"
	files["go.sum"] = string(sum)
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build(t, dir, []string{"GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off"}, "vet", "./...")
}

func build(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
}
