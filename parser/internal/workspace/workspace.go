// Package workspace reads what buf knows of a tree of Protobuf files: buf.yaml (v1beta1,
// v1 and v2), buf.work.yaml and buf.lock. It says where files and imports are, and looks
// for modules of others in the cache that buf keeps; it fetches nothing.
//
// It imports contract, contract/diag, yaml.v3 and the standard library.
package workspace

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// The files that make a workspace.
const (
	moduleFile = "buf.yaml"
	workFile   = "buf.work.yaml"
	lockFile   = "buf.lock"
)

// A Workspace is a set of modules that import from one another.
type Workspace struct {
	File    string   // the buf.yaml or buf.work.yaml
	Modules []Module // its own
	Cached  []string // folders of modules of others
	Missing []string // modules of others that the cache does not hold: "buf.build/acme/shop"
}

// A Module is a folder from which imports begin.
type Module struct {
	Root     string
	Includes []string // folders that alone belong to it; none: all
	Excludes []string // folders that do not
}

// Holds says whether the file, a slash path, belongs to the module.
func (m *Module) Holds(file string) bool {
	return under(m.Root, file) &&
		(len(m.Includes) == 0 || slices.ContainsFunc(m.Includes, func(d string) bool { return under(d, file) })) &&
		!slices.ContainsFunc(m.Excludes, func(d string) bool { return under(d, file) })
}

func under(dir, file string) bool {
	return dir == "." && !strings.HasPrefix(file, "../") && !path.IsAbs(file) || strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/")
}

// Roots are all folders in which imports are looked for, the workspace's own first.
func (w *Workspace) Roots() []string {
	var roots []string
	for _, m := range w.Modules {
		if !slices.Contains(roots, m.Root) {
			roots = append(roots, m.Root)
		}
	}
	return append(roots, w.Cached...)
}

// IsFile says whether a file is named as those that make a workspace are.
func IsFile(name string) bool {
	return path.Base(name) == moduleFile || path.Base(name) == workFile
}

// climb is how many folders above a file are looked through for its workspace.
const climb = 32

// Find returns the workspace that a file lies in, or nil: the nearest one whose modules
// hold it.
func Find(file, cache string, read func(string) ([]byte, error), l *diag.List) *Workspace {
	dir := path.Dir(path.Clean(file))
	for range climb {
		for _, name := range []string{workFile, moduleFile} {
			at := path.Join(dir, name)
			if _, err := read(at); err != nil {
				continue
			}
			w := Open(at, cache, read, l)
			if w != nil && slices.ContainsFunc(w.Modules, func(m Module) bool { return m.Holds(path.Clean(file)) }) {
				return w
			}
		}
		up := path.Join(dir, "..")
		if up == dir {
			break
		}
		dir = up
	}
	return nil
}

// Open reads the workspace that file describes. What is wrong with it is a finding, and
// then it may be nil. cache is the folder that buf keeps, or "".
func Open(file, cache string, read func(string) ([]byte, error), l *diag.List) *Workspace {
	o := &opening{w: &Workspace{File: file}, cache: cache, read: read, l: l}
	if path.Base(file) == workFile {
		o.work(file)
	} else {
		o.module(file)
	}
	if len(o.w.Modules) == 0 {
		return nil
	}
	slices.Sort(o.w.Missing)
	o.w.Missing = slices.Compact(o.w.Missing)
	return o.w
}

type opening struct {
	w     *Workspace
	cache string
	read  func(string) ([]byte, error)
	l     *diag.List
}

// A document is what we read of buf.yaml and buf.work.yaml, of all versions.
type document struct {
	Version string `yaml:"version"`
	Modules []struct {
		Path     string   `yaml:"path"`
		Includes []string `yaml:"includes"`
		Excludes []string `yaml:"excludes"`
	} `yaml:"modules"`
	Deps  []string `yaml:"deps"`
	Build struct {
		Roots    []string `yaml:"roots"`
		Excludes []string `yaml:"excludes"`
	} `yaml:"build"`
	Directories []string `yaml:"directories"`
}

func (o *opening) document(file string) (*document, bool) {
	data, err := o.read(file)
	if err != nil {
		o.l.Errorf("unreadable-file", whole(file), "the file cannot be read: %v", err)
		return nil, false
	}
	d := &document{}
	if err := yaml.Unmarshal(data, d); err != nil {
		o.l.Errorf("wrong-workspace", whole(file), "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil, false
	}
	if !slices.Contains([]string{"v1", "v1beta1", "v2"}, d.Version) {
		o.l.Errorf("wrong-workspace", whole(file), "version %q is not known", d.Version).Help = "v1beta1, v1 and v2 are"
		return nil, false
	}
	return d, true
}

// work reads a buf.work.yaml: folders that each may have a buf.yaml.
func (o *opening) work(file string) {
	d, ok := o.document(file)
	if !ok {
		return
	}
	for _, dir := range d.Directories {
		dir = path.Join(path.Dir(file), dir)
		own := path.Join(dir, moduleFile)
		if _, err := o.read(own); err == nil {
			o.module(own)
		} else {
			o.w.Modules = append(o.w.Modules, Module{Root: dir})
		}
	}
	if len(d.Directories) == 0 {
		o.l.Errorf("wrong-workspace", whole(file), "no directories are listed")
	}
}

// module reads a buf.yaml. That of v2 may list several modules.
func (o *opening) module(file string) {
	d, ok := o.document(file)
	if !ok {
		return
	}
	dir := path.Dir(file)
	below := func(names []string) []string {
		var out []string
		for _, n := range names {
			out = append(out, path.Join(dir, n))
		}
		return out
	}
	for _, m := range d.Modules {
		o.w.Modules = append(o.w.Modules, Module{path.Join(dir, m.Path), below(m.Includes), below(m.Excludes)})
	}
	for _, root := range d.Build.Roots { // v1beta1
		o.w.Modules = append(o.w.Modules, Module{Root: path.Join(dir, root), Excludes: below(d.Build.Excludes)})
	}
	if len(d.Modules)+len(d.Build.Roots) == 0 {
		o.w.Modules = append(o.w.Modules, Module{Root: dir, Excludes: below(d.Build.Excludes)})
	}
	o.dependencies(dir, d.Deps)
}

// A lock is what we read of buf.lock, of all versions.
type lock struct {
	Deps []struct {
		Name       string `yaml:"name"` // v2
		Remote     string `yaml:"remote"`
		Owner      string `yaml:"owner"`
		Repository string `yaml:"repository"`
		Commit     string `yaml:"commit"`
		Digest     string `yaml:"digest"`
	} `yaml:"deps"`
}

// dependencies finds the modules of others in the cache. What buf.yaml asks for and
// buf.lock does not pin is missing.
func (o *opening) dependencies(dir string, asked []string) {
	pinned := map[string]bool{}
	var l lock
	if data, err := o.read(path.Join(dir, lockFile)); err == nil {
		if err := yaml.Unmarshal(data, &l); err != nil {
			o.l.Errorf("wrong-workspace", whole(path.Join(dir, lockFile)), "%s", strings.TrimPrefix(err.Error(), "yaml: "))
			return
		}
	}
	for _, d := range l.Deps {
		name := d.Name
		if name == "" {
			name = d.Remote + "/" + d.Owner + "/" + d.Repository
		}
		pinned[name] = true
		if files, ok := o.cached(name, d.Commit, d.Digest); ok {
			o.w.Cached = append(o.w.Cached, files)
		} else {
			o.w.Missing = append(o.w.Missing, name)
		}
	}
	for _, name := range asked {
		if name, _, _ = strings.Cut(name, ":"); !pinned[name] {
			o.w.Missing = append(o.w.Missing, name)
		}
	}
}

// cached returns the folder of a module's files, where buf has completed it: then there is
// a module.yaml beside it.
func (o *opening) cached(name, commit, digest string) (string, bool) {
	if o.cache == "" || strings.Contains(name, "..") || strings.ContainsAny(commit, "/.") {
		return "", false
	}
	kind, _, found := strings.Cut(digest, ":")
	kinds := []string{kind}
	if !found {
		kinds = []string{"b5", "b4"} // buf.lock of v1 need not say
	}
	for _, kind := range kinds {
		at := path.Join(o.cache, "v3", "modules", kind, name, strings.ReplaceAll(commit, "-", ""))
		if _, err := o.read(path.Join(at, "module.yaml")); err == nil {
			return path.Join(at, "files"), true
		}
	}
	return "", false
}

// Advice says how to get modules that are missing.
func (w *Workspace) Advice() string {
	if len(w.Missing) == 0 {
		return ""
	}
	return fmt.Sprintf("%s needs %s, which buf's cache does not hold: run `buf dep update` and `buf build`, or `buf export %s -o DIR` and give DIR as an import path",
		w.File, strings.Join(w.Missing, ", "), w.Missing[0])
}

func whole(name string) contract.Span {
	return contract.Span{File: name, Line: 1, Col: 1, EndLine: 1, EndCol: 1}
}
