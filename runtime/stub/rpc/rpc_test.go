package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// What follows is what the generator would emit for a service with one method per kind.

type (
	text   = wrapperspb.StringValue
	number = wrapperspb.Int64Value
)

var (
	place  = rpc.Method[text, text]{Spec: concordat.Spec{Name: "test.Orders/Place", Route: "/test.Orders/Place"}}
	lookup = rpc.Method[text, text]{Spec: concordat.Spec{Name: "test.Orders/Lookup", Route: "/test.Orders/Lookup", Idempotent: true}}
	watch  = rpc.Method[number, number]{Spec: concordat.Spec{Name: "test.Orders/Watch", Kind: concordat.ServerStream, Route: "/test.Orders/Watch"}}
	sum    = rpc.Method[number, number]{Spec: concordat.Spec{Name: "test.Orders/Sum", Kind: concordat.ClientStream, Route: "/test.Orders/Sum"}}
	chat   = rpc.Method[text, text]{Spec: concordat.Spec{Name: "test.Orders/Chat", Kind: concordat.Bidi, Route: "/test.Orders/Chat"}}
)

type orders struct {
	place func(context.Context, *text) (*text, error)
	watch func(context.Context, *number) iter.Seq2[*number, error]
	sum   func(context.Context, iter.Seq2[*number, error]) (*number, error)
	chat  func(context.Context, iter.Seq2[*text, error]) iter.Seq2[*text, error]
}

func (o *orders) register(s *concordat.Server) {
	rpc.HandleUnary(s, &place, o.place)
	rpc.HandleUnary(s, &lookup, o.place)
	rpc.HandleServerStream(s, &watch, o.watch)
	rpc.HandleClientStream(s, &sum, o.sum)
	rpc.HandleBidi(s, &chat, o.chat)
}

var quiet = concordat.WithLogger(slog.New(slog.DiscardHandler))

type world struct {
	conn  *concordat.Conn
	base  string
	plain *http.Client // HTTP/2 over TLS, not ours
	s     *concordat.Server
}

func start(t *testing.T, o *orders, opts ...concordat.ConnOption) *world {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.Mutual("orders")
	if err != nil {
		t.Fatal(err)
	}
	side, opts := engineOf(t, opts)
	s := concordat.NewServer(append(side.options(), concordat.WithTLS(config), concordat.WithMaxBody(1<<16), quiet)...)
	o.register(s)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case <-s.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	conn, err := concordat.NewConn("https://"+side.addr(s), append(opts, concordat.WithTLS(config), concordat.WithMaxBody(1<<16), quiet)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client, err := config.Client("127.0.0.1", "h2")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: client, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &world{conn, "https://" + s.Addr(), &http.Client{Transport: transport}, s}
}

func str(s string) *text  { return wrapperspb.String(s) }
func num(n int64) *number { return wrapperspb.Int64(n) }
func codeOf(err error) concordat.Code {
	return concordat.ErrorOf(err).Code
}

// protocols runs f once for each protocol that clients may speak, and with each side on
// the other engine.
func protocols(t *testing.T, f func(t *testing.T, with concordat.ConnOption)) {
	for name, p := range map[string]rpc.Protocol{"grpc": rpc.GRPC, "connect": rpc.Connect, "grpc-web": rpc.GRPCWeb} {
		t.Run(name, func(t *testing.T) { f(t, concordat.WithInterceptors(rpc.Speak(p))) })
	}
	engines(t, f)
}

func TestUnary(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		var left time.Duration
		w := start(t, &orders{place: func(ctx context.Context, in *text) (*text, error) {
			if end, ok := ctx.Deadline(); ok {
				left = time.Until(end)
			}
			return str("placed " + in.Value), nil
		}}, with)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		out, err := rpc.Unary(ctx, w.conn, &place, str("ü"))
		if err != nil || out.Value != "placed ü" {
			t.Fatal(out, err)
		}
		if left < 59*time.Minute || left > time.Hour {
			t.Errorf("the server knew of %v", left)
		}
		if out, err := rpc.Unary(ctx, w.conn, &place, nil); err != nil || out.Value != "placed " {
			t.Error(out, err)
		}
		big := strings.Repeat("x", 1<<15)
		if out, err := rpc.Unary(ctx, w.conn, &place, str(big)); err != nil || out.Value != "placed "+big {
			t.Error("large message:", err)
		}
		if _, err := rpc.Unary(ctx, w.conn, &place, str(strings.Repeat("x", 1<<17))); codeOf(err) != concordat.ResourceExhausted {
			t.Errorf("too large: %v", err)
		}
	})
}

func TestErrors(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		var answer error
		w := start(t, &orders{
			place: func(context.Context, *text) (*text, error) { return nil, answer },
			watch: func(context.Context, *number) iter.Seq2[*number, error] {
				return func(yield func(*number, error) bool) { _ = yield(num(1), nil) && yield(nil, answer) }
			},
		}, with)
		call := func() error {
			_, err := rpc.Unary(t.Context(), w.conn, &place, str("x"))
			return err
		}
		for c := concordat.Canceled; c <= concordat.Unauthenticated; c++ {
			answer = concordat.Errorf(c, "because %d", c).With(durationpb.New(5 * time.Second))
			err := call()
			e := concordat.ErrorOf(err)
			if e.Code != c || !strings.Contains(e.Message, fmt.Sprintf("because %d", c)) {
				t.Errorf("%v came as %v", answer, err)
			}
			if d, ok := concordat.Detail[durationpb.Duration](err); !ok || d.Seconds != 5 {
				t.Errorf("%v: the detail came as %v", c, d)
			}
		}
		answer = errors.New("dial db-7: password hunter2")
		if err := call(); strings.Contains(err.Error(), "hunter2") {
			t.Errorf("leaked: %v", err)
		}
		answer = nil
		if err := call(); codeOf(err) != concordat.Internal {
			t.Errorf("nothing returned: %v", err)
		}
		answer = concordat.Errorf(concordat.DataLoss, "gone").With(str("where"))
		var got []int64
		var failure error
		for n, err := range rpc.ServerStream(t.Context(), w.conn, &watch, num(1)) {
			if failure = err; err == nil {
				got = append(got, n.Value)
			}
		}
		if d, ok := concordat.Detail[text](failure); len(got) != 1 || codeOf(failure) != concordat.DataLoss || !ok || d.Value != "where" {
			t.Errorf("stream: %v, %v", got, failure)
		}
	})
}

func count(_ context.Context, in *number) iter.Seq2[*number, error] {
	return func(yield func(*number, error) bool) {
		for i := range in.Value {
			if !yield(num(i), nil) {
				return
			}
		}
	}
}

func TestServerStream(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		w := start(t, &orders{watch: count}, with)
		stream := rpc.ServerStream(t.Context(), w.conn, &watch, num(1000))
		want := int64(0)
		for n, err := range stream {
			if err != nil || n.Value != want {
				t.Fatal(n, err)
			}
			want++
		}
		if want != 1000 {
			t.Errorf("%d messages", want)
		}
		for _, err := range stream {
			if codeOf(err) != concordat.FailedPrecondition {
				t.Errorf("ranged over twice: %v", err)
			}
		}
		for range rpc.ServerStream(t.Context(), w.conn, &watch, num(0)) {
			t.Error("an empty stream yields")
		}
	})
}

// Breaking out of a stream ends the handler's context.
func TestBreakCancels(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		ended := make(chan error, 1)
		w := start(t, &orders{watch: func(ctx context.Context, in *number) iter.Seq2[*number, error] {
			return func(yield func(*number, error) bool) {
				if !yield(num(1), nil) {
					return
				}
				<-ctx.Done()
				ended <- ctx.Err()
			}
		}}, with)
		for range rpc.ServerStream(t.Context(), w.conn, &watch, num(1)) {
			break
		}
		if err := <-ended; err == nil {
			t.Error("the handler was not told")
		}
		for _, op := range w.conn.Stats() {
			if op.InFlight != 0 {
				t.Errorf("%s: %d in flight", op.Name, op.InFlight)
			}
		}
	})
}

func numbers(n int64, failure error) iter.Seq2[*number, error] {
	return func(yield func(*number, error) bool) {
		for i := range n {
			if !yield(num(i), nil) {
				return
			}
		}
		if failure != nil {
			yield(nil, failure)
		}
	}
}

func TestClientStream(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		w := start(t, &orders{sum: func(_ context.Context, in iter.Seq2[*number, error]) (*number, error) {
			total := int64(0)
			for n, err := range in {
				if err != nil {
					return nil, err
				}
				if total += n.Value; total > 1_000_000 {
					return nil, concordat.Errorf(concordat.OutOfRange, "too much")
				}
			}
			for _, err := range in {
				if codeOf(err) != concordat.FailedPrecondition {
					t.Errorf("requests ranged over twice: %v", err)
				}
			}
			return num(total), nil
		}}, with)
		out, err := rpc.ClientStream(t.Context(), w.conn, &sum, numbers(100, nil))
		if err != nil || out.Value != 4950 {
			t.Fatal(out, err)
		}
		mine := errors.New("my own")
		if _, err := rpc.ClientStream(t.Context(), w.conn, &sum, numbers(3, mine)); !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
		if _, err := rpc.ClientStream(t.Context(), w.conn, &sum, numbers(1<<20, nil)); codeOf(err) != concordat.OutOfRange {
			t.Errorf("got %v", err)
		}
	})
}

func TestBidi(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		w := start(t, &orders{chat: func(_ context.Context, in iter.Seq2[*text, error]) iter.Seq2[*text, error] {
			return func(yield func(*text, error) bool) {
				for m, err := range in {
					if err != nil {
						yield(nil, err)
						return
					}
					if !yield(str("re: "+m.Value), nil) {
						return
					}
				}
				yield(str("bye"), nil)
			}
		}}, with)
		// Each message is sent when the answer to the one before is here.
		turn := make(chan bool, 10)
		turn <- true
		in := func(yield func(*text, error) bool) {
			for i := range 5 {
				<-turn
				if !yield(str(fmt.Sprint(i)), nil) {
					return
				}
			}
		}
		var got []string
		for m, err := range rpc.Bidi(t.Context(), w.conn, &chat, in) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, m.Value)
			turn <- true
		}
		if s := strings.Join(got, ","); s != "re: 0,re: 1,re: 2,re: 3,re: 4,bye" {
			t.Error(s)
		}
		mine := errors.New("my own")
		var last error
		for _, err := range rpc.Bidi(t.Context(), w.conn, &chat, func(yield func(*text, error) bool) {
			_ = yield(str("x"), nil) && yield(nil, mine)
		}) {
			last = err
		}
		if !errors.Is(last, mine) {
			t.Errorf("got %v", last)
		}
	})
}

func TestPanics(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		w := start(t, &orders{
			place: func(context.Context, *text) (*text, error) { panic("unary") },
			watch: func(context.Context, *number) iter.Seq2[*number, error] {
				return func(func(*number, error) bool) { panic("stream") }
			},
		}, with)
		if _, err := rpc.Unary(t.Context(), w.conn, &place, str("")); codeOf(err) != concordat.Internal {
			t.Error(err)
		}
		for _, err := range rpc.ServerStream(t.Context(), w.conn, &watch, num(1)) {
			if codeOf(err) != concordat.Internal {
				t.Error(err)
			}
		}
	})
}

// Repeated is what is idempotent, and nothing else.
func TestRetries(t *testing.T) {
	protocols(t, func(t *testing.T, with concordat.ConnOption) {
		calls := 0
		w := start(t, &orders{place: func(context.Context, *text) (*text, error) {
			if calls++; calls%3 != 0 {
				return nil, concordat.Errorf(concordat.Unavailable, "not now")
			}
			return str("done"), nil
		}}, with)
		if out, err := rpc.Unary(t.Context(), w.conn, &lookup, str("x")); err != nil || out.Value != "done" || calls != 3 {
			t.Errorf("%v %v after %d calls", out, err, calls)
		}
		if _, err := rpc.Unary(t.Context(), w.conn, &place, str("x")); codeOf(err) != concordat.Unavailable || calls != 4 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

// An endpoint that refuses connections costs no call, whatever its kind: nothing was sent.
func TestUnsentGoesElsewhere(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	(&orders{
		place: func(_ context.Context, in *text) (*text, error) { return in, nil },
		watch: count,
		sum: func(_ context.Context, in iter.Seq2[*number, error]) (*number, error) {
			n := int64(0)
			for range in {
				n++
			}
			return num(n), nil
		},
		chat: func(_ context.Context, in iter.Seq2[*text, error]) iter.Seq2[*text, error] { return in },
	}).register(s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	<-s.Ready()
	for i := range 8 {
		conn, err := concordat.NewConn("static:127.0.0.1:1,"+s.Addr(), concordat.WithPlaintext(), quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		switch i % 4 {
		case 0:
			_, err = rpc.Unary(t.Context(), conn, &place, str("x"))
		case 1:
			for _, err = range rpc.ServerStream(t.Context(), conn, &watch, num(2)) {
			}
		case 2:
			var n *number
			if n, err = rpc.ClientStream(t.Context(), conn, &sum, numbers(3, nil)); err == nil && n.Value != 3 {
				t.Errorf("sum of %d", n.Value)
			}
		case 3:
			for _, err = range rpc.Bidi(t.Context(), conn, &chat, func(yield func(*text, error) bool) { yield(str("x"), nil) }) {
			}
		}
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// Connect's own client, in each protocol, against our server.
// gRPC as its specification has it on the wire, without anybody's library.
// Connect's own handler as a server that is not ours, below a base path.
// A page from something in between is an error with a code, not a puzzle.
// Interceptors see streams as what they are and may wrap them.
const _ = rpc.V1
