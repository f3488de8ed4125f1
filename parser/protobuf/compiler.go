package protobuf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/bufbuild/protocompile/experimental/ast"
	"github.com/bufbuild/protocompile/experimental/fdp"
	"github.com/bufbuild/protocompile/experimental/incremental"
	"github.com/bufbuild/protocompile/experimental/incremental/queries"
	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/seq"
	psource "github.com/bufbuild/protocompile/experimental/source"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// A compiler turns files into descriptors and reports everything that is wrong with
// them. The unit is nil where there are none.
type compiler interface {
	compile(ctx context.Context, names []string, s *sources) (*unit, diag.List)
}

// protocompiler is bufbuild/protocompile's experimental incremental compiler.
type protocompiler struct{}

func (protocompiler) compile(ctx context.Context, names []string, s *sources) (*unit, diag.List) {
	o := &opener{s: s, files: map[string]*psource.File{}}
	results, rep, err := incremental.Run(ctx, incremental.New(), queries.Link{
		Opener: o, Session: new(ir.Session), Workspace: psource.NewWorkspace(names...),
	})
	if len(o.refused) > 0 {
		return nil, o.refused.Sorted()
	}
	if err != nil {
		return nil, failed(err, s.display(names[0]))
	}
	l := translate(rep, o, s.display(names[0]))
	if l.HasErrors() {
		if u := again(ctx, names, o, l); u != nil {
			return u, slices.DeleteFunc(l, func(d *diag.Diagnostic) bool { return d.Severity == diag.Error })
		}
	}
	if results[0].Fatal != nil {
		if !l.HasErrors() {
			l.Errorf("invalid-protobuf", contract.Span{File: s.display(names[0])}, "%v", results[0].Fatal)
		}
		return nil, l
	}
	return describe(&l, results[0].Value, names, s), l
}

// failed reports what ended the run: a panic in one of the compiler's own goroutines, or
// the context.
func failed(err error, file string) (l diag.List) {
	if p, ok := errors.AsType[*incremental.ErrPanic](err); ok {
		d := l.Errorf("compiler-crash", contract.Span{File: file}, "the Protobuf compiler crashed: %v", p.Panic)
		d.Help = "this is a fault of Concordat, please report it with the file" + where([]byte(p.Backtrace))
		return l
	}
	l.Errorf("compiler-timeout", contract.Span{File: file}, "the file was not understood in time: %v", err)
	return l
}

// describe makes descriptors of compiled files. Those of a faulty file may be impossible
// to make, which its own errors already explain.
func describe(l *diag.List, compiled []*ir.File, names []string, s *sources) (u *unit) {
	if l.HasErrors() {
		defer func() {
			if recover() != nil {
				u = nil
			}
		}()
	}
	compiled = slices.DeleteFunc(slices.Clone(compiled), func(f *ir.File) bool { return f == nil })
	u = &unit{asked: names, display: s.display, spans: map[string]contract.Span{}}
	set := &descriptorpb.FileDescriptorSet{}
	for f := range ir.TopoSort(compiled) {
		asked := slices.Contains(names, f.Path())
		fd, err := fdp.DescriptorProto(f, fdp.IncludeSourceCodeInfo(asked))
		if err != nil {
			l.Errorf("invalid-protobuf", contract.Span{File: s.display(f.Path())}, "%v", err)
			return nil
		}
		set.File = append(set.File, strip(fd))
		if asked {
			locate(u.spans, f)
		}
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		l.Errorf("invalid-protobuf", contract.Span{File: s.display(names[0])}, "%v", err)
		return nil
	}
	u.raw = raw
	return u
}

// strip drops what the compiler adds to source info for tools of its own.
func strip(fd *descriptorpb.FileDescriptorProto) *descriptorpb.FileDescriptorProto {
	if info := fd.GetSourceCodeInfo(); info != nil {
		fd.SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: info.GetLocation()}
	}
	return fd
}

// locate notes where the names of f are declared.
func locate(spans map[string]contract.Span, f *ir.File) {
	put := func(name ir.FullName, d ast.DeclDef) {
		at := psource.GetSpan(d.Name())
		if at.IsZero() {
			at = psource.GetSpan(d)
		}
		spans[string(name)] = spanOf(at, string(name))
	}
	for t := range seq.Values(f.AllTypes()) {
		put(t.FullName(), t.AST())
	}
	for m := range f.AllMembers() {
		put(m.FullName(), m.AST())
	}
	for svc := range seq.Values(f.Services()) {
		put(svc.FullName(), svc.AST())
		for m := range seq.Values(svc.Methods()) {
			put(m.FullName(), m.AST())
		}
	}
}

// opener gives the compiler its files, and the well-known ones from its own stock: these
// are the ones whose Go the runtime has.
type opener struct {
	s       *sources
	mu      sync.Mutex
	files   map[string]*psource.File // by name
	refused diag.List                // files that are too hostile to open
}

// Open implements psource.Opener.
func (o *opener) Open(name string) (*psource.File, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f, ok := o.files[name]; ok {
		return f, nil
	}
	f, err := o.open(name)
	if err == nil {
		o.files[name] = f
	}
	return f, err
}

func (o *opener) open(name string) (*psource.File, error) {
	if _, asked := o.s.paths[name]; !asked {
		if f, err := psource.WKTs().Open(name); err == nil {
			return f, nil
		}
	}
	p, data, err := o.s.find(name)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err := stocked(name); f != nil || err != nil {
			return f, err
		}
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	if refuse(&o.refused, p, data) {
		return psource.NewFile(p, ""), nil
	}
	return psource.NewFile(p, string(data)), nil
}
