package protobuf

import (
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract"
)

// messageSets reports the messages of a file that are of a kind which Protobuf's Go, and
// nearly every other implementation, does not have.
func (b *builder) messageSets(f *descriptorpb.FileDescriptorProto) (found bool) {
	scope := ""
	if f.GetPackage() != "" {
		scope = f.GetPackage() + "."
	}
	return b.messageSetsIn(f, scope, f.GetMessageType())
}

func (b *builder) messageSetsIn(f *descriptorpb.FileDescriptorProto, scope string, messages []*descriptorpb.DescriptorProto) (found bool) {
	for _, m := range messages {
		name := scope + m.GetName()
		if m.GetOptions().GetMessageSetWireFormat() {
			at, ok := b.spans[name]
			if !ok {
				at = contract.Span{File: b.display(f.GetName()), Path: name}
			}
			b.found.Errorf("message-set", at, "%s is a MessageSet, which Go does not have", name).Help =
				"take out option message_set_wire_format: extensions of an ordinary message hold the same"
			found = true
		}
		found = b.messageSetsIn(f, name+".", m.GetNestedType()) || found
	}
	return found
}
