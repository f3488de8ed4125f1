package protobuf

import (
	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// checked says whether md, or a message that it can hold, has rules of protovalidate.
func (b *builder) checked(md protoreflect.MessageDescriptor) bool {
	if known, ok := b.rules[md.FullName()]; ok {
		return known
	}
	seen := map[protoreflect.FullName]bool{}
	found := ruled(md, seen)
	b.rules[md.FullName()] = found
	if !found { // nor has anything that was looked at
		for name := range seen {
			b.rules[name] = false
		}
	}
	return found
}

func ruled(md protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[md.FullName()] {
		return false
	}
	seen[md.FullName()] = true
	if proto.HasExtension(md.Options(), validate.E_Message) {
		return true
	}
	for i := range md.Oneofs().Len() {
		if proto.HasExtension(md.Oneofs().Get(i).Options(), validate.E_Oneof) {
			return true
		}
	}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if proto.HasExtension(fd.Options(), validate.E_Field) || fd.Message() != nil && ruled(fd.Message(), seen) {
			return true
		}
	}
	return false
}
