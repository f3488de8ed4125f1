package protobuf

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract/diag"
)

// again asks protocompile's stable compiler about files in which the experimental one
// misses a name: at the pinned version that one does not look through two public imports
// in a row. The stable compiler knows editions up to 2023 and stops at the first error,
// so its word counts only where it finds nothing wrong; then the unit is its own.
func again(ctx context.Context, names []string, o *opener, l diag.List) *unit {
	if slices.ContainsFunc(l, func(d *diag.Diagnostic) bool { return d.Severity == diag.Error && d.Code != "unknown-symbol" }) {
		return nil
	}
	c := protocompile.Compiler{
		Resolver: &protocompile.SourceResolver{Accessor: func(name string) (io.ReadCloser, error) {
			f, err := o.Open(name)
			if err != nil {
				return nil, err
			}
			return io.NopCloser(strings.NewReader(f.Text())), nil
		}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := c.Compile(ctx, names...)
	if err != nil {
		return nil
	}
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	for _, f := range files {
		appendFile(set, seen, f, names)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return nil
	}
	return &unit{raw: raw, asked: names, display: o.s.display}
}

// appendFile puts f behind what it imports.
func appendFile(set *descriptorpb.FileDescriptorSet, seen map[string]bool, f protoreflect.FileDescriptor, asked []string) {
	if seen[f.Path()] {
		return
	}
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		appendFile(set, seen, f.Imports().Get(i).FileDescriptor, asked)
	}
	fd := protodesc.ToFileDescriptorProto(f)
	if !slices.Contains(asked, f.Path()) {
		fd.SourceCodeInfo = nil
	}
	set.File = append(set.File, fd)
}
