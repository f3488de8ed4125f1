package rpc

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// A ServerEngine serves methods beside connect-go, at an address of its own. It does what
// [concordat.Server.Enter] does before it calls a handler.
type ServerEngine interface {
	// Handle takes a method of s, before s runs.
	Handle(s *concordat.Server, spec *concordat.Spec, h Handler)
}

// A Handler answers a method, whatever its messages are. One of its fields is set: Unary
// for methods that do not stream. It runs the server's interceptors; errors are what they
// and the program return, not yet fit for strangers.
type Handler struct {
	// Unary reads the request by decode and returns the reply.
	Unary func(ctx context.Context, call *concordat.Call, decode func(any) error) (any, error)
	// Stream receives and sends until it returns.
	Stream func(ctx context.Context, call *concordat.Call, s ServerSide) error
}

// A ServerSide is a stream as a server sees it.
type ServerSide interface {
	Receive(msg any) error // io.EOF: there are no more
	Send(msg any) error
	Header() http.Header  // to be added to before the first Send
	Trailer() http.Header // to be added to before the handler returns
}

// WithServerEngine makes a server's methods known to e, too. Packages of engines call it.
func WithServerEngine(e ServerEngine) concordat.ServerOption {
	return concordat.WithSetting(engineKey{}, e)
}

// engaged lets the server's engine, if it has one, serve a method.
func engaged(s *concordat.Server, spec *concordat.Spec, h func() Handler) {
	if e, ok := s.Setting(engineKey{}).(ServerEngine); ok {
		e.Handle(s, spec, h())
	}
}

func unaryHandler[In, Out any](s *concordat.Server, last concordat.Next) Handler {
	return Handler{Unary: func(ctx context.Context, call *concordat.Call, decode func(any) error) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		return inTime[Out](ctx)(s.Intercept(ctx, call, in, last))
	}}
}

func serverStreamHandler[In, Out any](s *concordat.Server, impl func(context.Context, *In) iter.Seq2[*Out, error]) Handler {
	next := serverStreamNext(impl)
	return Handler{Stream: func(ctx context.Context, call *concordat.Call, side ServerSide) error {
		in := new(In)
		if err := side.Receive(in); err != nil {
			return unfinished(err)
		}
		return respond(ctx, s, call, in, sending[Out]{side}, next)
	}}
}

// unfinished is the error of a request that did not come.
func unfinished(err error) error {
	if errors.Is(err, io.EOF) {
		return concordat.Errorf(concordat.Unimplemented, "the call has no request message")
	}
	return err
}

func clientStreamHandler[In, Out any](s *concordat.Server, last concordat.Next) Handler {
	return Handler{Stream: func(ctx context.Context, call *concordat.Call, side ServerSide) error {
		out, err := inTime[Out](ctx)(s.Intercept(ctx, call, requests(ctx, receiver[In](side)), last))
		carry(side.Header(), call.ReplyMeta)
		carry(side.Trailer(), call.ReplyTrailer)
		if err != nil {
			return err
		}
		return side.Send(out)
	}}
}

func bidiHandler[In, Out any](s *concordat.Server, impl func(context.Context, iter.Seq2[*In, error]) iter.Seq2[*Out, error]) Handler {
	next := bidiNext(impl)
	return Handler{Stream: func(ctx context.Context, call *concordat.Call, side ServerSide) error {
		return respond(ctx, s, call, requests(ctx, receiver[In](side)), sending[Out]{side}, next)
	}}
}

func receiver[In any](side ServerSide) func() (*In, error) {
	return func() (*In, error) {
		in := new(In)
		if err := side.Receive(in); err != nil {
			return nil, err
		}
		return in, nil
	}
}

// sending is a ServerSide as respond knows it.
type sending[Out any] struct{ ServerSide }

func (s sending[Out]) Send(m *Out) error            { return s.ServerSide.Send(m) }
func (s sending[Out]) ResponseHeader() http.Header  { return s.Header() }
func (s sending[Out]) ResponseTrailer() http.Header { return s.Trailer() }
