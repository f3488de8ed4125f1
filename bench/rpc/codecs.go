package main

import (
	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/runtime/codec/protobuf"
)

// codecsToMeasure are protobuf-go's, and ours beside it.
func codecsToMeasure() []codec {
	return []codec{
		{"protobuf-go", func(b []byte, m proto.Message) ([]byte, error) { return proto.MarshalOptions{}.MarshalAppend(b, m) }, proto.Unmarshal},
		{"concordat", protobuf.Append, protobuf.Unmarshal},
	}
}
