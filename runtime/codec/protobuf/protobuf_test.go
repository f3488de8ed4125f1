package protobuf_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/concordat-dev/concordat/runtime/codec/protobuf"
	"github.com/concordat-dev/concordat/runtime/codec/protobuf/internal/testpb"
)

// every is a message of each kind.
var every = []proto.Message{
	&testpb.Order{}, &testpb.Two{}, &testpb.Needs{}, &testpb.Ext{}, &testpb.Three{}, &testpb.Ed{}, &testpb.Hidden{}, &testpb.Mixed{}, &testpb.Empty{},
	&descriptorpb.FileDescriptorProto{}, &pluginpb.CodeGeneratorResponse{},
	dynamicpb.NewMessage((&testpb.Three{}).ProtoReflect().Descriptor()),
}

// hasMaps says whether the order of the bytes of m is nobody's promise: maps with several
// entries, extensions, and what has no Go type.
func hasMaps(m protoreflect.Message) (found bool) {
	if _, ok := m.Interface().(*dynamicpb.Message); ok {
		return true
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			found = found || v.Map().Len() > 1
			if fd.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					found = found || hasMaps(v.Message())
					return !found
				})
			}
		case fd.IsExtension():
			found = true
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				found = found || hasMaps(v.List().Get(i).Message())
			}
		default:
			found = found || hasMaps(v.Message())
		}
		return !found
	})
	return found
}

// check holds the codec against protobuf-go: m there and back.
func check(t testing.TB, m proto.Message) {
	t.Helper()
	want, wantErr := proto.Marshal(m)
	got, err := protobuf.Append([]byte("before"), m)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%T: marshalling gives %v, protobuf-go %v", m, err, wantErr)
	}
	if err != nil {
		return
	}
	if !bytes.HasPrefix(got, []byte("before")) {
		t.Fatalf("%T: what was there is gone", m)
	}
	got = got[6:]
	if len(got) != len(want) || !hasMaps(m.ProtoReflect()) && !bytes.Equal(got, want) {
		t.Fatalf("%T:\n%x, protobuf-go\n%x", m, got, want)
	}
	read(t, m, got)
	read(t, m, want)
}

// read holds the codec against protobuf-go: bytes to a message like m.
func read(t testing.TB, m proto.Message, data []byte) {
	t.Helper()
	want, got := m.ProtoReflect().New().Interface(), m.ProtoReflect().New().Interface()
	kept := bytes.Clone(data)
	wantErr := proto.Unmarshal(data, want)
	if wantErr == nil { // protobuf-go forgets required fields below all but the first member of a oneof
		wantErr = proto.CheckInitialized(want)
	}
	err := protobuf.Unmarshal(data, got)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%T: unmarshalling %x gives %v, protobuf-go %v", m, data, err, wantErr)
	}
	clear(data) // nothing may be kept of it
	if err == nil && !proto.Equal(got, want) {
		t.Fatalf("%T: %x gives\n%v, protobuf-go\n%v", m, kept, got, want)
	}
	copy(data, kept)
}

func TestAgainstProtobufGo(t *testing.T) {
	for _, m := range every {
		for seed := range uint64(48) {
			f := &filler{Rand: rand.New(rand.NewPCG(seed, 1)), odds: 0.05 + float64(seed%8)/16, maps: seed%2 == 0, bad: seed%5 == 0}
			check(t, f.some(m, int(seed%4)))
			if seed%40 == 0 {
				runtime.GC()
			}
		}
	}
}

// All messages that this program links, which are many of protobuf-go's own.
func TestAllRegistered(t *testing.T) {
	n := 0
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		for seed := range uint64(4) {
			f := &filler{Rand: rand.New(rand.NewPCG(seed, 2)), odds: 0.4}
			check(t, f.some(mt.Zero().Interface(), 2))
		}
		n++
		return true
	})
	if n < 30 {
		t.Fatal(n, "messages")
	}
}

// Cut anywhere, and with bytes changed, data is accepted and refused alike.
func TestDamaged(t *testing.T) {
	for _, m := range every {
		for seed := range uint64(8) {
			f := &filler{Rand: rand.New(rand.NewPCG(seed, 3)), odds: 0.15}
			data, err := proto.MarshalOptions{AllowPartial: true}.Marshal(f.some(m, 2))
			if err != nil {
				t.Fatal(err)
			}
			for range min(len(data), 100) {
				read(t, m, bytes.Clone(data[:f.IntN(len(data))]))
				bad := bytes.Clone(data)
				bad[f.IntN(len(bad))] ^= byte(1 << f.IntN(8))
				read(t, m, bad)
			}
		}
	}
}

// Two messages one behind the other are merged.
func TestMerging(t *testing.T) {
	for _, m := range every {
		for seed := range uint64(8) {
			f := &filler{Rand: rand.New(rand.NewPCG(seed, 4)), odds: 0.2, maps: true}
			one, _ := proto.MarshalOptions{AllowPartial: true}.Marshal(f.some(m, 2))
			two, _ := proto.MarshalOptions{AllowPartial: true}.Marshal(f.some(m, 2))
			read(t, m, append(one, two...))
		}
	}
}

func TestEmptyAndNil(t *testing.T) {
	for _, m := range every {
		check(t, m)
		read(t, m, nil)
	}
	var none *testpb.Three
	if got, err := protobuf.Marshal(none); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	if got, err := protobuf.Marshal(nil); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	check(t, &testpb.Three{Threes: []*testpb.Three{nil, {}, nil}, M17: map[string]*testpb.Three{"": nil}, One: (*testpb.Three_Xi)(nil)})
	check(t, &testpb.Three{One: &testpb.Three_Xthree{}, Other: &testpb.Three_Ye{}})
	check(t, &testpb.Three{One: &testpb.Three_Xby{}, By: []byte{}, Oby: []byte{}, Rby: [][]byte{nil, {}}})
	check(t, &testpb.Two{Rneeds: []*testpb.Needs{nil}})
}

// nested is a message in which the same field is n levels deep.
func nested(n int, num protowire.Number, group bool) []byte {
	var b []byte
	if group {
		for range n {
			b = protowire.AppendTag(b, num, protowire.StartGroupType)
		}
		for range n {
			b = protowire.AppendTag(b, num, protowire.EndGroupType)
		}
		return b
	}
	for range n {
		next := protowire.AppendTag(nil, num, protowire.BytesType)
		next = protowire.AppendVarint(next, uint64(len(b)))
		b = append(next, b...)
	}
	return b
}

func TestDepth(t *testing.T) {
	for _, n := range []int{1, 9_998, 9_999, 10_000, 10_001} {
		read(t, &testpb.Three{}, nested(n, 70, false))
		read(t, &testpb.Ed{}, nested(n, 7, true))
		read(t, &testpb.Three{}, nested(n, 999, true))
	}
	for _, n := range []int{4_998, 4_999, 5_000, 5_001} { // an entry is a level, too
		var b []byte
		for range n {
			value := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), b)
			b = protowire.AppendBytes(protowire.AppendTag(nil, 116, protowire.BytesType), value)
		}
		read(t, &testpb.Three{}, b)
	}
	cycle := &testpb.Three{}
	cycle.Three = cycle
	if _, err := protobuf.Marshal(cycle); err == nil {
		t.Error("a cycle was written")
	}
}

// A buffer that is large enough is used, and nothing else of it is.
func TestAppendKeepsToItsRoom(t *testing.T) {
	f := &filler{Rand: rand.New(rand.NewPCG(1, 5)), odds: 0.7}
	m := f.some(&testpb.Ed{}, 2)
	size := proto.Size(m)
	for spare := range 3 * size {
		buf := make([]byte, 3, 3+spare)
		got, err := protobuf.Append(buf, m)
		if err != nil || len(got) != 3+size {
			t.Fatal(len(got), size, err)
		}
		if spare >= size+32 && &got[0] != &buf[0] {
			t.Fatalf("another buffer for %d bytes, where there is room for %d", size, spare)
		}
	}
}

func TestAllocations(t *testing.T) {
	m := sample(10)
	buf := make([]byte, 0, 64<<10)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := protobuf.Append(buf, m); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("marshalling allocates %v times", n)
	}
	maps := &testpb.Three{M1: map[int32]int32{1: 2, 3: 4}, M14: map[string]string{"a": "b"}, M15: map[string][]byte{"a": {1}}, M17: map[string]*testpb.Three{"a": {S: "x"}, "b": {I32: 1}}}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := protobuf.Append(buf, maps); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("marshalling maps allocates %v times", n)
	}
}

// sample is a message like those of services, with n lines.
func sample(n int) *testpb.Order {
	m := &testpb.Order{Id: "order-7f3a9c52", Customer: "customer-1732", Status: testpb.Status_STATUS_PAID, Cents: 1995, Currency: "EUR",
		Created: &timestamppb.Timestamp{Seconds: 1_770_000_000, Nanos: 500}, Labels: []string{"gift", "express"}}
	if n == 0 {
		return m
	}
	m.Gift, m.Weight, m.Note = true, 1.25, proto.String("leave it with the neighbours")
	m.Address = &testpb.Address{Street: "Beispielstraße 12", City: "Köln", Country: "DE", Zip: "50667"}
	for i := range n {
		m.Lines = append(m.Lines, &testpb.Line{Sku: fmt.Sprint("sku-", i), Title: "what this line of the order is about", Quantity: int32(i), Cents: int64(i) << 10, Sizes: []int32{1, 200, 30_000}})
	}
	return m
}
