package templates

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/templates/golang"
)

// TestSamplesCompile vets what the templates print against the real runtime, in a module
// like a user's, and runs the printed tests.
func TestSamplesCompile(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir := t.TempDir()
	writeModule(t, dir)
	for _, p := range []*golang.Package{users(), activity(), edges(), orders()} {
		files, err := Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			write(t, filepath.Join(dir, p.Name, f.Name), string(f.Content))
		}
	}
	write(t, filepath.Join(dir, "users/roundtrip_test.go"), roundTrip)
	write(t, filepath.Join(dir, "gen/retail/orders/v1/messages.go"), messages)
	cmd := exec.Command("go", "test", "-vet=all", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// messages stand in for what protoc-gen-go prints: the stubs ask no more of a message
// than to be a protobuf message.
const messages = `package pb

import "google.golang.org/protobuf/types/known/emptypb"

type (
	GetRequest     = emptypb.Empty
	GetResponse    = emptypb.Empty
	WatchRequest   = emptypb.Empty
	WatchResponse  = emptypb.Empty
	ImportRequest  = emptypb.Empty
	ImportResponse = emptypb.Empty
	ChatRequest    = emptypb.Empty
	ChatResponse   = emptypb.Empty
)
`

// writeModule writes a go.mod whose requirements are ours, so that nothing is looked up.
func writeModule(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	const ours = "github.com/concordat-dev/concordat"
	mod := strings.Replace(read(t, filepath.Join(root, "go.mod")), "module "+ours, "module example.com/shop", 1)
	mod += "\nrequire " + ours + " v0.0.0\n\nrequire example.com/gen v0.0.0\n\nreplace (\n\t" + ours + " => " + root +
		"\n\texample.com/gen => ./gen\n)\n"
	write(t, filepath.Join(dir, "go.mod"), mod)
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(root, "go.sum")))
	write(t, filepath.Join(dir, "gen/go.mod"), "module example.com/gen\n")
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
