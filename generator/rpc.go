package generator

import (
	"context"
	"path"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator/messages"
	"github.com/concordat-dev/concordat/templates/golang"
)

// protobuf generates the messages of a contract as protoc-gen-go does, and its services
// beside them: one Go package for each that go_package names.
func protobuf(ctx context.Context, c *contract.Contract, o Options, diags *diag.List) []File {
	m, err := planMessages(c, o)
	if err != nil {
		diags.Errorf("go-package", c.Span, "no Go can be generated: %v", err).Help =
			"give every file an option go_package, or say where generated code lives"
		return nil
	}
	var files []File
	if !o.ServicesOnly {
		generated, err := m.Generate()
		if err != nil {
			diags.Errorf("go-package", c.Span, "the messages cannot be generated: %v", err)
			return nil
		}
		for _, f := range generated {
			files = append(files, File{f.Name, f.Content})
		}
	}
	r := &rpc{c: c, o: o, messages: m, diags: diags, names: m.Packages(), packages: map[string]*rpcPackage{}}
	for _, s := range c.Services {
		r.service(s)
	}
	r.govern()
	for _, p := range r.order {
		if err := ctx.Err(); err != nil {
			diags.Errorf("cancelled", c.Span, "generating was cancelled: %v", err)
			return nil
		}
		files = append(files, emit(p.out, p.dir, diags)...)
	}
	return files
}

// planMessages finds where the Go of every file lives. A go_package inside of the folder
// of output is kept. Any other names a place that is not ours to write to; then the
// package lies below the folder of output, in the folder of its .proto file, or in the
// folder of output itself where there is but one package.
func planMessages(c *contract.Contract, o Options) (*messages.Plan, error) {
	if o.Layout != nil {
		return messages.New(c.Descriptors, c.Files, *o.Layout)
	}
	if o.ImportPath == "" {
		return messages.New(c.Descriptors, c.Files, messages.Options{GoPackagePrefix: "generated"})
	}
	opts := messages.Options{GoPackagePrefix: o.ImportPath}
	first, err := messages.New(c.Descriptors, c.Files, opts)
	if err != nil {
		return nil, err
	}
	opts.Module = o.ImportPath
	opts.Mapping = managed(first.Files(), o)
	return messages.New(c.Descriptors, c.Files, opts)
}

// managed gives files whose package lies elsewhere a place below the folder of output.
func managed(files []messages.GoFile, o Options) map[string]string {
	outside := map[string]bool{} // import paths
	owner := map[string]string{} // of folders: the import path that was there first
	var all []messages.GoFile
	for _, f := range files {
		if f.Path != o.ImportPath && !strings.HasPrefix(f.Path, o.ImportPath+"/") {
			outside[f.Path] = true
			all = append(all, f)
		} else {
			owner[f.Path] = f.Path
		}
	}
	mapping := map[string]string{}
	for _, f := range all {
		home := path.Join(o.ImportPath, path.Dir(f.Source))
		switch first, taken := owner[home]; {
		case len(outside) == 1 && len(all) == len(files):
			home = o.ImportPath
		case !taken:
			owner[home] = f.Path
		case first != f.Path:
			home = path.Join(home, f.Package)
		}
		name := f.Package
		if o.Package != "" && len(outside) == 1 {
			name = o.Package
		}
		mapping[f.Source] = home + ";" + name
	}
	return mapping
}

// An rpc gathers the services of Protobuf by Go package.
type rpc struct {
	c        *contract.Contract
	o        Options
	messages *messages.Plan
	diags    *diag.List
	names    map[string]string // of Go packages, by import path
	packages map[string]*rpcPackage
	order    []*rpcPackage
}

// govern gives all packages the policies.
func (r *rpc) govern() {
	var pkgs []*golang.Package
	var names []*scope
	for _, p := range r.order {
		pkgs, names = append(pkgs, p.out), append(names, p.names)
	}
	govern(pkgs, names, r.o, r.diags)
}

type rpcPackage struct {
	out   *golang.Package
	dir   string // below the folder of output
	names *scope
	units map[string]*golang.Unit
}

// service adds a service to the package of its file.
func (r *rpc) service(s *contract.Service) {
	file := r.fileOf(s)
	p := r.pkg(file)
	stem := fileStem(path.Base(file.Stem))
	u := p.units[stem]
	if u == nil {
		u = &golang.Unit{Stem: stem}
		if r.o.Layout != nil { // files come and go in runs of their own: each names its source
			u.Source = strings.TrimSuffix(r.o.Source, r.c.Source) + file.Source
		}
		p.units[stem] = u
		p.out.Units = append(p.out.Units, u)
	}
	u.Services = append(u.Services, r.goService(s, p))
}

// fileOf is the file that a service stands in.
func (r *rpc) fileOf(s *contract.Service) messages.GoFile {
	files := r.messages.Files()
	for _, f := range files {
		if s.Span.File == f.Source || strings.HasSuffix(s.Span.File, "/"+f.Source) {
			return f
		}
	}
	return files[0]
}

// pkg is the Go package of a file, made when first needed.
func (r *rpc) pkg(f messages.GoFile) *rpcPackage {
	if p := r.packages[f.Path]; p != nil {
		return p
	}
	p := &rpcPackage{dir: path.Dir(f.Stem), names: packageScope(), units: map[string]*golang.Unit{}}
	for name := range r.messages.Taken(f.Path) {
		p.names.used[name] = true
	}
	p.out = &golang.Package{
		Path: f.Path, Name: f.Package, Source: r.o.Source, Version: r.o.Version,
		FakePath: path.Join(f.Path, f.Package+"test"), FakeName: f.Package + "test", Names: map[string]string{f.Path: f.Package},
	}
	r.packages[f.Path] = p
	r.order = append(r.order, p)
	return p
}

// goService decides the Go of a service.
func (r *rpc) goService(s *contract.Service, p *rpcPackage) *golang.Service {
	base := goCamel(baseName(s.Name))
	out := &golang.Service{Wire: golang.RPC}
	out.Name = p.names.name(base, "Service", "API")
	out.Client = p.names.name(out.Name+"Client", "Type")
	out.New = p.names.name("New"+out.Client, "Func")
	out.Register = p.names.name("Register"+out.Name, "Server")
	out.Doc = typeDoc(out.Name, s.Doc)
	if len(out.Doc) == 0 {
		out.Doc = wrap(out.Name+" is the contract of "+s.Name+". The client, the server and the fake all implement it.", "")
	}
	out.ClientDoc = []string{out.Client + " calls " + s.Name + " over a connection."}
	out.NewDoc = []string{out.New + " returns a client that calls over conn."}
	out.RegisterDoc = []string{out.Register + " serves impl on s."}
	out.Fake = &golang.Fake{Name: out.Name, Doc: wrap(out.Name+" implements "+p.out.Name+"."+out.Name+
		" with its fields. A method whose field is nil fails with concordat.Unimplemented.", "")}
	methods := methodScope()
	for _, op := range s.Operations {
		if m := r.method(op, s, p, methods); m != nil {
			out.Methods = append(out.Methods, m)
		}
	}
	nameFakes(out)
	return out
}

// shapes are the signatures of the kinds of calls, and the constants of the runtime.
var shapes = map[contract.Kind]struct {
	shape golang.Shape
	kind  string
}{
	contract.Unary:        {golang.Call, "Unary"},
	contract.ServerStream: {golang.ServerStream, "ServerStream"},
	contract.ClientStream: {golang.ClientStream, "ClientStream"},
	contract.Bidi:         {golang.Bidi, "Bidi"},
}

func (r *rpc) method(op *contract.Operation, s *contract.Service, p *rpcPackage, methods *scope) *golang.Method {
	wire, ok := op.Wire.(*contract.GRPC)
	shape, known := shapes[op.Kind]
	if !ok || !known {
		r.diags.Errorf("unknown-operation", op.Span, "%s is no call of gRPC", op.Name)
		return nil
	}
	m := &golang.Method{Name: methods.name(goCamel(op.Name), "Method"), Sig: shape.shape}
	m.Var = p.names.name(unexported(baseName(s.Name))+m.Name, "Method")
	m.In, ok = r.ref(wire.In, p)
	m.Out, known = r.ref(wire.Out, p)
	if !ok || !known {
		r.diags.Errorf("unknown-message", op.Span, "the messages %s and %s of %s have no Go type", wire.In, wire.Out, op.Name)
		return nil
	}
	m.Checked = wire.Checked
	for _, route := range wire.Routes {
		m.Routes = append(m.Routes, golang.Route{Method: route.Method, Path: route.Path, Body: route.Body, Reply: route.Reply})
	}
	m.Op = &golang.Op{Name: s.Name + "/" + op.Name, Kind: shape.kind, Route: wire.Method, Idempotent: op.Idempotent, Safe: wire.Safe}
	m.Doc = methodDoc(m.Name, op.Doc, m.Name+" calls "+wire.Method+".", nil)
	return m
}

// ref is the Go type of a message.
func (r *rpc) ref(full string, p *rpcPackage) (golang.Ref, bool) {
	id, ok := r.messages.Ident(strings.TrimPrefix(full, "."))
	if !ok {
		return golang.Ref{}, false
	}
	if id.Path == p.out.Path {
		return golang.Ref{Name: id.Name}, true
	}
	if name, ok := r.names[id.Path]; ok {
		p.out.Names[id.Path] = name
	}
	return golang.Ref{Pkg: id.Path, Name: id.Name}, true
}

// goCamel is a Protobuf name as protoc-gen-go writes it: user_id gives UserId.
func goCamel(name string) string {
	var b strings.Builder
	up := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' && (i+1 == len(name) || name[i+1] < 'a' || name[i+1] > 'z') && i > 0:
			b.WriteByte('_')
			up = false
		case c == '_' && i > 0:
			up = true
		case c == '_':
			b.WriteByte('X')
			up = false
		case c >= '0' && c <= '9':
			b.WriteByte(c)
			up = true
		case up && c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
			up = false
		default:
			b.WriteByte(c)
			up = false
		}
	}
	return b.String()
}

// fileStem is the beginning of a file's name. Its last part must not be an operating
// system or an architecture, for which alone Go would then build the file.
func fileStem(stem string) string {
	i := strings.LastIndexByte(stem, '_')
	if i >= 0 && platforms[stem[i+1:]] {
		return stem[:i] + stem[i+1:]
	}
	return stem
}

// platforms are the values of GOOS and GOARCH.
var platforms = set("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos " +
	"386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm")
