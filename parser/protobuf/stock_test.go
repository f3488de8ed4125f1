package protobuf

import (
	"errors"
	"io/fs"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Every built-in file, compiled from the text that we make of it, has the descriptor that
// its Go was made from.
func TestStockSurvivesThePrinter(t *testing.T) {
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	for _, fd := range stock() {
		read := func(name string) ([]byte, error) {
			if name != "user.proto" {
				return none(name)
			}
			return []byte(`syntax = "proto3"; package user; import public "` + fd.Path() + `";`), nil
		}
		c, l := Parse(t.Context(), []string{"user.proto"}, nil, read)
		if c == nil || l.HasErrors() {
			t.Errorf("%s: %v", fd.Path(), show(l))
			continue
		}
		var set descriptorpb.FileDescriptorSet
		if err := proto.Unmarshal(c.Descriptors, &set); err != nil {
			t.Fatal(err)
		}
		if err := compare(&set, protodesc.ToFileDescriptorProto(fd)); err != nil {
			t.Errorf("%s: %v", fd.Path(), err)
		}
	}
}

func compare(set *descriptorpb.FileDescriptorSet, want *descriptorpb.FileDescriptorProto) error {
	for _, f := range set.File {
		if f.GetName() != want.GetName() {
			continue
		}
		f.SourceCodeInfo, want.SourceCodeInfo = nil, nil
		if !proto.Equal(f, want) {
			return errors.New("differs:\n" + f.String() + "\n" + want.String())
		}
		return nil
	}
	return errors.New("is not there")
}

// A file of the user's goes before one of ours.
func TestOwnFilesGoBeforeStock(t *testing.T) {
	files := map[string]string{
		"a.proto":                   `syntax = "proto3"; package a; import "google/rpc/status.proto"; message M { google.rpc.Status s = 1; google.rpc.Mine m = 2; }`,
		"google/rpc/status.proto":   `syntax = "proto3"; package google.rpc; message Status {} message Mine {}`,
		"google/api/nothing.proto2": ``,
	}
	_, l := Parse(t.Context(), []string{"a.proto"}, []string{"."}, func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	})
	if l.HasErrors() {
		t.Error(show(l))
	}
}
