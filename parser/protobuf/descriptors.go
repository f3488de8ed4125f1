package protobuf

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// IsDescriptors says whether data looks like a descriptor set, as protoc -o and buf build
// write it: it begins with a file that begins with a name. gzip counts, too.
func IsDescriptors(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return true
	}
	const field1 = 1<<3 | 2 // file, and its name: both field 1, a run of bytes
	if len(data) < 2 || data[0] != field1 {
		return false
	}
	_, n := protowire.ConsumeVarint(data[1:])
	rest := data[1:]
	if n <= 0 || len(rest) <= n+1 || rest[n] != field1 {
		return false
	}
	name, n2 := protowire.ConsumeBytes(rest[n+1:])
	return n2 > 0 && len(name) > 0 && !bytes.ContainsAny(name, "\x00\n")
}

// ParseDescriptors makes a contract of a descriptor set that file holds: a
// google.protobuf.FileDescriptorSet or an image of buf, which may be compressed by gzip to
// no more than max bytes. Spans are those of its source info.
//
// Of an image all files belong to the contract that it does not mark as imported; of a set
// all but those that everybody imports. Files of these that the set lacks are added.
func ParseDescriptors(file string, data []byte, max int64) (*contract.Contract, diag.List) {
	var l diag.List
	fail := func(format string, args ...any) (*contract.Contract, diag.List) {
		l.Errorf("invalid-descriptors", contract.Span{File: file}, format, args...).Help =
			"write the set by `buf build -o set.binpb`, or by `protoc --include_imports --include_source_info -o set.binpb`"
		return nil, l
	}
	data, err := unpacked(data, max)
	if err != nil {
		return fail("the file cannot be unpacked: %v", err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := (proto.UnmarshalOptions{Resolver: new(protoregistry.Types)}).Unmarshal(data, set); err != nil {
		return fail("this is no descriptor set: %s", strings.TrimPrefix(plain(err), "proto: "))
	}
	asked := ownFiles(set)
	if set.File, err = ordered(set.File); err != nil {
		return fail("%v", err)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return fail("%s", plain(err))
	}
	c, found := FromDescriptors(raw, asked)
	for _, d := range found {
		if d.Code == "invalid-descriptors" {
			d.Span.File = file
		}
	}
	if c != nil {
		c.Source = file
	}
	return c, append(l, found...)
}

// unpacked undoes gzip.
func unpacked(data []byte, max int64) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return data, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, max+1))
	if err == nil && int64(len(out)) > max {
		err = fmt.Errorf("it has more than %d bytes", max)
	}
	return out, err
}

// ownFiles are the files that a contract is made of, and takes buf's marks off all.
func ownFiles(set *descriptorpb.FileDescriptorSet) []string {
	var own, all []string
	for _, f := range set.File {
		imported, isImage := marks(f)
		all = append(all, f.GetName())
		if !imported && (isImage || !common(f.GetName())) {
			own = append(own, f.GetName())
		}
	}
	if len(own) == 0 {
		return all
	}
	return own
}

// marks reads what an image of buf says of a file, and takes it off: field 8042, in which
// field 1 says that it is only imported (buf.alpha.image.v1.ImageFile).
func marks(f *descriptorpb.FileDescriptorProto) (imported, isImage bool) {
	const extension, isImport = 8042, 1
	var rest []byte
	for raw := f.ProtoReflect().GetUnknown(); len(raw) > 0; {
		num, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			break
		}
		if num != extension {
			rest = append(rest, raw[:n]...)
		} else if _, _, tag := protowire.ConsumeTag(raw); tag > 0 {
			isImage = true
			body, _ := protowire.ConsumeBytes(raw[tag:])
			each(body, func(num protowire.Number, v uint64, _ []byte) { imported = imported || num == isImport && v == 1 })
		}
		raw = raw[n:]
	}
	f.ProtoReflect().SetUnknown(rest)
	return imported, isImage
}

// common says whether a file is one that comes with every compiler, or with ours.
func common(name string) bool {
	return strings.HasPrefix(name, "google/protobuf/") || stockFile(name) != nil
}

// ordered puts every file behind what it imports, and adds what we have ourselves.
func ordered(files []*descriptorpb.FileDescriptorProto) ([]*descriptorpb.FileDescriptorProto, error) {
	byName := map[string]*descriptorpb.FileDescriptorProto{}
	for _, f := range files {
		if byName[f.GetName()] != nil {
			return nil, fmt.Errorf("it holds %s twice", f.GetName())
		}
		byName[f.GetName()] = f
	}
	var out []*descriptorpb.FileDescriptorProto
	state := map[string]int{} // 1: being added, 2: added
	var add func(name, by string) error
	add = func(name, by string) error {
		switch state[name] {
		case 1:
			return fmt.Errorf("%s imports itself by way of %s", name, by)
		case 2:
			return nil
		}
		state[name] = 1
		f := byName[name]
		if f == nil {
			if f = supplied(name); f == nil {
				return fmt.Errorf("it lacks %s, which %s imports", name, by)
			}
		}
		for _, dep := range slices.Concat(f.GetDependency(), f.GetOptionDependency()) {
			if byName[dep] == nil && supplied(dep) == nil && slices.Contains(f.GetOptionDependency(), dep) {
				continue // which nothing but options needs
			}
			if err := add(dep, name); err != nil {
				return err
			}
		}
		state[name] = 2
		out = append(out, f)
		return nil
	}
	for _, f := range files {
		if err := add(f.GetName(), ""); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// supplied is a file that we have ourselves.
func supplied(name string) *descriptorpb.FileDescriptorProto {
	if fd := stockFile(name); fd != nil {
		return protodesc.ToFileDescriptorProto(fd)
	}
	if strings.HasPrefix(name, "google/protobuf/") {
		if fd, err := protoregistry.GlobalFiles.FindFileByPath(name); err == nil {
			return protodesc.ToFileDescriptorProto(fd)
		}
	}
	return nil
}
