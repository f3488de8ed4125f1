package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/internal/interop/rpc/echo"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// Servers of other makes, called by a client of ours.

func TestNodeGRPCServer(t *testing.T) {
	f := write(t)
	addr := begin(t, node(t, "grpc-server.mjs", f.dir, f.proto))
	try(t, "https://"+addr, true, concordat.WithTLS(f.tls))
	try(t, "https://"+addr, true, concordat.WithTLS(f.tls), concordat.WithInterceptors(rpc.Speak(rpc.GRPC, rpc.Gzip())))
}

func TestNodeConnectServer(t *testing.T) {
	f := write(t)
	addr := begin(t, node(t, "connect-server.mjs", f.dir, f.descriptors))
	for name, speak := range map[string]concordat.Interceptor{
		"grpc": rpc.Speak(rpc.GRPC), "grpc json": rpc.Speak(rpc.GRPC, rpc.JSON(), rpc.Gzip()), "grpc-web": rpc.Speak(rpc.GRPCWeb),
		"connect": rpc.Speak(rpc.Connect), "connect json": rpc.Speak(rpc.Connect, rpc.JSON(), rpc.Gzip(), rpc.Get()),
	} {
		t.Run(name, func(t *testing.T) {
			try(t, "https://"+addr, true, concordat.WithTLS(f.tls), concordat.WithInterceptors(speak))
		})
	}
	addr = begin(t, node(t, "connect-server.mjs", f.dir, f.descriptors, "http1"))
	for name, speak := range map[string]concordat.Interceptor{"grpc-web 1.1": rpc.Speak(rpc.GRPCWeb), "connect 1.1": rpc.Speak(rpc.Connect)} {
		t.Run(name, func(t *testing.T) {
			try(t, "http://"+addr, false, concordat.WithHTTP(concordat.HTTP1), concordat.WithInterceptors(speak))
		})
	}
	t.Run("2 where there is 1.1", func(t *testing.T) {
		conn, err := concordat.NewConn("http://"+addr, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := echo.NewEchoClient(conn).Say(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "WithHTTP(concordat.HTTP1)") {
			t.Errorf("the error does not say what to do: %v", err)
		}
	})
}

func TestPythonServer(t *testing.T) {
	f := write(t)
	addr := begin(t, python(t, "server.py", f.dir, f.descriptors))
	try(t, "https://"+addr, true, concordat.WithTLS(f.tls))
	try(t, "https://"+addr, true, concordat.WithTLS(f.tls), concordat.WithInterceptors(rpc.Speak(rpc.GRPC, rpc.Gzip())))
}

// try calls every method of the server at target. duplex says that it can do both ways at
// a time.
func try(t *testing.T, target string, duplex bool, opts ...concordat.ConnOption) {
	t.Helper()
	var header, trailer concordat.Meta
	beside := func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		call.SetMeta("X-Interop", "hello")
		call.SetMeta("X-Interop-Bin", "AAH+/w")
		out, err := next(ctx, in)
		header, trailer = call.ReplyMeta, call.ReplyTrailer
		return out, err
	}
	conn, err := concordat.NewConn(target, append(opts, quiet, concordat.WithInterceptors(beside))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := echo.NewEchoClient(conn)
	for _, text := range []string{"grüße", strings.Repeat("x", 100_000)} {
		out, err := c.Say(t.Context(), &echo.Phrase{Text: text})
		if err != nil || out.GetText() != text {
			t.Fatalf("Say: %v", err)
		}
		if header.Get("X-Reply") != "hello" || trailer.Get("X-Trailer") != "hello" || strings.TrimRight(trailer.Get("X-Trailer-Bin"), "=") != "AAH+/w" {
			t.Errorf("beside the reply: %v, %v", header, trailer)
		}
	}
	tryStreams(t, c, duplex)
	tryFailures(t, c)
}

func tryStreams(t *testing.T, c echo.Echo, duplex bool) {
	t.Helper()
	want := int64(1)
	for n, err := range c.Count(t.Context(), &echo.CountRequest{Last: 1000}) {
		if err != nil || n.GetValue() != want {
			t.Fatalf("Count: %v, %v", n, err)
		}
		want++
	}
	if want != 1001 {
		t.Errorf("Count ended before %d", want)
	}
	sum, err := c.Sum(t.Context(), func(yield func(*echo.Number, error) bool) {
		for i := int64(1); i <= 100 && yield(&echo.Number{Value: i}, nil); i++ {
		}
	})
	if err != nil || sum.GetValue() != 5050 {
		t.Errorf("Sum: %v, %v", sum, err)
	}
	if !duplex {
		return
	}
	turn := make(chan bool, 1)
	turn <- true
	var said []string
	for m, err := range c.Chat(t.Context(), turns(turn, 3)) {
		if err != nil {
			t.Fatalf("Chat: %v", err)
		}
		said = append(said, m.GetText())
		turn <- true
	}
	if s := strings.Join(said, ","); s != "0,1,2" {
		t.Errorf("Chat: %s", s)
	}
}

// turns says n things, each when it is its turn.
func turns(turn <-chan bool, n int) iter.Seq2[*echo.Phrase, error] {
	return func(yield func(*echo.Phrase, error) bool) {
		for i := range n {
			if <-turn; !yield(&echo.Phrase{Text: fmt.Sprint(i)}, nil) {
				return
			}
		}
		<-turn
	}
}

func tryFailures(t *testing.T, c echo.Echo) {
	t.Helper()
	_, err := c.Fail(t.Context(), &echo.Failure{Code: 9, Message: "kein Käse: 100 %", Details: []string{"a", "b"}})
	e := concordat.ErrorOf(err)
	if e == nil || e.Code != concordat.FailedPrecondition || e.Message != "kein Käse: 100 %" {
		t.Fatalf("Fail: %v", err)
	}
	if p, ok := concordat.Detail[echo.Phrase](err); !ok || p.GetText() != "a" || len(e.More) != 2 {
		t.Errorf("Fail: details %v, %v", e.Detail, e.More)
	}
	if n, ok := concordat.Detail[echo.Number](err); !ok || n.GetValue() != 2 {
		t.Errorf("Fail: the last detail is %v", n)
	}
	short, done := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer done()
	if _, err := c.Wait(short, nil); codeOf(err) != concordat.DeadlineExceeded {
		t.Errorf("Wait: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.Count(ctx, nil) {
		cancel()
		last = err
	}
	if codeOf(last) != concordat.Canceled || !errors.Is(last, context.Canceled) {
		t.Errorf("Count, given up: %v", last)
	}
	for range c.Count(t.Context(), nil) { // and the connection is as good as before
		break
	}
	if _, err := c.Say(t.Context(), nil); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// codeOf is OK for nil.
func codeOf(err error) concordat.Code {
	if err == nil {
		return concordat.OK
	}
	return concordat.ErrorOf(err).Code
}
