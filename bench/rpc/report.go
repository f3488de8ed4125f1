package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/bench/rpc/bench"
)

// median of an even number is the lower of the middle two.
func median(all []sample, of func(sample) float64) float64 {
	var values []float64
	for _, s := range all {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

func cpu(s sample) float64 { return float64(s.cpu) }

func table(all []row, got []map[string][]sample, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# gRPC beside grpc-go and connect-go\n\n")
	fmt.Fprintf(&b, "%s, %s/%s, %d processors; %d rounds in turns, medians. Per call or message, both processes.\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.rounds)
	fmt.Fprintf(&b, "| work | side | CPU | beside grpc-go | goal | allocations | bytes | p50 | p99 |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for i, r := range all {
		base := median(got[i]["grpc-go"], cpu)
		for _, s := range sides {
			m, goal := got[i][s], "–"
			if g := r.goal[s]; g != "" {
				goal = "≤ " + g + "×"
			}
			fmt.Fprintf(&b, "| %s | %s | %.1f µs | %.2f× | %s | %.0f | %.0f | %s | %s |\n", r.name, s, median(m, cpu)/1000, median(m, cpu)/base, goal,
				median(m, func(s sample) float64 { return s.allocs }), median(m, func(s sample) float64 { return s.bytes }),
				short(median(m, func(s sample) float64 { return float64(s.p50) })), short(median(m, func(s sample) float64 { return float64(s.p99) })))
		}
	}
	return b.String()
}

func short(ns float64) string {
	if ns == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f ms", ns/float64(time.Millisecond))
}

// A codec is one way to write and read messages.
type codec struct {
	name      string
	marshal   func([]byte, proto.Message) ([]byte, error)
	unmarshal func([]byte, proto.Message) error
}

// codecs measures them in this process, in turns.
func codecs(o options) string {
	all := codecsToMeasure()
	var b strings.Builder
	fmt.Fprintf(&b, "\n| codec | message | marshal | beside protobuf-go | allocations | unmarshal | beside protobuf-go | allocations |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
	for _, m := range []struct {
		size  string
		lines int
	}{{"82 B", 1}, {"1 KB", 20}, {"10 KB", 205}} {
		in := order(m.lines)
		data, _ := proto.Marshal(in)
		write, read := make([][]testing.BenchmarkResult, len(all)), make([][]testing.BenchmarkResult, len(all))
		for range o.rounds {
			for i, c := range all {
				write[i] = append(write[i], testing.Benchmark(func(b *testing.B) {
					buf := make([]byte, 0, 2*len(data))
					b.ReportAllocs()
					for b.Loop() {
						_, _ = c.marshal(buf[:0], in)
					}
				}))
				read[i] = append(read[i], testing.Benchmark(func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						_ = c.unmarshal(data, new(bench.Order))
					}
				}))
			}
		}
		for i, c := range all {
			w, r := middle(write[i]), middle(read[i])
			fmt.Fprintf(&b, "| %s | %s | %d ns | %.2f× | %d | %d ns | %.2f× | %d |\n", c.name, m.size,
				w.NsPerOp(), ratio(w, middle(write[0])), w.AllocsPerOp(), r.NsPerOp(), ratio(r, middle(read[0])), r.AllocsPerOp())
		}
	}
	return b.String()
}

func ratio(a, b testing.BenchmarkResult) float64 { return float64(a.NsPerOp()) / float64(b.NsPerOp()) }

func middle(all []testing.BenchmarkResult) testing.BenchmarkResult {
	slices.SortFunc(all, func(a, b testing.BenchmarkResult) int { return int(a.NsPerOp() - b.NsPerOp()) })
	return all[(len(all)-1)/2]
}
