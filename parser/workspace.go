package parser

import (
	"path"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/workspace"
)

// A gathering is what was asked for, folders and workspaces replaced by their files.
type gathering struct {
	files  []string
	roots  []string // in which imports are looked for
	advice string   // how to get what a workspace lacks
}

// gather finds the files that are asked for, and the workspaces that they lie in.
func (s *source) gather(asked []string, o *Options, ds *diag.List) *gathering {
	g := &gathering{}
	looked := map[string]bool{} // folders whose workspace is known
	for _, name := range asked {
		switch list := s.listed(name, o); {
		case workspace.IsFile(name):
			g.whole(workspace.Open(name, o.BufCache, s.readFile, ds), name, o, ds)
		case list != nil:
			g.folder(s, name, list, o, ds)
		default:
			g.files = append(g.files, name)
			dir := path.Dir(name)
			if strings.HasSuffix(name, ".proto") && !looked[dir] {
				looked[dir] = true
				g.join(workspace.Find(name, o.BufCache, s.readFile, ds))
			}
		}
	}
	return g
}

// listed returns the .proto files of a folder; nil where name is none.
func (s *source) listed(name string, o *Options) []string {
	if o.List == nil || path.Ext(name) == ".proto" {
		return nil
	}
	files, err := o.List(name)
	if err != nil {
		return nil
	}
	return append([]string{}, files...)
}

// folder adds the files of a folder, by its workspace where it is the root of one.
func (g *gathering) folder(s *source, name string, files []string, o *Options, ds *diag.List) {
	for _, file := range []string{"buf.work.yaml", "buf.yaml"} {
		at := path.Join(name, file)
		if _, err := s.readFile(at); err == nil {
			g.whole(workspace.Open(at, o.BufCache, s.readFile, ds), at, o, ds)
			return
		}
	}
	if len(files) == 0 {
		ds.Errorf("no-files", whole(name), "the folder holds no .proto file").Help = "name an OpenAPI or AsyncAPI document by its file"
		return
	}
	g.files = append(g.files, files...)
	if w := workspace.Find(files[0], o.BufCache, s.readFile, ds); w != nil {
		g.join(w)
	}
}

// whole adds all files of a workspace.
func (g *gathering) whole(w *workspace.Workspace, name string, o *Options, ds *diag.List) {
	if w == nil {
		return // which a finding says
	}
	if o.List == nil {
		ds.Errorf("no-files", whole(name), "folders cannot be listed here; name the .proto files")
		return
	}
	g.join(w)
	before := len(g.files)
	for _, m := range w.Modules {
		files, err := o.List(m.Root)
		if err != nil {
			ds.Errorf("wrong-workspace", whole(name), "the module %s cannot be read: %s", m.Root, reason(err))
			continue
		}
		for _, f := range files {
			if m.Holds(f) && !slices.Contains(g.files[before:], f) {
				g.files = append(g.files, f)
			}
		}
	}
	if len(g.files) == before && !ds.HasErrors() {
		ds.Errorf("no-files", whole(name), "the workspace holds no .proto file")
	}
}

func (g *gathering) join(w *workspace.Workspace) {
	if w == nil {
		return
	}
	for _, r := range w.Roots() {
		if !slices.Contains(g.roots, r) {
			g.roots = append(g.roots, r)
		}
	}
	if g.advice == "" {
		g.advice = w.Advice()
	}
}

// advise adds to what is said of imports that are not there how to get them.
func (g *gathering) advise(found diag.List) {
	for _, d := range found {
		if g.advice != "" && d.Code == "missing-file" && d.Span != (contract.Span{}) {
			d.Help = g.advice
		}
	}
}
