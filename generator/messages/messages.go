// Package messages generates the Go of Protobuf messages and enums by running
// protoc-gen-go's own generator in process, so that its output is protoc-gen-go's to the
// byte, and says which Go names it gives, so that services can be written beside.
//
// It imports google.golang.org/protobuf and the standard library.
package messages

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	gengo "google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/gofeaturespb"
	"google.golang.org/protobuf/types/pluginpb"
)

// Options say where generated packages live. The zero Options are those of protoc-gen-go
// without parameters: every file needs a go_package, and output lies in folders named
// by its whole import path.
type Options struct {
	// GoPackagePrefix is the import path under which files without a go_package live,
	// in the folder of their name: "acme/pets/v1/pets.proto" in prefix/acme/pets/v1,
	// package petsv1. Empty: a file without go_package is an error.
	GoPackagePrefix string

	// Mapping gives files, by name, an import path that replaces their go_package. A
	// package name may follow a semicolon: "example.com/pets;petspb".
	Mapping map[string]string

	// Module is taken off output names. Output outside of it is an error.
	Module string

	// SourceRelative puts output beside the name of its source, whatever its import
	// path is. Module must be empty.
	SourceRelative bool

	// APILevel is the API of messages whose file does not say features.(pb.go).api_level:
	// "API_OPEN", "API_HYBRID" or "API_OPAQUE"; "" for that of their edition, which is open
	// up to 2023 and opaque from 2024 on. APILevels gives that of files, by name, whatever
	// they say.
	APILevel  string
	APILevels map[string]string
}

// A File is generated source.
type File struct {
	Name    string // slash path below the folder of output
	Content []byte
}

// Generate returns what protoc-gen-go generates for files: names within descriptors, a
// serialized google.protobuf.FileDescriptorSet in topological order.
func Generate(descriptors []byte, files []string, opts Options) ([]File, error) {
	p, err := New(descriptors, files, opts)
	if err != nil {
		return nil, err
	}
	return p.Generate()
}

// A Plan knows the Go name of everything in a set of descriptors.
type Plan struct {
	gen    *protogen.Plugin
	module string
	idents map[string]GoIdent
}

// New makes a plan for files. The arguments are those of Generate. An error names the
// file whose Go package is not known, or two files that disagree about theirs.
func New(descriptors []byte, files []string, opts Options) (*Plan, error) {
	var set descriptorpb.FileDescriptorSet
	if err := (proto.UnmarshalOptions{Resolver: goOptions{}}).Unmarshal(descriptors, &set); err != nil {
		return nil, brief(fmt.Errorf("descriptors: %w", err))
	}
	param, err := opts.parameter(set.File)
	if err != nil {
		return nil, err
	}
	gen, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: files, Parameter: &param, ProtoFile: set.File,
	})
	if err != nil {
		return nil, brief(err)
	}
	p := &Plan{gen: gen, module: opts.Module, idents: map[string]GoIdent{}}
	for _, f := range gen.Files {
		p.learn(f.Messages, f.Enums)
	}
	return p, nil
}

// goOptions knows the options that protoc-gen-go knows. It keeps the bytes of all others
// as they are, and so do we, whatever else is linked here: the order of options is part of
// what is generated.
type goOptions struct{}

// FindExtensionByName implements the resolver of proto.UnmarshalOptions.
func (goOptions) FindExtensionByName(protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return nil, protoregistry.NotFound
}

// FindExtensionByNumber implements the resolver of proto.UnmarshalOptions.
func (goOptions) FindExtensionByNumber(message protoreflect.FullName, field protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	if go1 := gofeaturespb.E_Go.TypeDescriptor(); message == go1.ContainingMessage().FullName() && field == go1.Number() {
		return gofeaturespb.E_Go, nil
	}
	return nil, protoregistry.NotFound
}

// brief drops the pages of advice that follow the first line of protogen's errors, and
// the blanks that the Protobuf module varies so that nobody compares its texts.
func brief(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(strings.ReplaceAll(line, "\u00a0", " "))
}

// parameter writes opts as protoc-gen-go reads them.
func (o *Options) parameter(files []*descriptorpb.FileDescriptorProto) (string, error) {
	var params []string
	if o.Module != "" {
		params = append(params, "module="+o.Module)
	}
	if o.SourceRelative {
		params = append(params, "paths=source_relative")
	}
	if o.APILevel != "" {
		params = append(params, "default_api_level="+o.APILevel)
	}
	for _, name := range slices.Sorted(maps.Keys(o.APILevels)) {
		params = append(params, "apilevelM"+name+"="+o.APILevels[name])
	}
	mapping, err := o.packages(files)
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		params = append(params, "M"+name+"="+mapping[name])
	}
	for _, p := range params {
		if strings.Contains(p, ",") {
			return "", fmt.Errorf("%s: a comma cannot stand in an import path or a file name", p)
		}
	}
	return strings.Join(params, ","), nil
}

// packages returns the import paths that replace or complete the files' own.
func (o *Options) packages(files []*descriptorpb.FileDescriptorProto) (map[string]string, error) {
	mapping := map[string]string{}
	for _, f := range files {
		name := f.GetName()
		switch own := f.GetOptions().GetGoPackage(); {
		case o.Mapping[name] != "":
			mapping[name] = o.Mapping[name]
		case own != "":
		case o.GoPackagePrefix != "":
			mapping[name] = o.managed(name, f.GetPackage())
		default:
			return nil, fmt.Errorf("%s: no Go package is known: set option go_package, or give a prefix for such files", name)
		}
	}
	return mapping, nil
}

// managed makes a go_package: the last component of the Protobuf package names the Go
// package, and the one before it, too, where the last is only a version.
func (o *Options) managed(name, pkg string) string {
	dir := path.Join(o.GoPackagePrefix, path.Dir(name))
	parts := strings.Split(pkg, ".")
	goName := parts[len(parts)-1]
	if len(parts) > 1 && version(goName) {
		goName = parts[len(parts)-2] + goName
	}
	if goName == "" {
		return dir
	}
	return dir + ";" + strings.ToLower(goName)
}

// version says whether s is "v1", "v2beta1" or the like.
func version(s string) bool {
	return len(s) > 1 && s[0] == 'v' && '0' <= s[1] && s[1] <= '9'
}

// Generate returns the Go of the files that were asked for.
func (p *Plan) Generate() ([]File, error) {
	for _, f := range p.gen.Files {
		if f.Generate {
			gengo.GenerateFile(p.gen, f)
		}
	}
	resp := p.gen.Response()
	if resp.Error != nil {
		return nil, brief(errors.New(resp.GetError()))
	}
	var out []File
	for _, f := range resp.File {
		out = append(out, File{Name: f.GetName(), Content: []byte(f.GetContent())})
	}
	return out, nil
}
