package arch

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The compiler makes the methods of a generic type's instance in every package that
// names a type which has it as a field, in a field's field, or in the signature of a
// method. What all generated packages name must have none: it was a third of what
// building them cost.
func TestGeneratedPackagesCompileNoGenericTypesOfOurs(t *testing.T) {
	in := exported(t, module+"/runtime", module+"/runtime/stub", module+"/runtime/codec")
	for pkg, names := range map[string][]string{
		"runtime":       {"Conn", "Server", "Spec", "Call", "Error"},
		"runtime/stub":  {"Op", "Event", "Body", "Reply"},
		"runtime/codec": {"Type", "Field", "Rule"},
	} {
		p, err := in.Import(module + "/" + pkg)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			w := walker{t: t, seen: map[types.Type]bool{}}
			named := p.Scope().Lookup(name).Type().(*types.Named)
			w.insides(name, named)
		}
	}
}

// exported reads packages as the compiler does, from what the build left.
func exported(t *testing.T, pkgs ...string) types.Importer {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}}"}, pkgs...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 {
			files[f[0]] = f[1]
		}
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		data, err := os.ReadFile(files[path])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	})
}

// A walker follows all that a type is made of.
type walker struct {
	t    *testing.T
	seen map[types.Type]bool
}

func (w *walker) walk(path string, typ types.Type) {
	typ = types.Unalias(typ)
	if w.seen[typ] {
		return
	}
	w.seen[typ] = true
	switch x := typ.(type) {
	case *types.Named:
		if x.TypeArgs().Len() > 0 && x.NumMethods() > 0 {
			w.t.Errorf("%s is a %s: hide it behind an interface or in an atomic.Value", path, x)
			return
		}
		w.insides(path, x)
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels, maps
		w.walk(path, x.Elem())
		if m, ok := x.(*types.Map); ok {
			w.walk(path, m.Key())
		}
	case *types.Struct:
		for f := range x.Fields() {
			w.walk(path+"."+f.Name(), f.Type())
		}
	case *types.Signature:
		for _, tuple := range []*types.Tuple{x.Params(), x.Results()} {
			for v := range tuple.Variables() {
				w.walk(path+"()", v.Type())
			}
		}
	case *types.Interface:
		for m := range x.Methods() {
			w.walk(path+"."+m.Name(), m.Type())
		}
	}
}

// insides are a named type's own and its methods.
func (w *walker) insides(path string, x *types.Named) {
	w.walk(path, x.Underlying())
	for m := range x.Methods() {
		w.walk(path+"."+m.Name(), m.Type())
	}
}
