// Package protobuf is the binary codec of Protobuf for messages that protoc-gen-go
// generated: what [proto.Marshal] and [proto.Unmarshal] do, at a fraction of their cost.
// It accepts and refuses the same input (but for required fields below a oneof, some of
// which protobuf-go forgets), and writes the same bytes (but for the order of
// maps, which neither promises).
//
// There is no generated code. The table of a message is made when the message is first
// met, from its descriptor and the layout of its Go struct, each field of which is held
// against the descriptor; a message that does not fit is left to protobuf-go (the Opaque
// API, MessageSet, dynamic messages, extensions that are set). Strings are checked for
// UTF-8 where the contract wants that, unknown fields are kept, required ones asked for.
//
// Marshalling writes back to front, so that no size is computed before, and touches
// nothing of the message. Unmarshalling puts short strings into common chunks of up to 512
// bytes, and neighbours in a repeated field into common arrays of up to 8: who keeps one
// of them keeps those, too. It keeps nothing of its input.
//
// Built with the tag protobufgo, the package is protobuf-go and nothing else.
//
// It imports google.golang.org/protobuf and the standard library.
package protobuf

import (
	"google.golang.org/protobuf/proto"
)

// maxDepth is how deep messages may be nested, as in protobuf-go.
const maxDepth = 10_000

// Marshal returns the wire format of m. The error is about required fields that are not
// set, strings that are not UTF-8, and messages nested deeper than 10,000 levels or in a
// cycle.
func Marshal(m proto.Message) ([]byte, error) { return Append(nil, m) }

// Append appends the wire format of m to dst, as Marshal returns it, and allocates only
// where the capacity of dst is too small. Bytes between the length of the result and its
// capacity are undefined.
func Append(dst []byte, m proto.Message) ([]byte, error) {
	t, p := find(m)
	if t == nil || p == nil {
		return proto.MarshalOptions{}.MarshalAppend(dst, m)
	}
	e := encoder{whole: dst, prefix: len(dst), front: cap(dst) > 0, depth: maxDepth}
	return e.run(t, p, m)
}

// Unmarshal reads data into m, which is reset before. The error is about data that is no
// message, strings that are not UTF-8, required fields that are missing, and messages
// nested deeper than 10,000 levels; m is undefined then.
func Unmarshal(data []byte, m proto.Message) error {
	t, p := find(m)
	if t == nil || p == nil {
		return proto.Unmarshal(data, m)
	}
	if r, ok := m.(interface{ Reset() }); ok {
		r.Reset()
	}
	d := decoder{arena: arena{end: endOf(data)}}
	if d.message(t, p, data, 0, 0, maxDepth) < 0 {
		return d.err
	}
	if d.partial {
		return proto.CheckInitialized(m)
	}
	return nil
}
