// Package generator makes every decision about Go: names, packages, files, imports,
// optionality, codecs. It turns a contract into templates/golang by passes that each
// stand in a file of their own, and has templates print the result:
//
//	names     one scope per package hands out identifiers (words, scope)
//	types     schemas become declarations and tables (types, hold, object, enum, union)
//	cycles    recursive types get pointers, recursive tables lazy edges
//	services  operations become methods (rest, events, rpc)
//	security  schemes and what operations need of their callers
//	split     a large package is cut into units, or into packages (divide, qualify)
//
// It imports contract, contract/diag, templates, templates/golang, generator/messages and
// the standard library.
package generator

import (
	"context"
	"path"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator/messages"
	"github.com/concordat-dev/concordat/templates"
	"github.com/concordat-dev/concordat/templates/golang"
)

// Options say where generated packages live. The zero Options give a package named after
// the contract.
type Options struct {
	Package    string // name of the Go package; "": made from the contract's. Protobuf names its own
	ImportPath string // of the folder of output; "": the package's name
	Source     string // of the header; "": the contract's own
	Version    string // of the header: concordat's; "": "dev"

	// Formats are Go types for formats of JSON Schema, as "github.com/google/uuid.UUID", or
	// "string" to keep the text; Types are those for named schemas. A type is read and
	// written by its JSON or text methods, or as encoding/json does.
	Formats, Types map[string]string

	Policies Policies // of calls, for the generated package to hand on

	// Split is "" for one package, whose files are cut by tag where it is large, or
	// SplitPackages for packages of their own, by tag. It is for OpenAPI.
	Split string

	// Layout, of a Protobuf contract, says where packages live exactly as protoc-gen-go's
	// parameters do; Package and ImportPath are ignored then.
	Layout *messages.Options

	// ServicesOnly leaves the messages of a Protobuf contract to somebody else.
	ServicesOnly bool
}

// SplitPackages is the value of Options.Split that gives each tag a package.
const SplitPackages = "packages"

// A File is generated source.
type File struct {
	Name    string // slash path below the folder of output
	Content []byte
}

// Generate returns the Go of a contract: types, tables, services, fakes, and a test that
// holds tables against types. The same contract gives the same bytes. What Go cannot
// express is kept as JSON text or as a stream of bytes, and there is a finding that says
// so. Files are nil only where nothing could be generated; then there is an error.
func Generate(ctx context.Context, c *contract.Contract, o Options) ([]File, diag.List) {
	var diags diag.List
	if o.Source == "" {
		o.Source = c.Source
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if c.Format == contract.Protobuf {
		files := protobuf(ctx, c, o, &diags)
		return files, diags
	}
	all, files := plan(ctx, c, o, &diags)
	if err := ctx.Err(); err != nil {
		diags.Errorf("cancelled", c.Span, "generating was cancelled: %v", err)
		return nil, diags
	}
	for _, p := range all {
		files = append(files, emit(p, strings.TrimPrefix(p.Path, all[0].Path), &diags)...)
	}
	return files, diags
}

// plan decides everything of the packages made from an OpenAPI or AsyncAPI document: one,
// or, where it is to be split into packages, that of all and one for each tag. Beside them
// are the messages of Protobuf that payloads are.
func plan(ctx context.Context, c *contract.Contract, o Options, diags *diag.List) ([]*golang.Package, []File) {
	name := o.Package
	if name == "" {
		name = packageName(c.Name)
	}
	home := o.ImportPath
	if home == "" {
		home = name
	}
	out := &golang.Package{
		Path: home, Name: name, Source: o.Source, Version: o.Version,
		FakePath: path.Join(home, name+"test"), FakeName: name + "test",
	}
	p := newPass(ctx, c, o, out, diags)
	if o.Split != "" {
		p.names.take(name) // other packages import this one
	}
	p.planProtos()
	p.findTags()
	p.findForms()
	p.findRequests()
	p.findEvents()
	p.declareTypes()
	services := p.services()
	p.shells()
	for _, s := range services {
		s.reserve()
	}
	p.fillTypes()
	for _, s := range services {
		s.build()
	}
	p.secure(services)
	p.breakValues()
	p.breakTables()
	p.nameEnums()
	p.extras(services)
	p.servers()
	services, parts := p.divide(services)
	p.split(services)
	govern([]*golang.Package{out}, []*scope{p.names}, o, diags)
	if p.xml != nil && p.xml.schema.Var != "" {
		out.Units[0].XML = p.xml.schema
	}
	out.Doc = p.packageDoc()
	return p.qualify(parts), p.protoFiles()
}

// emit prints a package below dir.
func emit(p *golang.Package, dir string, diags *diag.List) []File {
	printed, err := templates.Emit(p)
	if err != nil {
		diags.Errorf("not-printable", contract.Span{File: p.Source}, "this contract gives Go that cannot be printed: %v", err).Help =
			"this is a fault of concordat; please report it with the contract"
		return nil
	}
	files := make([]File, len(printed))
	for i, f := range printed {
		files[i] = File{strings.TrimPrefix(path.Join(dir, f.Name), "/"), f.Content}
	}
	return files
}
