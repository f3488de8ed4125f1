package protovalue_test

import (
	"testing"
	"unsafe"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/concordat-dev/concordat/runtime/codec/protovalue"
)

type carrier struct {
	before int
	m      *durationpb.Duration
}

type value interface {
	Append(b []byte, p unsafe.Pointer) ([]byte, error)
	Read(data []byte, p unsafe.Pointer) error
}

func TestRoundTrip(t *testing.T) {
	for name, v := range map[string]value{"binary": protovalue.Of[durationpb.Duration](), "JSON": protovalue.JSONOf[durationpb.Duration]()} {
		in, out := carrier{m: &durationpb.Duration{Seconds: 5, Nanos: 7}}, carrier{before: 3}
		b, err := v.Append([]byte("x"), unsafe.Pointer(&in.m))
		if err != nil || b[0] != 'x' {
			t.Fatalf("%s: %q, %v", name, b, err)
		}
		if err := v.Read(b[1:], unsafe.Pointer(&out.m)); err != nil || !proto.Equal(in.m, out.m) || out.before != 3 {
			t.Errorf("%s: %v, %v", name, out.m, err)
		}
		if err := v.Read([]byte{0xff, 0xff}, unsafe.Pointer(&out.m)); err == nil || !proto.Equal(in.m, out.m) {
			t.Errorf("%s: rubbish was read: %v", name, err)
		}
	}
	b, err := protovalue.Of[durationpb.Duration]().Append(nil, unsafe.Pointer(new(*durationpb.Duration)))
	if err != nil || len(b) != 0 {
		t.Errorf("nil is %x, %v", b, err)
	}
}
