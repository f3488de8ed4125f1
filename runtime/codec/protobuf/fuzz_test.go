package protobuf_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/runtime/codec/protobuf"
	"github.com/concordat-dev/concordat/runtime/codec/protobuf/internal/testpb"
)

// FuzzAgainstProtobufGo holds any bytes, read as any message, against protobuf-go: accepted
// or refused alike, the same value, and the same bytes when written again.
func FuzzAgainstProtobufGo(f *testing.F) {
	for i, m := range every {
		fill := &filler{Rand: rand.New(rand.NewPCG(uint64(i), 6)), odds: 0.3, maps: true}
		data, err := proto.MarshalOptions{AllowPartial: true}.Marshal(fill.some(m, 2))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data)
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		m := every[int(which)%len(every)]
		read(t, m, data)
		got := m.ProtoReflect().New().Interface()
		if protobuf.Unmarshal(data, got) == nil {
			check(t, got)
		}
	})
}

// What is read stays whole while the collector runs and others read and write the same
// types: tables are made by whoever comes first.
func TestUnderTheCollector(t *testing.T) {
	fill := &filler{Rand: rand.New(rand.NewPCG(1, 7)), odds: 0.6, maps: true}
	m := fill.some(&testpb.Three{}, 3)
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var kept []proto.Message
			for i := range 12 {
				got := new(testpb.Three)
				if err := protobuf.Unmarshal(data, got); err != nil {
					t.Error(err)
					return
				}
				kept = append(kept, got)
				if i%4 == 0 {
					runtime.GC()
				}
				if out, err := protobuf.Marshal(m); err != nil || len(out) != len(data) {
					t.Error(len(out), err)
				}
			}
			for _, got := range kept {
				if !proto.Equal(got, m) {
					t.Error("a message has changed while it was kept")
				}
			}
		})
	}
	wg.Wait()
}
