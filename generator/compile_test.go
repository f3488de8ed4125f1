package generator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/generator"
)

// A module is a throwaway Go module that generated packages are written to. It uses the
// runtime of this tree.
type module struct{ dir string }

const modulePath = "example.com/generated"

func newModule(t *testing.T) *module {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	m := &module{dir: t.TempDir()}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	const own = "github.com/concordat-dev/concordat"
	text := strings.Replace(string(mod), "module "+own, "module "+modulePath, 1) +
		"\nrequire " + own + " v0.0.0\n\nreplace " + own + " => " + root + "\n"
	m.write(t, "go.mod", []byte(text))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "go.sum", sum)
	return m
}

func (m *module) write(t *testing.T, name string, content []byte) {
	t.Helper()
	file := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// add writes files below a folder and returns their text by name.
func (m *module) add(t *testing.T, dir string, files []generator.File) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range files {
		m.write(t, dir+"/"+f.Name, f.Content)
		out[f.Name] = string(f.Content)
	}
	return out
}

// run runs the go command in the module and fails the test with its output. Without paths
// in them, packages that did not change since the last run need not be compiled again.
func (m *module) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		text := string(out)
		if len(text) > 6000 {
			text = text[:6000] + "\n…"
		}
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, text)
	}
}
