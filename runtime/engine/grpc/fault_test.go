package grpcengine_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	concordat "github.com/concordat-dev/concordat/runtime"
	grpcengine "github.com/concordat-dev/concordat/runtime/engine/grpc"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

type text = wrapperspb.StringValue

var (
	place  = rpc.Method[text, text]{Spec: concordat.Spec{Name: "test.Orders/Place", Route: "/test.Orders/Place"}}
	lookup = rpc.Method[text, text]{Spec: concordat.Spec{Name: "test.Orders/Lookup", Route: "/test.Orders/Lookup", Idempotent: true}}
	watch  = rpc.Method[text, text]{Spec: concordat.Spec{Name: "test.Orders/Watch", Kind: concordat.ServerStream, Route: "/test.Orders/Watch"}}
	chat   = rpc.Method[text, text]{Spec: concordat.Spec{Name: "test.Orders/Chat", Kind: concordat.Bidi, Route: "/test.Orders/Chat"}}
)

var quiet = concordat.WithLogger(slog.New(slog.DiscardHandler))

// A backend is a server whose second engine is grpc-go's.
type backend struct {
	*concordat.Server
	addr  string // of the second engine
	calls atomic.Int64
	stop  func() error // may be called more than once
}

func (b *backend) echo(_ context.Context, in *text) (*text, error) {
	b.calls.Add(1)
	return in, nil
}

func (b *backend) register() {
	rpc.HandleUnary(b.Server, &place, b.echo)
	rpc.HandleUnary(b.Server, &lookup, b.echo)
	rpc.HandleServerStream(b.Server, &watch, func(_ context.Context, in *text) iter.Seq2[*text, error] {
		return func(yield func(*text, error) bool) {
			for range 2 {
				if !yield(in, nil) {
					return
				}
			}
		}
	})
	rpc.HandleBidi(b.Server, &chat, func(_ context.Context, in iter.Seq2[*text, error]) iter.Seq2[*text, error] { return in })
}

// serve starts a backend, in plaintext unless opts say otherwise.
func serve(t *testing.T, opts ...concordat.ServerOption) *backend {
	t.Helper()
	b := prepare(t, opts...)
	b.register()
	b.run(t)
	return b
}

func prepare(t *testing.T, opts ...concordat.ServerOption) *backend {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if len(opts) == 0 {
		opts = append(opts, concordat.WithPlaintext())
	}
	return &backend{Server: concordat.NewServer(append(opts, grpcengine.ServeListener(ln), quiet)...), addr: ln.Addr().String()}
}

func (b *backend) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	b.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = b.stop() })
	select {
	case <-b.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
}

// dial connects by grpc-go.
func dial(t *testing.T, target string, opts ...concordat.ConnOption) *concordat.Conn {
	t.Helper()
	c, err := concordat.NewConn(target, append([]concordat.ConnOption{grpcengine.With(), quiet}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// many makes n calls, some at a time, and returns the errors.
func many(t *testing.T, c *concordat.Conn, m *rpc.Method[text, text], n int, limit time.Duration) (errs []error) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan struct{})
	for range 16 {
		wg.Go(func() {
			for range next {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				out, err := rpc.Unary(ctx, c, m, wrapperspb.String("hello"))
				cancel()
				if err == nil && out.Value != "hello" {
					err = fmt.Errorf("the reply is %q", out.Value)
				}
				if err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for range n {
		next <- struct{}{}
	}
	close(next)
	wg.Wait()
	return errs
}

func retries(c *concordat.Conn) (n int64) {
	for _, o := range c.Stats() {
		n += o.Retries
	}
	return n
}

// stalls listens to who connects, greets as HTTP/2 has it if it is to, and answers nothing, as a process
// does that was stopped.
func stalls(t *testing.T, greet bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			if greet {
				_, _ = c.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS without any
			}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	return ln.Addr().String()
}

func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// One of three endpoints takes requests and never answers, or not even greets.
func TestHungEndpointLosesNothing(t *testing.T) {
	for name, greets := range map[string]bool{"no answers": true, "no greeting": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := serve(t), serve(t)
			c := dial(t, fmt.Sprintf("static:%s,%s,%s", a.addr, stalls(t, greets), b.addr), concordat.WithPlaintext())
			if errs := many(t, c, &lookup, 600, 3*time.Second); len(errs) > 0 {
				t.Fatalf("%d of 600 calls lost, the first: %v", len(errs), errs[0])
			}
			if n := retries(c); n < 1 || n > 32 {
				t.Errorf("%d retries; one at least, and no more than met the endpoint before it was ejected", n)
			}
		})
	}
}

// What never left is repeated, idempotent or not, and is not done twice.
func TestClosedPortLosesNothing(t *testing.T) {
	live := serve(t)
	c := dial(t, fmt.Sprintf("static:%s,%s", closedPort(t), live.addr), concordat.WithPlaintext())
	if errs := many(t, c, &place, 200, 10*time.Second); len(errs) > 0 {
		t.Fatalf("%d of 200 calls lost, the first: %v", len(errs), errs[0])
	}
	if n := live.calls.Load(); n != 200 {
		t.Errorf("the live endpoint saw %d requests of 200", n)
	}
	if retries(c) == 0 {
		t.Error("no call met the dead endpoint")
	}
}

func TestUnsentStreamsGoElsewhere(t *testing.T) {
	live := serve(t)
	for range 8 { // the first pick is random
		c := dial(t, fmt.Sprintf("static:%s,%s", closedPort(t), live.addr), concordat.WithPlaintext())
		n := 0
		for out, err := range rpc.ServerStream(t.Context(), c, &watch, wrapperspb.String("x")) {
			if err != nil || out.Value != "x" {
				t.Fatal(out, err)
			}
			n++
		}
		for out, err := range rpc.Bidi(t.Context(), c, &chat, func(yield func(*text, error) bool) { yield(wrapperspb.String("y"), nil) }) {
			if err != nil || out.Value != "y" {
				t.Fatal(out, err)
			}
			n++
		}
		if n != 3 {
			t.Errorf("%d messages", n)
		}
	}
}

// A server that stops under load finishes what it has; what comes later goes elsewhere.
func TestDrainLosesNothing(t *testing.T) {
	a, b := serve(t), serve(t)
	c := dial(t, fmt.Sprintf("static:%s,%s", a.addr, b.addr), concordat.WithPlaintext())
	stopped := make(chan error, 1)
	var once sync.Once
	half := concordat.WithInterceptors(func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		once.Do(func() { go func() { stopped <- a.stop() }() })
		return next(ctx, in)
	})
	other := dial(t, fmt.Sprintf("static:%s,%s", a.addr, b.addr), concordat.WithPlaintext(), half)
	if errs := many(t, c, &lookup, 100, 10*time.Second); len(errs) > 0 {
		t.Fatalf("before: %v", errs[0])
	}
	if errs := many(t, other, &lookup, 600, 10*time.Second); len(errs) > 0 {
		t.Fatalf("%d of 600 calls lost, the first: %v", len(errs), errs[0])
	}
	if err := <-stopped; err != nil {
		t.Errorf("draining: %v", err)
	}
	if errs := many(t, c, &lookup, 100, 10*time.Second); len(errs) > 0 {
		t.Fatalf("after: %v", errs[0])
	}
}

// The only endpoint was down, and a call after it came back does not wait for anybody's
// backoff.
func TestReturns(t *testing.T) {
	addr := closedPort(t)
	c := dial(t, "http://"+addr, concordat.WithRetries(0))
	_, err := rpc.Unary(t.Context(), c, &place, wrapperspb.String("x"))
	if e := concordat.ErrorOf(err); e.Code != concordat.Unavailable || !strings.Contains(e.Message, "nothing listens at "+addr) {
		t.Fatalf("nobody there: %v", err)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("somebody took the port: %v", err)
	}
	b := &backend{Server: concordat.NewServer(concordat.WithPlaintext(), grpcengine.ServeListener(ln), quiet)}
	b.register()
	b.run(t)
	if _, err := rpc.Unary(t.Context(), c, &place, wrapperspb.String("x")); err != nil {
		t.Fatal(err)
	}
}
