package rpc

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync/atomic"

	"connectrpc.com/connect"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// Unary calls m and returns its reply. A nil in stands for an empty message.
func Unary[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], in *In) (*Out, error) {
	call := concordat.Call{Spec: &m.Spec}
	out, err := conn.Invoke(ctx, &call, in, func(ctx context.Context, in any) (any, error) {
		msg, err := message[In](in)
		if err != nil {
			return nil, err
		}
		if e, how := engineOf(ctx, conn); e != nil {
			return engineUnary[Out](ctx, conn, e, how, &call, msg)
		}
		client, out := m.client(ctx, conn), (*Out)(nil)
		err = conn.Try(ctx, &m.Spec, func(ctx context.Context, a *concordat.Attempt) error {
			ctx, cancel, _ := dial(ctx, conn, a)
			defer cancel()
			call.Peer = a.Endpoint.Addr
			req := connect.NewRequest(msg)
			carry(req.Header(), call.Meta)
			resp, err := client.CallUnary(ctx, req)
			if err != nil {
				return failed(&call, err)
			}
			call.ReplyMeta, call.ReplyTrailer = resp.Header(), resp.Trailer()
			out = resp.Msg
			return nil
		})
		if err != nil {
			return nil, err
		}
		return out, nil
	})
	return reply[Out](out, err)
}

// message is the request that an interceptor passed on.
func message[In any](in any) (*In, error) {
	msg, ok := in.(*In)
	if !ok {
		return nil, swapped("request", in)
	}
	if msg == nil {
		msg = new(In)
	}
	return msg, nil
}

// reply is what Invoke returned.
func reply[Out any](out any, err error) (*Out, error) {
	if err != nil {
		return nil, err
	}
	if msg, ok := out.(*Out); ok {
		return msg, nil
	}
	return nil, swapped("reply", out)
}

// ServerStream calls m and returns its replies as they come.
func ServerStream[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], in *In) iter.Seq2[*Out, error] {
	return lazy[Out](func(call *concordat.Call) (any, error) {
		call.Spec = &m.Spec
		return conn.Invoke(ctx, call, in, func(ctx context.Context, in any) (any, error) {
			msg, err := message[In](in)
			if err != nil {
				return nil, err
			}
			if e, how := engineOf(ctx, conn); e != nil {
				return engineServerStream[Out](ctx, conn, e, how, call, msg)
			}
			return serverStream(ctx, conn, m, call, msg)
		})
	})
}

func serverStream[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], call *concordat.Call, msg *In) (any, error) {
	client := m.client(ctx, conn)
	var stream *connect.ServerStreamForClient[Out]
	end, err := open(ctx, conn, &m.Spec, call, func(ctx context.Context) error {
		req := connect.NewRequest(msg)
		carry(req.Header(), call.Meta)
		var err error
		stream, err = client.CallServerStream(ctx, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	receive := func() (*Out, error) {
		if stream.Receive() {
			return stream.Msg(), nil
		}
		if err := stream.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	return replies(&inbound[Out]{call: call, end: end, receive: receive, closing: stream.Close, header: stream.ResponseHeader, trailer: stream.ResponseTrailer}), nil
}

// ClientStream sends what in yields and returns the one reply. An error that in yields
// ends the call, which returns it.
func ClientStream[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], in iter.Seq2[*In, error]) (*Out, error) {
	call := concordat.Call{Spec: &m.Spec}
	out, err := conn.Invoke(ctx, &call, in, func(ctx context.Context, in any) (any, error) {
		seq, ok := in.(iter.Seq2[*In, error])
		if !ok {
			return nil, swapped("request stream", in)
		}
		if e, how := engineOf(ctx, conn); e != nil {
			return engineClientStream[In, Out](ctx, conn, e, how, &call, seq)
		}
		client := m.client(ctx, conn)
		var stream *connect.ClientStreamForClient[In, Out]
		end, err := open(ctx, conn, &m.Spec, &call, func(ctx context.Context) error {
			stream = client.CallClientStream(ctx)
			carry(stream.RequestHeader(), call.Meta)
			return stream.Send(nil)
		})
		if err != nil {
			return nil, err
		}
		if err := sendAll(seq, stream.Send); err != nil {
			end(nil) // which is nobody's fault but seq's
			return nil, err
		}
		resp, err := stream.CloseAndReceive()
		if err != nil {
			err = failed(&call, err)
			end(err)
			return nil, err
		}
		end(nil)
		call.ReplyMeta, call.ReplyTrailer = resp.Header(), resp.Trailer()
		return resp.Msg, nil
	})
	return reply[Out](out, err)
}

// sendAll sends what seq yields, until the server has heard enough. The error is seq's.
func sendAll[In any](seq iter.Seq2[*In, error], send func(*In) error) error {
	for msg, err := range seq {
		if err != nil {
			return err
		}
		if send(msg) != nil {
			return nil // receiving tells why
		}
	}
	return nil
}

// Bidi sends what in yields and returns the replies as they come, each independently of
// the other. in is ranged over by a goroutine, which ends at its next message once the
// stream is over. An error that in yields ends the stream with that error.
func Bidi[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], in iter.Seq2[*In, error]) iter.Seq2[*Out, error] {
	return lazy[Out](func(call *concordat.Call) (any, error) {
		call.Spec = &m.Spec
		return conn.Invoke(ctx, call, in, func(ctx context.Context, in any) (any, error) {
			seq, ok := in.(iter.Seq2[*In, error])
			if !ok {
				return nil, swapped("request stream", in)
			}
			if e, how := engineOf(ctx, conn); e != nil {
				return engineBidi[In, Out](ctx, conn, e, how, call, seq)
			}
			return bidi(ctx, conn, m, call, seq)
		})
	})
}

func bidi[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], call *concordat.Call, seq iter.Seq2[*In, error]) (any, error) {
	client := m.client(ctx, conn)
	var stream *connect.BidiStreamForClient[In, Out]
	var cancel context.CancelFunc
	end, err := open(ctx, conn, &m.Spec, call, func(ctx context.Context) error {
		ctx, cancel = context.WithCancel(ctx)
		stream = client.CallBidiStream(ctx)
		carry(stream.RequestHeader(), call.Meta)
		return stream.Send(nil)
	})
	if err != nil {
		return nil, err
	}
	var failed atomic.Pointer[error]
	go func() {
		if err := sendAll(seq, stream.Send); err != nil {
			failed.Store(&err)
			cancel()
			return
		}
		_ = stream.CloseRequest() // receiving tells
	}()
	sender := func() error {
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
	over := func(err error) { cancel(); end(err) }
	return replies(&inbound[Out]{call: call, end: over, receive: stream.Receive, closing: stream.CloseResponse, sender: sender,
		header: stream.ResponseHeader, trailer: stream.ResponseTrailer}), nil
}

// open makes the attempts to start a stream. It has a connection when open returns; the
// caller calls end when the stream is over, with what the endpoint is to blame for.
func open(ctx context.Context, conn *concordat.Conn, spec *concordat.Spec, call *concordat.Call, start func(context.Context) error) (end func(error), err error) {
	err = conn.Try(ctx, spec, func(ctx context.Context, a *concordat.Attempt) error {
		ctx, stop, h := dial(ctx, conn, a)
		ctx = h.watch(ctx)
		call.Peer = a.Endpoint.Addr
		err := start(ctx)
		if first := h.wait(ctx); first != nil {
			err = first // says more than what connect-go makes of it
		}
		if err != nil && !errors.Is(err, io.EOF) {
			stop()
			return fromWire(err)
		}
		ended := a.Stream()
		end = func(err error) { stop(); ended(err) }
		return nil
	})
	return end, err
}

// lazy returns a stream that begins when it is ranged over, and only once.
func lazy[Out any](begin func(*concordat.Call) (any, error)) iter.Seq2[*Out, error] {
	var used atomic.Bool
	return func(yield func(*Out, error) bool) {
		if used.Swap(true) {
			yield(nil, errUsed)
			return
		}
		out, err := begin(new(concordat.Call))
		if err != nil {
			yield(nil, err)
			return
		}
		seq, ok := out.(iter.Seq2[*Out, error])
		if !ok {
			yield(nil, swapped("reply stream", out))
			return
		}
		seq(yield)
	}
}

// An inbound is the receiving side of a stream.
type inbound[Out any] struct {
	call            *concordat.Call
	receive         func() (*Out, error)
	header, trailer func() http.Header
	closing         func() error
	end             func(error)  // told why the stream ended, where the server is to blame
	sender          func() error // of the error that ended the sending side; nil without one
}

// replies yields what in receives until io.EOF.
func replies[Out any](in *inbound[Out]) iter.Seq2[*Out, error] {
	counted := in.call.Stream()
	return func(yield func(*Out, error) bool) {
		var failure, fault error
		defer func() {
			in.end(fault)
			_ = in.closing() // the stream is over either way
			counted(failure)
		}()
		for {
			msg, err := in.receive()
			in.call.ReplyMeta = in.header()
			if err == nil {
				if yield(msg, nil) {
					continue
				}
				return
			}
			in.call.ReplyTrailer = in.trailer()
			if errors.Is(err, io.EOF) {
				return
			}
			failure, fault = in.failed(err)
			yield(nil, failure)
			return
		}
	}
}

// failed says what the caller sees of err, and what of it is the server's fault: nothing,
// where the sending side gave up first.
func (in *inbound[Out]) failed(err error) (failure, fault error) {
	if in.sender != nil {
		if own := in.sender(); own != nil {
			return own, nil
		}
	}
	failure = fromWire(err)
	return failure, failure
}
