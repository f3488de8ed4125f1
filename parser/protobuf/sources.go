package protobuf

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// maxBytes is the largest .proto file that is read, in bytes: the largest public one has
// about four and a half million.
const maxBytes = 16 << 20

var errTooLarge = errors.New("larger than 16 MB")

// sources finds and keeps the text of files. A file has a path, by which it is read and
// shown, and a name, by which others import it.
type sources struct {
	mu    sync.Mutex // the compiler opens files from several goroutines
	read  func(string) ([]byte, error)
	texts map[string]text   // by path
	roots []string          // in which imports are looked for
	paths map[string]string // name -> path of the files asked for
}

type text struct {
	data []byte
	err  error
}

func newSources(read func(string) ([]byte, error)) *sources {
	return &sources{read: read, texts: map[string]text{}, paths: map[string]string{}}
}

// load returns the text of the file at p.
func (s *sources) load(p string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.texts[p]
	if !ok {
		t.data, t.err = s.read(p)
		if t.err == nil && len(t.data) > maxBytes {
			t = text{err: errTooLarge}
		}
		s.texts[p] = t
	}
	return t.data, t.err
}

// find returns the path and text of the file that others import by name. The error wraps
// fs.ErrNotExist where no root has it.
func (s *sources) find(name string) (string, []byte, error) {
	if p, ok := s.paths[name]; ok {
		data, err := s.load(p)
		return p, data, err
	}
	for _, root := range s.roots {
		p := path.Join(root, name)
		data, err := s.load(p)
		if err == nil || errors.Is(err, errTooLarge) {
			return p, data, err
		}
	}
	return "", nil, fs.ErrNotExist
}

// display returns the path of a file as people know it.
func (s *sources) display(name string) string {
	if p, _, err := s.find(name); err == nil {
		return p
	}
	return name
}

// asked says whether the file at p was asked for, rather than imported.
func (s *sources) asked(p string) bool {
	for _, given := range s.paths {
		if given == p {
			return true
		}
	}
	return false
}

// arrange reads files, decides on roots and names, and returns the names.
func (s *sources) arrange(l *diag.List, files, importPaths []string) []string {
	for _, p := range importPaths {
		s.addRoot(path.Clean(p))
	}
	var asked []*source
	for _, file := range files {
		if f := s.open(l, file); f != nil {
			asked = append(asked, f)
		}
	}
	for _, f := range asked {
		if !f.under(importPaths) {
			s.infer(f, asked)
		}
		s.addRoot(f.root)
	}
	s.reconcile(asked)
	return s.register(l, asked)
}

func (s *sources) addRoot(root string) {
	if !slices.Contains(s.roots, root) {
		s.roots = append(s.roots, root)
	}
}

// A source is a file that was asked for.
type source struct {
	path       string
	data       []byte
	imports    []string
	pkg        string // as a path: "acme/pets/v1"
	root, name string
}

func (s *sources) open(l *diag.List, file string) *source {
	data, err := s.load(file)
	at := contract.Span{File: file}
	switch {
	case errors.Is(err, errTooLarge):
		l.Errorf("too-large", at, "the file is %v", err)
	case errors.Is(err, fs.ErrNotExist):
		l.Errorf("missing-file", at, "there is no such file")
	case err != nil:
		l.Errorf("unreadable-file", at, "the file cannot be read: %v", err)
	default:
		f := &source{path: file, data: data}
		f.imports, f.pkg = skim(data)
		return f
	}
	return nil
}

// statement finds imports and the package well enough to choose roots by; the compiler
// reads them again, properly.
var statement = regexp.MustCompile(`(?m)(?:^|;)[ \t]*(?:import\s+(?:public\s+|weak\s+|option\s+)?["']([^"'\n]+)["']|package\s+([\w.]+))`)

func skim(data []byte) (imports []string, pkg string) {
	for _, m := range statement.FindAllSubmatch(data, -1) {
		switch {
		case len(m[1]) > 0:
			imports = append(imports, path.Clean(string(m[1])))
		case pkg == "":
			pkg = strings.ReplaceAll(string(m[2]), ".", "/")
		}
	}
	return imports, pkg
}

// under names f after the first of roots that holds it.
func (f *source) under(roots []string) bool {
	for _, root := range roots {
		if name, ok := within(path.Clean(root), path.Clean(f.path)); ok {
			f.root, f.name = path.Clean(root), name
			return true
		}
	}
	return false
}

// within returns file relative to root.
func within(root, file string) (string, bool) {
	switch {
	case root == ".":
		return file, !path.IsAbs(file) && !strings.HasPrefix(file, "../")
	case root == "/":
		return strings.CutPrefix(file, root)
	}
	return strings.CutPrefix(file, root+"/")
}

// A root that may be f's, and how well it fits.
type fit struct {
	root, name string
	resolved   int // imports found under it
	match      int // 1: the package matches the path
	covers     int // files asked for that lie under it
	near       int // components of the root: the nearest wins
}

// infer picks f's root among the folders above it.
func (s *sources) infer(f *source, asked []*source) {
	var fits []fit
	for dir := path.Dir(path.Clean(f.path)); ; dir = path.Dir(dir) {
		if name, ok := within(dir, path.Clean(f.path)); ok {
			fits = append(fits, s.weigh(f, asked, dir, name))
		}
		if dir == path.Dir(dir) || path.Base(dir) == ".." {
			break
		}
	}
	if root, name, ok := s.above(f); ok {
		fits = append(fits, s.weigh(f, asked, root, name))
	}
	best := slices.MaxFunc(fits, func(a, b fit) int {
		return cmp.Or(cmp.Compare(a.resolved, b.resolved), cmp.Compare(a.match, b.match),
			cmp.Compare(a.covers, b.covers), cmp.Compare(a.near, b.near))
	})
	f.root, f.name = best.root, best.name
}

func (s *sources) weigh(f *source, asked []*source, root, name string) fit {
	w := fit{root: root, name: name, near: -strings.Count(name, "/")}
	for _, i := range f.imports {
		if _, err := s.load(path.Join(root, i)); err == nil {
			w.resolved++
		}
	}
	if f.pkg != "" && path.Dir(name) == f.pkg {
		w.match = 1
	}
	for _, o := range asked {
		if _, ok := within(root, path.Clean(o.path)); ok {
			w.covers++
		}
	}
	return w
}

// above returns the root that lies above the folder where paths begin, for somebody who
// works deep inside a tree: the package says how far up.
func (s *sources) above(f *source) (root, name string, ok bool) {
	name = path.Join(f.pkg, path.Base(f.path))
	p := path.Clean(f.path)
	if path.IsAbs(p) || !strings.HasSuffix(name, "/"+p) {
		return "", "", false
	}
	root = strings.TrimSuffix(strings.Repeat("../", strings.Count(name, "/")-strings.Count(p, "/")), "/")
	data, err := s.load(path.Join(root, name))
	return root, name, err == nil && bytes.Equal(data, f.data)
}

// reconcile renames files that others import by another name than was inferred, so that
// no file is compiled twice.
func (s *sources) reconcile(asked []*source) {
	byPath := map[string]*source{}
	var queue []string
	for _, f := range asked {
		byPath[path.Clean(f.path)] = f
		queue = append(queue, f.imports...)
	}
	seen := map[string]bool{}
	for ; len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		if seen[name] {
			continue
		}
		seen[name] = true
		p, data, err := s.find(name)
		if err != nil {
			continue
		}
		if f := byPath[p]; f != nil {
			f.name = name
		}
		more, _ := skim(data)
		queue = append(queue, more...)
	}
}

// register fixes the names. Two files of one name cannot be told apart by an import.
func (s *sources) register(l *diag.List, asked []*source) (names []string) {
	for _, f := range asked {
		first, taken := s.paths[f.name]
		switch {
		case taken && first == f.path:
		case taken:
			d := l.Errorf("duplicate-file", contract.Span{File: f.path}, "another file is imported as %q, too: %s", f.name, first)
			d.Help = "give the folder above both as an import path"
		default:
			s.paths[f.name] = f.path
			names = append(names, f.name)
		}
	}
	return names
}
