package messages

import (
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
)

// A GoIdent is a Go name and the import path of its package.
type GoIdent struct{ Name, Path string }

// A GoFile says where the Go of one .proto file goes.
type GoFile struct {
	Source  string // name of the .proto file
	Path    string // import path of the package
	Package string // name of the package
	Stem    string // output name without ".pb.go", below the folder of output
}

// Files returns the files that were asked for, in the order of their descriptors.
func (p *Plan) Files() []GoFile {
	var out []GoFile
	for _, f := range p.gen.Files {
		if f.Generate {
			out = append(out, p.file(f))
		}
	}
	return out
}

// Packages returns the names of all Go packages that the plan knows, imported ones, too, by
// import path.
func (p *Plan) Packages() map[string]string {
	names := map[string]string{}
	for _, f := range p.gen.Files {
		names[string(f.GoImportPath)] = string(f.GoPackageName)
	}
	return names
}

// File returns where the Go of a .proto file goes, also of one that was only imported.
func (p *Plan) File(name string) (GoFile, bool) {
	f, ok := p.gen.FilesByPath[name]
	if !ok {
		return GoFile{}, false
	}
	return p.file(f), true
}

func (p *Plan) file(f *protogen.File) GoFile {
	stem := f.GeneratedFilenamePrefix
	if p.module != "" {
		stem = strings.TrimPrefix(stem, p.module+"/")
	}
	return GoFile{
		Source: f.Desc.Path(), Path: string(f.GoImportPath), Package: string(f.GoPackageName), Stem: stem,
	}
}

// Ident returns the Go name of a message or enum by its full name, "acme.v1.Pet.Toy".
func (p *Plan) Ident(fullName string) (GoIdent, bool) {
	id, ok := p.idents[fullName]
	return id, ok
}

func (p *Plan) learn(messages []*protogen.Message, enums []*protogen.Enum) {
	for _, e := range enums {
		p.idents[string(e.Desc.FullName())] = ident(e.GoIdent)
	}
	for _, m := range messages {
		p.idents[string(m.Desc.FullName())] = ident(m.GoIdent)
		p.learn(m.Messages, m.Enums)
	}
}

func ident(id protogen.GoIdent) GoIdent {
	return GoIdent{Name: id.GoName, Path: string(id.GoImportPath)}
}

// Taken returns the exported names that the messages of a package declare, over all
// files of that package that the plan knows.
func (p *Plan) Taken(importPath string) map[string]bool {
	t := taken{}
	for _, f := range p.gen.Files {
		if string(f.GoImportPath) == importPath {
			t.file(p, f)
			t[f.GoDescriptorIdent.GoName] = true
		}
	}
	return t
}

type taken map[string]bool

// file adds the names of f, and of what f imports publicly: protoc-gen-go declares
// aliases for those.
func (t taken) file(p *Plan, f *protogen.File) {
	t.enums(f.Enums)
	t.extensions(f.Extensions)
	t.messages(f.Messages)
	imports := f.Desc.Imports()
	for i := range imports.Len() {
		if imp := imports.Get(i); imp.IsPublic {
			if g := p.gen.FilesByPath[imp.Path()]; g != nil && g.GoImportPath != f.GoImportPath {
				t.file(p, g)
			}
		}
	}
}

func (t taken) messages(messages []*protogen.Message) {
	for _, m := range messages {
		name := m.GoIdent.GoName
		t[name], t[name+"_builder"] = true, true
		for _, f := range m.Fields {
			if f.Desc.HasDefault() {
				t["Default_"+name+"_"+f.GoName] = true
			}
			if f.Oneof != nil {
				t[f.GoIdent.GoName] = true
			}
		}
		t.cases(m)
		t.enums(m.Enums)
		t.extensions(m.Extensions)
		t.messages(m.Messages)
	}
}

// cases adds the constants that the opaque API declares for a oneof.
func (t taken) cases(m *protogen.Message) {
	for _, o := range m.Oneofs {
		if o.Desc.IsSynthetic() {
			continue
		}
		for _, f := range o.Fields {
			t[m.GoIdent.GoName+"_"+f.GoName+"_case"] = true
		}
		t[m.GoIdent.GoName+"_"+o.GoName+"_not_set_case"] = true
	}
}

func (t taken) enums(enums []*protogen.Enum) {
	for _, e := range enums {
		t[e.GoIdent.GoName] = true
		t[e.GoIdent.GoName+"_name"], t[e.GoIdent.GoName+"_value"] = true, true
		for _, v := range e.Values {
			t[v.GoIdent.GoName] = true
			t[v.PrefixedAlias.GoName] = true
		}
	}
}

func (t taken) extensions(extensions []*protogen.Extension) {
	for _, x := range extensions {
		t["E_"+x.GoIdent.GoName] = true
	}
}
