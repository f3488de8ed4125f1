// Package wire is how the conformance runner and the program that it tests talk: messages,
// each behind its length in four bytes, on standard input and output. It also turns what
// both programs exchange with the runner from and into the runtime's terms.
//
// It imports the generated messages, runtime and protobuf-go.
package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	v1 "github.com/concordat-dev/concordat/internal/conformance/gen/connectrpc/conformance/v1"
	concordat "github.com/concordat-dev/concordat/runtime"
)

const most = 64 << 20 // bytes of a message: no case comes near it

// Read reads one message into m. The error is io.EOF where there is none left.
func Read(r io.Reader, m proto.Message) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > most {
		return fmt.Errorf("a message of %d bytes", n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(r, data); err != nil {
		return fmt.Errorf("reading a message: %w", err)
	}
	return proto.Unmarshal(data, m)
}

// Write writes m.
func Write(w io.Writer, m proto.Message) error {
	data, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	return err
}

// Headers is meta as the runner has it.
func Headers(meta map[string][]string) []*v1.Header {
	var out []*v1.Header
	for k, v := range meta {
		out = append(out, &v1.Header{Name: k, Value: v})
	}
	return out
}

// AddHeaders adds headers to meta, which it makes when there is none.
func AddHeaders(meta *concordat.Meta, headers []*v1.Header) {
	if *meta == nil {
		*meta = concordat.Meta{}
	}
	for _, h := range headers {
		for _, v := range h.GetValue() {
			http.Header(*meta).Add(h.GetName(), v)
		}
	}
}

// Failure is the error that e describes, with more details behind its own.
func Failure(e *v1.Error, more ...proto.Message) error {
	out := concordat.Errorf(concordat.Code(e.GetCode()), "%s", e.GetMessage())
	var details []any
	for _, d := range e.GetDetails() {
		details = append(details, d)
	}
	for _, m := range more {
		details = append(details, m)
	}
	if len(details) > 0 {
		out.With(details[0], details[1:]...)
	}
	return out
}

// Error is err as the runner has it; nil for none.
func Error(err error) (*v1.Error, error) {
	if err == nil {
		return nil, nil
	}
	e := concordat.ErrorOf(err)
	out := &v1.Error{Code: v1.Code(e.Code), Message: &e.Message}
	if e.Detail == nil {
		return out, nil
	}
	for _, d := range append([]any{e.Detail}, e.More...) {
		m, ok := d.(proto.Message)
		if !ok {
			return nil, fmt.Errorf("a detail is a %T", d)
		}
		packed, ok := m.(*anypb.Any)
		if !ok {
			var err error
			if packed, err = anypb.New(m); err != nil {
				return nil, err
			}
		}
		out.Details = append(out.Details, packed)
	}
	return out, nil
}
