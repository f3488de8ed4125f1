package rpc

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync/atomic"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// An Engine carries the calls of a connection in place of connect-go. It makes attempts
// only: deadlines, retries, endpoints, interceptors and statistics are the connection's.
// Messages are pointers to generated messages, and errors *concordat.Error.
type Engine interface {
	// Unary sends in and reads the reply into out, and notes in call what came beside it.
	Unary(ctx context.Context, conn *concordat.Conn, a *concordat.Attempt, call *concordat.Call, how Manners, in, out any) error
	// Open opens a stream, which has a connection when Open returns, and ends with ctx.
	Open(ctx context.Context, conn *concordat.Conn, a *concordat.Attempt, call *concordat.Call, how Manners) (Stream, error)
}

// Manners are the Manner that an engine minds.
type Manners struct {
	Gzip    bool // compress requests
	GzipMin int  // of this size or more, where messages are sent one by one
}

// A Stream is a stream of an Engine, as a client sees it. Sending and receiving are
// independent of each other; each is one goroutine's.
type Stream interface {
	Send(msg any) error // io.EOF: the stream is over, and Receive tells why
	CloseSend() error
	Receive(msg any) error // io.EOF: there are no more
	Header() http.Header   // known when Receive has returned
	Trailer() http.Header  // known when Receive has returned an error
}

// WithEngine makes e carry a connection's calls by gRPC. Those that speak otherwise (see
// Speak) stay with connect-go. Packages of engines call it.
func WithEngine(e Engine) concordat.ConnOption { return concordat.WithSetting(engineKey{}, e) }

type engineKey struct{}

// engineOf returns the engine of a call; nil where connect-go carries it.
func engineOf(ctx context.Context, conn *concordat.Conn) (Engine, Manners) {
	e, ok := conn.Setting(engineKey{}).(Engine)
	if !ok {
		return nil, Manners{}
	}
	c, _ := ctx.Value(configKey{}).(config)
	if c.protocol != GRPC || c.json {
		return nil, Manners{}
	}
	return e, Manners{Gzip: c.gzip, GzipMin: c.compressMin}
}

func engineUnary[Out any](ctx context.Context, conn *concordat.Conn, e Engine, how Manners, call *concordat.Call, in any) (any, error) {
	var out *Out
	err := conn.Try(ctx, call.Spec, func(ctx context.Context, a *concordat.Attempt) error {
		out = new(Out) // what a failed attempt left is not for the next
		return e.Unary(ctx, conn, a, call, how, in, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// engineOpen makes the attempts to start a stream. The caller calls end when it is over.
func engineOpen(ctx context.Context, conn *concordat.Conn, e Engine, how Manners, call *concordat.Call) (s Stream, end func(error), err error) {
	err = conn.Try(ctx, call.Spec, func(ctx context.Context, a *concordat.Attempt) error {
		ctx, cancel := a.Context(ctx)
		var err error
		if s, err = e.Open(ctx, conn, a, call, how); err != nil {
			cancel()
			return err
		}
		ended := a.Stream()
		end = func(err error) { cancel(); ended(err) }
		return nil
	})
	return s, end, err
}

func engineServerStream[Out any](ctx context.Context, conn *concordat.Conn, e Engine, how Manners, call *concordat.Call, in any) (any, error) {
	s, end, err := engineOpen(ctx, conn, e, how, call)
	if err != nil {
		return nil, err
	}
	if s.Send(in) == nil {
		_ = s.CloseSend() // receiving tells
	}
	return engineReplies[Out](s, call, end, nil), nil
}

func engineClientStream[In, Out any](ctx context.Context, conn *concordat.Conn, e Engine, how Manners, call *concordat.Call, seq iter.Seq2[*In, error]) (any, error) {
	s, end, err := engineOpen(ctx, conn, e, how, call)
	if err != nil {
		return nil, err
	}
	if err := sendAll(seq, func(m *In) error { return s.Send(m) }); err != nil {
		end(nil) // which is nobody's fault but seq's
		return nil, err
	}
	_ = s.CloseSend() // receiving tells
	out := new(Out)
	err = s.Receive(out)
	if errors.Is(err, io.EOF) {
		err = concordat.Errorf(concordat.Unimplemented, "the server ended the call without a reply")
	}
	call.ReplyMeta, call.ReplyTrailer = s.Header(), s.Trailer()
	if err != nil {
		call.ReplyMeta = both(call.ReplyMeta, call.ReplyTrailer)
		end(err)
		return nil, err
	}
	end(nil)
	return out, nil
}

// both is header with what trailer adds: what a failure brings.
func both(header, trailer http.Header) http.Header {
	if len(header) == 0 {
		return trailer
	}
	carry(header, trailer)
	return header
}

func engineBidi[In, Out any](ctx context.Context, conn *concordat.Conn, e Engine, how Manners, call *concordat.Call, seq iter.Seq2[*In, error]) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	s, ended, err := engineOpen(ctx, conn, e, how, call)
	if err != nil {
		cancel()
		return nil, err
	}
	var failed atomic.Pointer[error]
	go func() {
		if err := sendAll(seq, func(m *In) error { return s.Send(m) }); err != nil {
			failed.Store(&err)
			cancel()
			return
		}
		_ = s.CloseSend() // receiving tells
	}()
	end := func(err error) { cancel(); ended(err) }
	return engineReplies[Out](s, call, end, func() error {
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}), nil
}

func engineReplies[Out any](s Stream, call *concordat.Call, end func(error), sender func() error) iter.Seq2[*Out, error] {
	return replies(&inbound[Out]{call: call, end: end, sender: sender, header: s.Header, trailer: s.Trailer,
		closing: func() error { return nil }, // end does it
		receive: func() (*Out, error) {
			out := new(Out)
			if err := s.Receive(out); err != nil {
				return nil, err
			}
			return out, nil
		}})
}
