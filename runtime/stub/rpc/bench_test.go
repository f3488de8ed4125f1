package rpc_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// BenchmarkServerStream is one message of 82 bytes in a long stream.
func BenchmarkServerStream(b *testing.B) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	m := rpc.Method[number, text]{Spec: concordat.Spec{Name: "test.Orders/Feed", Kind: concordat.ServerStream, Route: "/test.Orders/Feed"}}
	message := str(strings.Repeat("x", 80))
	rpc.HandleServerStream(s, &m, func(_ context.Context, in *number) iter.Seq2[*text, error] {
		return func(yield func(*text, error) bool) {
			for range in.Value {
				if !yield(message, nil) {
					return
				}
			}
		}
	})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	conn, err := concordat.NewConn("http://"+s.Addr(), quiet)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for _, err := range rpc.ServerStream(b.Context(), conn, &m, num(int64(b.N))) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.StopTimer()
	if n != b.N {
		b.Errorf("%d messages of %d", n, b.N)
	}
	conn.Close()
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}
