package protobuf_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/runtime/codec/protobuf"
	"github.com/concordat-dev/concordat/runtime/codec/protobuf/internal/testpb"
)

// Each row is a message of about the size that it says; protobuf-go stands beside ours.
var rows = []struct {
	name string
	m    *testpb.Order
}{
	{"82B", sample(0)},
	{"1KB", sample(15)},
	{"10KB", sample(165)},
}

func BenchmarkMarshal(b *testing.B) {
	for _, row := range rows {
		buf := make([]byte, 0, 64<<10)
		b.Run(row.name+"/protobuf-go", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (proto.MarshalOptions{}).MarshalAppend(buf, row.m); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(row.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(proto.Size(row.m)))
			for b.Loop() {
				if _, err := protobuf.Append(buf, row.m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	for _, row := range rows {
		data, err := proto.Marshal(row.m)
		if err != nil {
			b.Fatal(err)
		}
		for _, way := range []struct {
			name string
			read func([]byte, proto.Message) error
		}{{"protobuf-go", proto.Unmarshal}, {"ours", protobuf.Unmarshal}} {
			b.Run(row.name+"/"+way.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					if err := way.read(data, new(testpb.Order)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkRatio runs both by turns and reports the cost of ours as a part of
// protobuf-go's, each by its fastest turn of some 16 KiB: what else the machine does hardly matters,
// collecting garbage included.
func BenchmarkRatio(b *testing.B) {
	for _, row := range rows {
		data, err := proto.Marshal(row.m)
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 0, 64<<10)
		for name, pair := range map[string][2]func() error{
			"marshal": {
				func() error { _, err := protobuf.Append(buf, row.m); return err },
				func() error { _, err := proto.MarshalOptions{}.MarshalAppend(buf, row.m); return err },
			},
			"unmarshal": {
				func() error { return protobuf.Unmarshal(data, new(testpb.Order)) },
				func() error { return proto.Unmarshal(data, new(testpb.Order)) },
			},
		} {
			b.Run(row.name+"/"+name, func(b *testing.B) {
				best := [2]float64{}
				for b.Loop() {
					for i, f := range pair {
						if took := turn(b, f, 1+16<<10/len(data)); best[i] == 0 || took < best[i] {
							best[i] = took
						}
					}
				}
				b.ReportMetric(float64(len(data)), "bytes")
				b.ReportMetric(best[0], "ours-ns")
				b.ReportMetric(best[1], "protobuf-go-ns")
				b.ReportMetric(best[0]/best[1], "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// turn is how many nanoseconds one of n calls takes.
func turn(b *testing.B, f func() error, n int) float64 {
	begin := time.Now()
	for range n {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / float64(n)
}
