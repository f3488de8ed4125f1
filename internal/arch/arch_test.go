package arch

import (
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/concordat-dev/concordat"

// may is the map of the house: what each package may import from this module, tests
// aside. "x/..." allows x and everything below it. A package that is absent, or an
// import that is, fails the test: change the map and say why in the commit.
var may = map[string][]string{
	"contract":      {},
	"contract/diag": {"contract"},

	"parser":                     {"contract", "contract/diag", "parser/openapi", "parser/asyncapi", "parser/protobuf", "parser/internal/node", "parser/internal/workspace"},
	"parser/openapi":             {"contract", "contract/diag", "parser/internal/..."},
	"parser/asyncapi":            {"contract", "contract/diag", "parser/internal/...", "parser/protobuf"},
	"parser/protobuf":            {"contract", "contract/diag"},
	"parser/internal/node":       {"contract", "contract/diag"},
	"parser/internal/workspace":  {"contract", "contract/diag"},
	"parser/internal/swagger":    {"contract/diag", "parser/internal/node"},
	"parser/internal/jsonpath":   {"parser/internal/node"},
	"parser/internal/overlay":    {"contract/diag", "parser/internal/jsonpath", "parser/internal/node"},
	"parser/internal/avro":       {"contract", "contract/diag", "parser/internal/node"},
	"parser/remote":              {},
	"parser/internal/jsonschema": {"contract", "contract/diag", "parser/internal/node"},

	"generator":            {"contract", "contract/diag", "generator/messages", "templates", "templates/golang"},
	"generator/messages":   {},
	"generator/openapidoc": {"contract", "contract/diag"},
	"templates":            {"templates/golang", "templates/block"},
	"templates/golang":     {},
	"templates/block":      {"templates/golang"},

	"cmd/concordat":            {"cmd/internal/cli"},
	"cmd/protoc-gen-concordat": {"cmd/internal/plugin"},
	"cmd/internal/cli":         {"cmd/internal/config", "cmd/internal/output", "contract", "contract/diag", "parser", "parser/remote", "generator", "generator/openapidoc", "runtime/tlsconf/devca"},
	"cmd/internal/config":      {"contract", "contract/diag", "runtime"},
	"cmd/internal/output":      {},
	"cmd/internal/plugin":      {"contract", "contract/diag", "parser/protobuf", "generator", "generator/messages"},

	"runtime":                            {"runtime/auth", "runtime/broker", "runtime/broker/dedup", "runtime/codec/...", "runtime/discovery/...", "runtime/internal/...", "runtime/policy/...", "runtime/tlsconf"},
	"runtime/codec":                      {},
	"runtime/codec/...":                  {"runtime/codec"},
	"runtime/tlsconf":                    {},
	"runtime/tlsconf/devca":              {"runtime/tlsconf"},
	"runtime/tlsconf/spiffe":             {"runtime/tlsconf"},
	"runtime/discovery":                  {"runtime/discovery/internal/pace"},
	"runtime/discovery/...":              {"runtime/discovery", "runtime/discovery/internal/...", "runtime/tlsconf"},
	"runtime/policy/...":                 {"runtime/policy/...", "runtime/discovery"},
	"runtime/internal/...":               {},
	"runtime/auth":                       {},
	"runtime/auth/...":                   {"runtime/auth", "runtime/auth/internal/web", "runtime/tlsconf"},
	"runtime/broker":                     {},
	"runtime/broker/...":                 {"runtime/broker", "runtime/tlsconf"},
	"runtime/broker/kafka":               {"runtime/auth", "runtime/broker", "runtime/tlsconf"},
	"runtime/broker/redis":               {"runtime/auth", "runtime/broker", "runtime/tlsconf"},
	"runtime/broker/dedup/...":           {"runtime/broker", "runtime/broker/dedup", "runtime/broker/memory"},
	"runtime/broker/http":                {"runtime", "runtime/auth", "runtime/broker", "runtime/internal/sse"},
	"runtime/outbox":                     {"runtime/broker"},
	"runtime/outbox/...":                 {"runtime/broker", "runtime/broker/memory", "runtime/outbox"},
	"internal/outboxkill":                {"runtime/broker", "runtime/broker/...", "runtime/outbox"},
	"runtime/stub":                       {"runtime", "runtime/auth", "runtime/broker", "runtime/codec/...", "runtime/internal/..."},
	"runtime/stub/rpc/internal/healthpb": {},
	"runtime/stub/rpc":                   {"runtime", "runtime/auth", "runtime/codec/protobuf", "runtime/stub", "runtime/stub/rpc/internal/...", "runtime/internal/..."},
	"runtime/engine/grpc":                {"runtime", "runtime/auth", "runtime/codec/protobuf", "runtime/policy/deadline", "runtime/stub/rpc"},
	"runtime/registries":                 {"runtime", "runtime/discovery", "runtime/discovery/...", "runtime/tlsconf"},
	"runtime/concordattest":              {"runtime", "runtime/tlsconf/..."},

	"examples/...":          {"runtime", "runtime/...", "examples/..."},
	"internal/...":          {},
	"internal/interop/...":  {"runtime", "runtime/..."},
	"internal/callfaults":   {"runtime", "runtime/discovery", "runtime/discovery/...", "runtime/policy/admit", "runtime/stub/rpc", "runtime/tlsconf", "runtime/tlsconf/devca", "internal/registries"},
	"internal/sim":          {"runtime/policy/..."},
	"internal/sim/...":      {"internal/sim"},
	"internal/roundtrip":    {"runtime", "runtime/auth", "runtime/codec/...", "runtime/stub", "runtime/broker/memory", "runtime/concordattest"},
	"internal/brokerfaults": {"internal/rabbit", "runtime/broker", "runtime/broker/..."},

	"runtime/stub/rpc/transcode": {"runtime", "runtime/stub/rpc"},
	"runtime/stub/rpc/validate":  {"runtime"},

	"internal/library":                         {"internal/library/library", "runtime"},
	"internal/library/library":                 {"runtime", "runtime/stub", "runtime/stub/rpc/..."},
	"internal/library/rest":                    {"runtime", "runtime/codec/...", "runtime/stub"},
	"internal/library/rest/libraryopenapitest": {"internal/library/rest", "runtime", "runtime/stub"},
	"internal/library/library/libraryv1test":   {"internal/library/library", "runtime", "runtime/stub"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		pkg := strings.TrimPrefix(f[0], module+"/")
		allowed, ok := rule(pkg)
		if !ok {
			t.Errorf("%s is not on the map", pkg)
		}
		for _, imp := range f[1:] {
			if imp, ours := strings.CutPrefix(imp, module+"/"); ours && !slices.ContainsFunc(allowed, func(p string) bool { return matches(p, imp) }) {
				t.Errorf("%s may not import %s", pkg, imp)
			}
		}
	}
}

// rule finds the entry of pkg: its own, or that of the nearest folder with "/...", its
// own folder first.
func rule(pkg string) ([]string, bool) {
	if r, ok := may[pkg]; ok {
		return r, true
	}
	for d := pkg; d != "."; d = path.Dir(d) {
		if r, ok := may[d+"/..."]; ok {
			return r, true
		}
	}
	return nil, false
}

func matches(pattern, pkg string) bool {
	base, tree := strings.CutSuffix(pattern, "/...")
	return base == pkg || tree && strings.HasPrefix(pkg, base+"/")
}

// The map must not outlive what it describes.
func TestMapNamesOnlyWhatExists(t *testing.T) {
	out, err := exec.Command("go", "list", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	pkgs := strings.Fields(strings.ReplaceAll(string(out), module+"/", ""))
	for entry := range may {
		if !slices.ContainsFunc(pkgs, func(p string) bool { return matches(entry, p) }) {
			t.Errorf("%s is on the map, but there is no such package", entry)
		}
	}
}

// linked is what a program that imports pkg links, outside the standard library.
func linked(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"/"+pkg).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// What a service links is a promise: REST brings in nothing but ourselves, one broker
// brings in no other, and nothing at run time brings in the compiler.
func TestWhatServicesLink(t *testing.T) {
	checkLinks(t, map[string][]string{
		"runtime/stub":          {"google.golang.org/", "connectrpc.com/", "github.com/nats-io/", "github.com/eclipse/", "gopkg.in/", "golang.org/x/"},
		"runtime/stub/rpc":      {"github.com/nats-io/", "github.com/eclipse/", "google.golang.org/grpc", "gopkg.in/"},
		"runtime/broker/nats":   {"github.com/eclipse/", "connectrpc.com/", "github.com/nats-io/nats-server", "google.golang.org/"},
		"runtime/broker/mqtt":   {"github.com/nats-io/", "connectrpc.com/", "github.com/mochi-mqtt/", "google.golang.org/"},
		"runtime/broker/amqp":   {"github.com/nats-io/", "github.com/eclipse/", "connectrpc.com/", "google.golang.org/"},
		"runtime/broker/kafka":  {"github.com/nats-io/", "github.com/eclipse/", "github.com/redis/", "connectrpc.com/", "google.golang.org/", "github.com/twmb/franz-go/pkg/kfake"},
		"runtime/broker/redis":  {"github.com/nats-io/", "github.com/eclipse/", "github.com/twmb/", "connectrpc.com/", "google.golang.org/", "github.com/alicebob/"},
		"runtime/broker/memory": {"github.com/nats-io/", "github.com/eclipse/", "connectrpc.com/", "google.golang.org/"},
		"examples/vault/vault":  {"google.golang.org/", "connectrpc.com/", "github.com/", "gopkg.in/", "golang.org/x/"},
		"runtime/auth/oauth":    {"google.golang.org/", "connectrpc.com/", "github.com/", "gopkg.in/", "cloud.google.com/"},
		"runtime/auth/oidc":     {"google.golang.org/", "connectrpc.com/", "gopkg.in/", "cloud.google.com/"},
		"examples/retail/users": {"google.golang.org/", "connectrpc.com/", "github.com/", "gopkg.in/"},

		// A contract with google.api.http links no expression language.
		"runtime/stub/rpc/transcode": {"github.com/", "cel.dev/", "buf.build/", "google.golang.org/grpc", "google.golang.org/genproto"},
	})
}

// checkLinks fails for packages that link what they should not, or the compiler.
func checkLinks(t *testing.T, by map[string][]string) {
	t.Helper()
	for pkg, alien := range by {
		for _, dep := range linked(t, pkg) {
			compiler := []string{module + "/parser", module + "/generator", module + "/templates", module + "/contract", module + "/cmd"}
			for _, a := range append(alien, compiler...) {
				if strings.HasPrefix(dep, a) && !strings.HasPrefix(dep, module+"/runtime") && !strings.HasPrefix(dep, module+"/examples") {
					t.Errorf("%s links %s", pkg, dep)
				}
			}
		}
	}
}

// A package says what it is for, and one of the library what it may import.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Name}}\t{{.Dir}}", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		pkg := strings.TrimPrefix(f[0], module+"/")
		if strings.HasPrefix(pkg, "examples/") || strings.HasPrefix(pkg, "internal/library/") || f[1] == "main" {
			continue
		}
		if doc := packageDoc(t, f[2]); !strings.Contains(doc, "It imports ") {
			t.Errorf("the comment of %s does not say what it imports", pkg)
		}
	}
}

func packageDoc(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var doc strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		doc.WriteString(strings.Join(strings.Fields(f.Doc.Text()), " "))
	}
	return doc.String()
}
