package rpc_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

const aTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// beside does what a handler does to send something beside its reply.
func beside(ctx context.Context, what string) {
	call := concordat.CallOf(ctx)
	call.SetReply("X-Header", what)
	call.SetReply("Grpc-Status", "not a program's")
	call.SetReply("Content-Type", "neither")
	call.SetReplyTrailer("X-Trailer", "after "+what)
	call.SetReply("X-Trace", concordat.TraceParent(ctx))
}

// talkative answers every kind of call with something beside the reply.
func talkative() *orders {
	return &orders{
		place: func(ctx context.Context, in *text) (*text, error) {
			beside(ctx, in.Value)
			if in.Value == "bad" {
				return nil, concordat.Errorf(concordat.NotFound, "no")
			}
			return in, nil
		},
		watch: func(ctx context.Context, in *number) iter.Seq2[*number, error] {
			return func(yield func(*number, error) bool) {
				beside(ctx, "watch")
				for i := range in.Value {
					if !yield(num(i), nil) {
						return
					}
				}
				if in.Value == 0 {
					yield(nil, concordat.Errorf(concordat.NotFound, "no"))
				}
			}
		},
		sum: func(ctx context.Context, in iter.Seq2[*number, error]) (*number, error) {
			for _, err := range in {
				if err != nil {
					return nil, err
				}
			}
			beside(ctx, "sum")
			return num(0), nil
		},
		chat: func(ctx context.Context, in iter.Seq2[*text, error]) iter.Seq2[*text, error] {
			return func(yield func(*text, error) bool) {
				beside(ctx, "chat")
				for m, err := range in {
					if !yield(m, err) {
						return
					}
				}
			}
		},
	}
}

func TestReplyMeta(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		var call *concordat.Call
		seen := concordat.WithInterceptors(func(ctx context.Context, c *concordat.Call, in any, next concordat.Next) (any, error) {
			call = c
			return next(ctx, in)
		})
		w := start(t, talkative(), with, seen)
		ctx, err := concordat.WithTraceParent(t.Context(), aTrace)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, merged bool) {
			t.Helper()
			trailer := call.ReplyTrailer
			if merged {
				trailer = call.ReplyMeta
			}
			tr := call.ReplyMeta.Get("X-Trace")
			if call.ReplyMeta.Get("X-Header") != what || trailer.Get("X-Trailer") != "after "+what || tr != call.Meta.Get("Traceparent") || !strings.HasPrefix(tr, aTrace[:36]) || tr == aTrace {
				t.Errorf("%s: header %v, trailer %v, sent %v", what, call.ReplyMeta, call.ReplyTrailer, call.Meta)
			}
		}
		if _, err := rpc.Unary(ctx, w.conn, &place, str("good")); err != nil {
			t.Fatal(err)
		}
		check("good", false)
		if _, err := rpc.Unary(ctx, w.conn, &place, str("bad")); codeOf(err) != concordat.NotFound {
			t.Fatal(err)
		}
		check("bad", true)
		for n := range int64(3) { // none is a failure without any message
			for range rpc.ServerStream(ctx, w.conn, &watch, num(n)) {
			}
			check("watch", false)
		}
		ones := func(yield func(*number, error) bool) { yield(num(1), nil) }
		if _, err := rpc.ClientStream(ctx, w.conn, &sum, ones); err != nil {
			t.Fatal(err)
		}
		check("sum", false)
		for _, err := range rpc.Bidi(ctx, w.conn, &chat, func(yield func(*text, error) bool) { yield(str("hi"), nil) }) {
			if err != nil {
				t.Fatal(err)
			}
		}
		check("chat", false)
	})
}

// A handler called without a server has no call, and need not care.
func TestNoCall(t *testing.T) {
	if _, err := talkative().place(t.Context(), str("good")); err != nil || concordat.CallOf(t.Context()) != nil {
		t.Error(err)
	}
	if s := fmt.Sprint(concordat.TraceParent(t.Context())); s != "" {
		t.Error(s)
	}
}

// A locked buffer takes a log from several goroutines.
type locked struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), s)
}

// Streams that begin well and break off later speak against their endpoint; those that
// the client ends early do not.
func TestBrokenStreamsEject(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	(&orders{watch: func(_ context.Context, in *number) iter.Seq2[*number, error] {
		return func(yield func(*number, error) bool) {
			if yield(in, nil) {
				yield(nil, concordat.Errorf(concordat.Unavailable, "broke off"))
			}
		}
	}}).register(s)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-s.Ready()
	port := s.Addr()[strings.LastIndex(s.Addr(), ":"):]
	for name, early := range map[string]bool{"broken": false, "left early": true} {
		var log locked
		conn, err := concordat.NewConn("static:127.0.0.1"+port+",localhost"+port, concordat.WithPlaintext(), concordat.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			for _, err := range rpc.ServerStream(ctx, conn, &watch, num(1)) {
				if early {
					break
				}
				if err != nil && codeOf(err) != concordat.Unavailable {
					t.Fatal(err)
				}
			}
		}
		if log.has("endpoint ejected") == early {
			t.Errorf("%s: logged %s", name, log.b.String())
		}
		conn.Close()
	}
}
