package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"syscall"
)

// A Module is the Go module that a directory belongs to.
type Module struct {
	Path string // as go.mod declares it
	Dir  string // absolute
	Text []byte // of go.mod
}

var moduleLine = regexp.MustCompile(`(?m)^module[ \t]+"?([^\s"]+)"?`)

// A NoModuleError says that a directory belongs to no Go module.
type NoModuleError struct{ Dir string }

func (e *NoModuleError) Error() string {
	return fmt.Sprintf("%s is in no Go module; run `go mod init NAME` in your project first", e.Dir)
}

// FindModule looks for go.mod in dir, which need not exist yet, and in the folders above
// it. Errors are of the file system, or *NoModuleError.
func FindModule(dir string) (*Module, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for d := abs; ; d = filepath.Dir(d) {
		text, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil {
			m := moduleLine.FindSubmatch(text)
			if m == nil {
				return nil, fmt.Errorf("%s declares no module", filepath.Join(d, "go.mod"))
			}
			return &Module{Path: string(m[1]), Dir: d, Text: text}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.ENOTDIR) {
			return nil, err
		}
		if d == filepath.Dir(d) {
			return nil, &NoModuleError{dir}
		}
	}
}

// ImportPath returns the import path of dir, which lies in the module.
func (m *Module) ImportPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(m.Dir, abs)
	if err != nil {
		return "", err
	}
	return path.Join(m.Path, filepath.ToSlash(rel)), nil
}

// Holds says whether the absolute name lies in the module's directory.
func (m *Module) Holds(name string) bool {
	rel, err := filepath.Rel(m.Dir, name)
	return err == nil && filepath.IsLocal(rel)
}

// Requires says whether go.mod names module p, or is p's own.
func (m *Module) Requires(p string) bool {
	if m.Path == p {
		return true
	}
	return regexp.MustCompile(`(?m)^\s*(require\s+)?` + regexp.QuoteMeta(p) + `\s+v`).Match(m.Text)
}
