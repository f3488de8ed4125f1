package grpcengine

import (
	"fmt"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/runtime/codec/protobuf"
)

// wireCodec writes and reads binary messages by package protobuf, as the default engine
// does.
type wireCodec struct{}

// maxScratch is how large a buffer may be that is kept, in bytes.
const maxScratch = 1 << 20

// scratch are buffers to write messages to: how large one becomes is known afterwards.
var scratch = sync.Pool{New: func() any { return new(make([]byte, 0, 1<<10)) }}

// Name implements encoding.CodecV2.
func (wireCodec) Name() string { return "proto" }

// Marshal implements encoding.CodecV2.
func (wireCodec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("a %T is no message", v)
	}
	buf := scratch.Get().(*[]byte)
	b, err := protobuf.Append((*buf)[:0], m)
	if err != nil {
		scratch.Put(buf)
		return nil, err
	}
	out := mem.BufferSlice{mem.Copy(b, mem.DefaultBufferPool())}
	if cap(b) <= maxScratch {
		*buf = b
	}
	scratch.Put(buf)
	return out, nil
}

// Unmarshal implements encoding.CodecV2.
func (wireCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("a %T is no message", v)
	}
	if len(data) == 1 {
		return protobuf.Unmarshal(data[0].ReadOnlyData(), m)
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	return protobuf.Unmarshal(whole.ReadOnlyData(), m)
}
