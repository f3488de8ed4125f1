package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A tool is one generator.
type tool struct {
	name   string
	binary string
	pkg    string // its main package
	dir    string // the module that it is built in
	args   func(d document, pkg, out string) []string
}

// The names of the sides; folders under gen and benchmarks are called the same.
const (
	concordat = "concordat"
	ogen      = "ogen"
	oapi      = "oapi-codegen"
	sonic     = "sonic" // no generator: only reads and writes JSON
)

// buildTools builds the generators into the user's cache: Concordat from this tree, the
// peers as go.mod pins them.
func buildTools(ctx context.Context) ([]tool, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	root := filepath.Join("..", "..")
	tools := []tool{
		{name: oapi, dir: ".", pkg: "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen", args: func(d document, pkg, out string) []string {
			return []string{"-config", "oapi.yaml", "-package", pkg, "-o", filepath.Join(out, pkg+".gen.go"), d.path}
		}},
		{name: concordat, dir: root, pkg: "./cmd/concordat", args: func(d document, pkg, out string) []string {
			return []string{"generate", "--package", pkg, "--out", out, d.path}
		}},
		{name: ogen, dir: ".", pkg: "github.com/ogen-go/ogen/cmd/ogen", args: func(d document, pkg, out string) []string {
			return []string{"-config", "ogen.yml", "-package", pkg, "-target", out, d.path}
		}},
	}
	for i := range tools {
		t := &tools[i]
		t.binary = filepath.Join(cache, "concordat-bench", "openapi", t.name)
		progress("go build %s", t.name)
		if _, out, err := measure(ctx, t.dir, "go", "build", "-o", t.binary, t.pkg); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", t.name, err, out)
		}
	}
	return tools, nil
}

// output is where the tool's code for a document goes, and pkg the Go package's name.
func (t tool) output(d document) (dir, pkg string) {
	pkg = strings.TrimSuffix(d.name, filepath.Ext(d.name))
	return filepath.Join("gen", t.name, pkg), pkg
}
