package rpc_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// Messages come whole and in order however they are written, and what comes behind the
// last one, too, in every protocol and version of HTTP.
func TestBatches(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	m := rpc.Method[number, text]{Spec: concordat.Spec{Name: "test.Orders/Feed", Kind: concordat.ServerStream, Route: "/test.Orders/Feed"}}
	sized := func(i int64) string { return strings.Repeat("x", int(i*i*37%5000)) }
	rpc.HandleServerStream(s, &m, func(ctx context.Context, in *number) iter.Seq2[*text, error] {
		return func(yield func(*text, error) bool) {
			for i := range in.Value {
				if i == 100 && !yield(str(strings.Repeat("y", 1<<20)), nil) {
					return
				}
				if !yield(str(sized(i)), nil) {
					return
				}
			}
			concordat.CallOf(ctx).SetReplyTrailer("X-Last", "behind")
			yield(nil, concordat.Errorf(concordat.DataLoss, "and then nothing"))
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for name, opts := range map[string][]concordat.ConnOption{
		"grpc":         {concordat.WithInterceptors(rpc.Speak(rpc.GRPC))},
		"connect":      {concordat.WithInterceptors(rpc.Speak(rpc.Connect))},
		"grpc-web 1.1": {concordat.WithHTTP(concordat.HTTP1), concordat.WithInterceptors(rpc.Speak(rpc.GRPCWeb))},
		"connect 1.1":  {concordat.WithHTTP(concordat.HTTP1), concordat.WithInterceptors(rpc.Speak(rpc.Connect))},
	} {
		var trailer func() string
		seeing := concordat.WithInterceptors(func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
			trailer = func() string { return call.ReplyTrailer.Get("X-Last") }
			return next(ctx, in)
		})
		conn, err := concordat.NewConn("http://"+s.Addr(), append(opts, seeing, quiet)...)
		if err != nil {
			t.Fatal(err)
		}
		var last error
		want := int64(0)
		for got, err := range rpc.ServerStream(t.Context(), conn, &m, num(1000)) {
			switch {
			case err != nil:
				last = err
			case strings.HasPrefix(got.Value, "y"):
				if want != 100 || len(got.Value) != 1<<20 {
					t.Errorf("%s: the large message came as message %d, with %d bytes", name, want, len(got.Value))
				}
			case got.Value != sized(want):
				t.Fatalf("%s: message %d has %d bytes", name, want, len(got.Value))
			default:
				want++
			}
		}
		if want != 1000 || codeOf(last) != concordat.DataLoss || trailer() != "behind" {
			t.Errorf("%s: %d messages, then %v and %q", name, want, last, trailer())
		}
		conn.Close()
	}
}
