package run

import (
	"bytes"
	"encoding/json"
	"testing"
	"unsafe"

	"github.com/bytedance/sonic/encoder"
	ours "github.com/concordat-dev/concordat/bench/openapi/gen/concordat/orders"
	ogen "github.com/concordat-dev/concordat/bench/openapi/gen/ogen/orders"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/go-faster/jx"
)

func BenchmarkDecode(b *testing.B) {
	b.Run(concordatSide, func(b *testing.B) {
		data, table := []byte(orderJSON), (*ours.Order)(nil).ConcordatTable()
		b.SetBytes(int64(len(data)))
		measure(b, func() { readOurs[ours.Order](b, table, data) })
	})
	b.Run(ogenSide, func(b *testing.B) {
		data, d := []byte(orderJSON), jx.DecodeStr("")
		measure(b, func() { readOgen[ogen.Order](b, d, data) })
	})
	b.Run(oapiSide, func(b *testing.B) {
		data := []byte(orderJSON)
		measure(b, func() { readOapi(b, data, one) })
	})
	b.Run(sonicSide, func(b *testing.B) {
		data := []byte(orderJSON)
		measure(b, func() { readSonic[sonicOrder](b, sonicOwned, data) })
	})
}

// The list is what a client reads: strings may not point into the body.
func BenchmarkDecodeList(b *testing.B) {
	b.Run(concordatSide, func(b *testing.B) {
		data, table := []byte(pageJSON), (*ours.OrderPage)(nil).ConcordatTable()
		b.SetBytes(int64(len(data)))
		measure(b, func() {
			var p ours.OrderPage
			if err := table.Decode(data, unsafe.Pointer(&p), codec.Options{Mode: codec.Response}); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run(ogenSide, func(b *testing.B) {
		data, d := []byte(pageJSON), jx.DecodeStr("")
		measure(b, func() { readOgen[ogen.OrderPage](b, d, data) })
	})
	b.Run(oapiSide, func(b *testing.B) {
		data := []byte(pageJSON)
		measure(b, func() { readOapi(b, data, many) })
	})
	b.Run(sonicSide, func(b *testing.B) {
		data := []byte(pageJSON)
		measure(b, func() { readSonic[sonicPage](b, sonicCopies, data) })
	})
}

// Into a buffer that is used again, as servers do.
func BenchmarkEncode(b *testing.B) {
	b.Run(concordatSide, func(b *testing.B) {
		table := (*ours.Order)(nil).ConcordatTable()
		o := readOurs[ours.Order](b, table, []byte(orderJSON))
		var buf []byte
		measure(b, func() {
			var err error
			if buf, err = table.Append(buf[:0], unsafe.Pointer(o), codec.Response); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run(ogenSide, func(b *testing.B) {
		o := readOgen[ogen.Order](b, jx.DecodeStr(""), []byte(orderJSON))
		var e jx.Encoder
		measure(b, func() {
			e.Reset()
			o.Encode(&e)
		})
	})
	b.Run(oapiSide, func(b *testing.B) {
		o := readOapi(b, []byte(orderJSON), one)
		var buf bytes.Buffer
		measure(b, func() {
			buf.Reset()
			if err := json.NewEncoder(&buf).Encode(o); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run(sonicSide, func(b *testing.B) {
		o := readSonic[sonicOrder](b, sonicCopies, []byte(orderJSON))
		var buf []byte
		measure(b, func() {
			buf = buf[:0]
			if err := encoder.EncodeInto(&buf, o, encoder.SortMapKeys|encoder.ValidateString); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// By the method that programs call.
func BenchmarkMarshalJSON(b *testing.B) {
	b.Run(concordatSide, func(b *testing.B) {
		marshal(b, readOurs[ours.Order](b, (*ours.Order)(nil).ConcordatTable(), []byte(orderJSON)).MarshalJSON)
	})
	b.Run(ogenSide, func(b *testing.B) {
		marshal(b, readOgen[ogen.Order](b, jx.DecodeStr(""), []byte(orderJSON)).MarshalJSON)
	})
	b.Run(oapiSide, func(b *testing.B) {
		o := readOapi(b, []byte(orderJSON), one)
		marshal(b, func() ([]byte, error) { return json.Marshal(o) })
	})
	b.Run(sonicSide, func(b *testing.B) {
		o := readSonic[sonicOrder](b, sonicCopies, []byte(orderJSON))
		marshal(b, func() ([]byte, error) { return sonicCopies.Marshal(o) })
	})
}

func marshal(b *testing.B, f func() ([]byte, error)) {
	measure(b, func() {
		if _, err := f(); err != nil {
			b.Fatal(err)
		}
	})
}
