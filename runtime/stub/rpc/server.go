package rpc

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	"connectrpc.com/connect"

	concordat "github.com/concordat-dev/concordat/runtime"
)

func options(s *concordat.Server, spec *concordat.Spec) connect.HandlerOption {
	level := connect.IdempotencyUnknown
	if spec.Safe {
		level = connect.IdempotencyNoSideEffects
	}
	return connect.WithHandlerOptions(connect.WithCodec(codec{}), connect.WithReadMaxBytes(int(s.MaxBody())), connect.WithCompressMinBytes(compressMin), connect.WithIdempotency(level))
}

func incoming(spec *concordat.Spec, header http.Header, peer connect.Peer) *concordat.Call {
	return &concordat.Call{Spec: spec, Side: concordat.Incoming, Meta: header, Peer: peer.Addr}
}

// HandleUnary answers m by impl.
func HandleUnary[In, Out any](s *concordat.Server, m *Method[In, Out], impl func(context.Context, *In) (*Out, error)) {
	last := unaryNext(impl)
	engaged(s, &m.Spec, func() Handler { return unaryHandler[In, Out](s, last) })
	mount(s, &m.Spec, connect.NewUnaryHandler(m.Route, func(ctx context.Context, req *connect.Request[In]) (*connect.Response[Out], error) {
		call := incoming(&m.Spec, req.Header(), req.Peer())
		out, err := inTime[Out](ctx)(s.Intercept(ctx, call, req.Msg, last))
		if err != nil {
			return nil, refused(ctx, s, call, err)
		}
		return respondUnary(call, out), nil
	}, options(s, &m.Spec)))
}

// respondUnary is the reply with what goes beside it.
func respondUnary[Out any](call *concordat.Call, out *Out) *connect.Response[Out] {
	resp := connect.NewResponse(out)
	carry(resp.Header(), call.ReplyMeta)
	carry(resp.Trailer(), call.ReplyTrailer)
	return resp
}

// inTime is reply for a call that may be over by now: nobody waits for what comes after
// the deadline, and both sides are to agree on how the call ended.
func inTime[Out any](ctx context.Context) func(any, error) (*Out, error) {
	return func(out any, err error) (*Out, error) {
		if err == nil && ctx.Err() != nil {
			return nil, concordat.ErrorOf(context.Cause(ctx))
		}
		return reply[Out](out, err)
	}
}

// unaryNext calls impl and makes sure that it returned something.
func unaryNext[In, Out any](impl func(context.Context, *In) (*Out, error)) concordat.Next {
	return func(ctx context.Context, in any) (any, error) {
		msg, err := message[In](in)
		if err != nil {
			return nil, err
		}
		out, err := impl(ctx, msg)
		return given(out, err)
	}
}

func given[Out any](out *Out, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, concordat.Errorf(concordat.Internal, "the handler returned neither a reply nor an error")
	}
	return out, nil
}

// HandleServerStream answers m by what impl's stream yields.
func HandleServerStream[In, Out any](s *concordat.Server, m *Method[In, Out], impl func(context.Context, *In) iter.Seq2[*Out, error]) {
	engaged(s, &m.Spec, func() Handler { return serverStreamHandler(s, impl) })
	mount(s, &m.Spec, connect.NewServerStreamHandler(m.Route, func(ctx context.Context, req *connect.Request[In], stream *connect.ServerStream[Out]) error {
		call := incoming(&m.Spec, req.Header(), req.Peer())
		return toWire(ctx, s, &m.Spec, respond(ctx, s, call, req.Msg, stream, serverStreamNext(impl)))
	}, options(s, &m.Spec)))
}

// HandleClientStream answers m by impl, which ranges over the requests as they come.
func HandleClientStream[In, Out any](s *concordat.Server, m *Method[In, Out], impl func(context.Context, iter.Seq2[*In, error]) (*Out, error)) {
	last := func(ctx context.Context, in any) (any, error) {
		seq, ok := in.(iter.Seq2[*In, error])
		if !ok {
			return nil, swapped("request stream", in)
		}
		out, err := impl(ctx, seq)
		return given(out, err)
	}
	engaged(s, &m.Spec, func() Handler { return clientStreamHandler[In, Out](s, last) })
	mount(s, &m.Spec, connect.NewClientStreamHandler(m.Route, func(ctx context.Context, stream *connect.ClientStream[In]) (*connect.Response[Out], error) {
		call := incoming(&m.Spec, stream.RequestHeader(), stream.Peer())
		out, err := inTime[Out](ctx)(s.Intercept(ctx, call, requests(ctx, func() (*In, error) {
			if stream.Receive() {
				return stream.Msg(), nil
			}
			if err := stream.Err(); err != nil {
				return nil, err
			}
			return nil, io.EOF
		}), last))
		if err != nil {
			return nil, refused(ctx, s, call, err)
		}
		return respondUnary(call, out), nil
	}, options(s, &m.Spec)))
}

// HandleBidi answers m by what impl's stream yields, which may range over the requests
// meanwhile.
func HandleBidi[In, Out any](s *concordat.Server, m *Method[In, Out], impl func(context.Context, iter.Seq2[*In, error]) iter.Seq2[*Out, error]) {
	engaged(s, &m.Spec, func() Handler { return bidiHandler(s, impl) })
	mount(s, &m.Spec, connect.NewBidiStreamHandler(m.Route, func(ctx context.Context, stream *connect.BidiStream[In, Out]) error {
		call := incoming(&m.Spec, stream.RequestHeader(), stream.Peer())
		return toWire(ctx, s, &m.Spec, respond(ctx, s, call, requests(ctx, stream.Receive), stream, bidiNext(impl)))
	}, options(s, &m.Spec)))
}

func serverStreamNext[In, Out any](impl func(context.Context, *In) iter.Seq2[*Out, error]) func(context.Context, any) (iter.Seq2[*Out, error], error) {
	return func(ctx context.Context, in any) (iter.Seq2[*Out, error], error) {
		msg, err := message[In](in)
		if err != nil {
			return nil, err
		}
		return impl(ctx, msg), nil
	}
}

func bidiNext[In, Out any](impl func(context.Context, iter.Seq2[*In, error]) iter.Seq2[*Out, error]) func(context.Context, any) (iter.Seq2[*Out, error], error) {
	return func(ctx context.Context, in any) (iter.Seq2[*Out, error], error) {
		seq, ok := in.(iter.Seq2[*In, error])
		if !ok {
			return nil, swapped("request stream", in)
		}
		return impl(ctx, seq), nil
	}
}

// requests yields what receive returns until io.EOF, once. Where the call is over, its
// context knows best why.
func requests[In any](ctx context.Context, receive func() (*In, error)) iter.Seq2[*In, error] {
	var used atomic.Bool
	return func(yield func(*In, error) bool) {
		if used.Swap(true) {
			yield(nil, errUsed)
			return
		}
		for {
			msg, err := receive()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil && ctx.Err() != nil:
				yield(nil, concordat.ErrorOf(context.Cause(ctx)))
				return
			case err != nil:
				yield(nil, fromWire(err))
				return
			case !yield(msg, nil):
				return
			}
		}
	}
}

// A replier is the sending side of a stream.
type replier[Out any] interface {
	Send(*Out) error
	ResponseHeader() http.Header
	ResponseTrailer() http.Header
}

// respond runs a call whose reply is a stream, and sends what it yields.
func respond[Out any](ctx context.Context, s *concordat.Server, call *concordat.Call, in any, stream replier[Out], impl func(context.Context, any) (iter.Seq2[*Out, error], error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end := func(error) {}
	defer func() {
		carry(stream.ResponseHeader(), call.ReplyMeta) // where no message was sent
		carry(stream.ResponseTrailer(), call.ReplyTrailer)
	}()
	out, err := s.Intercept(ctx, call, in, func(ctx context.Context, in any) (any, error) {
		seq, err := impl(ctx, in)
		if err != nil {
			return nil, err
		}
		if seq == nil {
			return nil, concordat.Errorf(concordat.Internal, "the handler returned no stream")
		}
		end = call.Stream()
		return seq, nil
	})
	if err != nil {
		return err
	}
	seq, ok := out.(iter.Seq2[*Out, error])
	if !ok {
		err = swapped("reply stream", out)
	} else {
		err = pump(ctx, s, call, seq, stream)
	}
	if ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())) { // the server ended it, or the client
		err = concordat.ErrorOf(context.Cause(ctx))
	}
	end(err)
	return err
}

// pump sends what seq yields. A panic in it becomes an Internal error, as Intercept does
// for everything before.
func pump[Out any](ctx context.Context, s *concordat.Server, call *concordat.Call, seq iter.Seq2[*Out, error], stream replier[Out]) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Logger().Error("concordat: a handler panicked", "operation", call.Name, "panic", p, "stack", string(debug.Stack()))
			err = concordat.Errorf(concordat.Internal, "internal error")
		}
	}()
	first := true
	for msg, err := range seq {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return concordat.ErrorOf(context.Cause(ctx))
		}
		if first {
			carry(stream.ResponseHeader(), call.ReplyMeta)
			first = false
		}
		if err := stream.Send(msg); err != nil {
			return fromWire(err)
		}
	}
	return nil
}
