// Package protovalue writes and reads payloads that are messages of Protobuf, in their binary
// encoding or in its JSON. Generated code names it for the messages of a contract whose
// payloads are described by .proto; no other program links it.
//
// It imports google.golang.org/protobuf and the standard library.
package protovalue

import (
	"unsafe"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Of returns what writes and reads a field of type *T in Protobuf's binary encoding.
func Of[T any, P interface {
	*T
	proto.Message
}]() Binary[T, P] {
	return Binary[T, P]{}
}

// JSONOf returns what writes and reads a field of type *T in Protobuf's JSON.
func JSONOf[T any, P interface {
	*T
	proto.Message
}]() JSON[T, P] {
	return JSON[T, P]{}
}

// Binary is a message in Protobuf's binary encoding.
type Binary[T any, P interface {
	*T
	proto.Message
}] struct{}

// Append appends the message that the field at p points to; nil is an empty message. The
// error is that of a required field that is missing, or of text that is not UTF-8.
func (Binary[T, P]) Append(b []byte, p unsafe.Pointer) ([]byte, error) {
	return proto.MarshalOptions{}.MarshalAppend(b, *(*P)(p))
}

// Read sets the field at p to the message in data.
func (Binary[T, P]) Read(data []byte, p unsafe.Pointer) error {
	m := P(new(T))
	if err := proto.Unmarshal(data, m); err != nil {
		return err
	}
	*(*P)(p) = m
	return nil
}

// JSON is a message in Protobuf's JSON. Properties that the message does not know are ignored.
type JSON[T any, P interface {
	*T
	proto.Message
}] struct{}

// Append appends the message that the field at p points to; nil is an empty message.
func (JSON[T, P]) Append(b []byte, p unsafe.Pointer) ([]byte, error) {
	return protojson.MarshalOptions{}.MarshalAppend(b, *(*P)(p))
}

// Read sets the field at p to the message in data.
func (JSON[T, P]) Read(data []byte, p unsafe.Pointer) error {
	m := P(new(T))
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, m); err != nil {
		return err
	}
	*(*P)(p) = m
	return nil
}
