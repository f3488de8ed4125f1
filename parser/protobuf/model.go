package protobuf

import (
	"cmp"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// build fills the model from descriptors. It returns neither a contract nor an error where
// findings say why.
func build(u *unit, l *diag.List) (*contract.Contract, error) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(u.raw, &set); err != nil {
		return nil, err
	}
	b := &builder{unit: u, found: l, rules: map[protoreflect.FullName]bool{}, types: map[protoreflect.FullName]*contract.Type{}}
	sets := false
	for _, f := range set.File {
		sets = b.messageSets(f) || sets
	}
	if sets {
		return nil, nil
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	b.c = &contract.Contract{Format: contract.Protobuf, Source: u.display(u.asked[0]), Descriptors: u.raw, Files: u.asked}
	for i, name := range u.asked {
		f, err := files.FindFileByPath(name)
		if err != nil {
			return nil, fmt.Errorf("no descriptor of %s", name)
		}
		if i == 0 {
			b.head(f)
		}
		b.file(f)
	}
	b.imported()
	return b.c, nil
}

type builder struct {
	*unit
	found *diag.List
	rules map[protoreflect.FullName]bool // whether messages have rules of protovalidate
	c     *contract.Contract
	types map[protoreflect.FullName]*contract.Type
	queue []protoreflect.Descriptor // types of other files that were referred to
}

// head names the contract after the package of its first file.
func (b *builder) head(f protoreflect.FileDescriptor) {
	b.c.Name = cmp.Or(string(f.Package()), stem(f.Path()))
	b.c.Span = contract.Span{File: b.display(f.Path()), Line: 1, Col: 1, EndLine: 1, EndCol: 1, Path: string(f.Package())}
	for _, field := range []int32{packageField, syntaxField, editionField} {
		if d := prose(f.SourceLocations().ByPath(protoreflect.SourcePath{field})); d != (contract.Doc{}) {
			b.c.Doc = d
			break
		}
	}
}

// Field numbers of google.protobuf.FileDescriptorProto, under which source info keeps
// the comments of these statements.
const (
	packageField = 2
	syntaxField  = 12
	editionField = 14
)

func (b *builder) file(f protoreflect.FileDescriptor) {
	for i := range f.Services().Len() {
		b.service(f.Services().Get(i))
	}
	b.enums(f.Enums())
	b.messages(f.Messages())
}

func (b *builder) messages(ms protoreflect.MessageDescriptors) {
	for i := range ms.Len() {
		m := ms.Get(i)
		if m.IsMapEntry() {
			continue
		}
		b.c.Types = append(b.c.Types, b.typeOf(m))
		b.enums(m.Enums())
		b.messages(m.Messages())
	}
}

func (b *builder) enums(es protoreflect.EnumDescriptors) {
	for i := range es.Len() {
		b.c.Types = append(b.c.Types, b.typeOf(es.Get(i)))
	}
}

// imported adds the types of other files that were referred to, and those that they
// refer to.
func (b *builder) imported() {
	listed := map[*contract.Type]bool{}
	for _, t := range b.c.Types {
		listed[t] = true
	}
	for ; len(b.queue) > 0; b.queue = b.queue[1:] {
		if t := b.typeOf(b.queue[0]); !listed[t] {
			listed[t] = true
			b.c.Types = append(b.c.Types, t)
		}
	}
}

// typeOf returns the one Type that stands for d, which it fills first: references to it
// may come before.
func (b *builder) typeOf(d protoreflect.Descriptor) *contract.Type {
	t := b.named(d)
	if t.Schema == nil && !d.IsPlaceholder() {
		t.Doc, t.Span = b.doc(d), b.span(d)
		switch d := d.(type) {
		case protoreflect.MessageDescriptor:
			o := &contract.Object{}
			t.Schema = o // before its fields, which may refer to it
			o.Fields = b.fields(d)
		case protoreflect.EnumDescriptor:
			t.Schema = b.enum(d)
		}
	}
	if t.Schema == nil {
		t.Schema = &contract.Any{Reason: "the type is not found"}
	}
	return t
}

func (b *builder) named(d protoreflect.Descriptor) *contract.Type {
	t, ok := b.types[d.FullName()]
	if !ok {
		t = &contract.Type{Name: string(d.FullName())}
		b.types[d.FullName()] = t
		b.queue = append(b.queue, d)
	}
	return t
}

func (b *builder) ref(d protoreflect.Descriptor) *contract.Ref {
	return &contract.Ref{Type: b.named(d)}
}

func (b *builder) service(s protoreflect.ServiceDescriptor) {
	out := &contract.Service{Name: string(s.FullName()), Doc: b.doc(s), Span: b.span(s)}
	seen := map[string]string{}
	for i := range s.Methods().Len() {
		op := b.operation(s, s.Methods().Get(i))
		if wire, ok := op.Wire.(*contract.GRPC); ok {
			wire.Routes = b.routes(s.Methods().Get(i), seen)
			wire.Checked = b.checked(s.Methods().Get(i).Input())
		}
		out.Operations = append(out.Operations, op)
	}
	b.c.Services = append(b.c.Services, out)
}

func (b *builder) operation(s protoreflect.ServiceDescriptor, m protoreflect.MethodDescriptor) *contract.Operation {
	return &contract.Operation{
		Name: string(m.Name()), Doc: b.doc(m), Span: b.span(m),
		Kind: kind(m), Idempotent: idempotent(m),
		In:  b.message(m.Input()),
		Out: []*contract.Success{{Body: b.message(m.Output()), Span: b.span(m)}},
		Wire: &contract.GRPC{
			Method: "/" + string(s.FullName()) + "/" + string(m.Name()),
			In:     string(m.Input().FullName()), Out: string(m.Output().FullName()),
			Safe: level(m) == descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
		},
	}
}

func (b *builder) message(m protoreflect.MessageDescriptor) *contract.Message {
	at := b.span(m)
	return &contract.Message{
		Name: string(m.FullName()), Span: at,
		Bodies: []*contract.Body{{Schema: b.ref(m), Required: true, Span: at}},
	}
}

func kind(m protoreflect.MethodDescriptor) contract.Kind {
	switch {
	case m.IsStreamingClient() && m.IsStreamingServer():
		return contract.Bidi
	case m.IsStreamingClient():
		return contract.ClientStream
	case m.IsStreamingServer():
		return contract.ServerStream
	}
	return contract.Unary
}

func idempotent(m protoreflect.MethodDescriptor) bool {
	return level(m) != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
}

func level(m protoreflect.MethodDescriptor) descriptorpb.MethodOptions_IdempotencyLevel {
	o, _ := m.Options().(*descriptorpb.MethodOptions)
	return o.GetIdempotencyLevel()
}

// deprecated says whether options of any kind set deprecated.
func deprecated(d protoreflect.Descriptor) bool {
	o, ok := d.Options().(interface {
		proto.Message
		GetDeprecated() bool
	})
	return ok && o.GetDeprecated()
}

func (b *builder) doc(d protoreflect.Descriptor) contract.Doc {
	doc := contract.Doc{}
	if f := d.ParentFile(); f != nil {
		doc = prose(f.SourceLocations().ByDescriptor(d))
	}
	if deprecated(d) {
		doc.Deprecated = "deprecated"
	}
	return doc
}

// span is where the name of d is declared; for files that were not asked for, whose
// source info was not kept, it names the file.
func (b *builder) span(d protoreflect.Descriptor) contract.Span {
	name := string(d.FullName())
	if s, ok := b.spans[name]; ok {
		return s
	}
	s := contract.Span{Path: name}
	f := d.ParentFile()
	if f == nil || d.IsPlaceholder() {
		return s
	}
	s.File = b.display(f.Path())
	path := f.SourceLocations().ByDescriptor(d).Path
	if path == nil {
		return s
	}
	const nameField = 1 // of every kind of descriptor
	loc := f.SourceLocations().ByPath(append(append(protoreflect.SourcePath{}, path...), nameField))
	if loc.Path == nil {
		loc = f.SourceLocations().ByPath(path)
	}
	s.Line, s.Col, s.EndLine, s.EndCol = loc.StartLine+1, loc.StartColumn+1, loc.EndLine+1, loc.EndColumn+1
	return s
}
