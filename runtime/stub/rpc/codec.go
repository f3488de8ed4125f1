package rpc

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/runtime/codec/protobuf"
)

// A codec is what connect-go writes and reads binary messages by: package protobuf. It
// appends to connect-go's pooled buffers and keeps nothing of them.
type codec struct{}

// Name implements connect.Codec.
func (codec) Name() string { return "proto" }

// IsBinary says that messages are no text, which connect-go asks before it makes a URL.
func (codec) IsBinary() bool { return true }

// Marshal implements connect.Codec.
func (c codec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend is Marshal to the end of dst.
func (codec) MarshalAppend(dst []byte, message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no message of google.golang.org/protobuf", message)
	}
	return protobuf.Append(dst, m)
}

// MarshalStable is Marshal with the entries of maps in order, for URLs that caches know.
func (codec) MarshalStable(message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no message of google.golang.org/protobuf", message)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// Unmarshal implements connect.Codec.
func (codec) Unmarshal(data []byte, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message of google.golang.org/protobuf", message)
	}
	if err := protobuf.Unmarshal(data, m); err != nil {
		return fmt.Errorf("unmarshal into %T: %w", message, err)
	}
	return nil
}
