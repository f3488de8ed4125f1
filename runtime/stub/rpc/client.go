package rpc

import (
	"context"
	"errors"
	"io"
	"iter"
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
		client, out := m.client(ctx, conn), (*Out)(nil)
		err = conn.Try(ctx, &m.Spec, func(ctx context.Context, a *concordat.Attempt) error {
			ctx, cancel, _ := dial(ctx, conn, a)
			defer cancel()
			call.Peer = a.Endpoint.Addr
			req := connect.NewRequest(msg)
			carry(req.Header(), call.Meta)
			resp, err := client.CallUnary(ctx, req)
			if err != nil {
				return fromWire(err)
			}
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
			return serverStream(ctx, conn, m, call, msg)
		})
	})
}

func serverStream[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], call *concordat.Call, msg *In) (any, error) {
	client := m.client(ctx, conn)
	var stream *connect.ServerStreamForClient[Out]
	cancel, err := open(ctx, conn, &m.Spec, call, func(ctx context.Context) error {
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
	return replies(call.Stream(), cancel, receive, stream.Close, nil), nil
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
		client := m.client(ctx, conn)
		var stream *connect.ClientStreamForClient[In, Out]
		cancel, err := open(ctx, conn, &m.Spec, &call, func(ctx context.Context) error {
			stream = client.CallClientStream(ctx)
			carry(stream.RequestHeader(), call.Meta)
			return stream.Send(nil)
		})
		if err != nil {
			return nil, err
		}
		defer cancel()
		if err := sendAll(seq, stream.Send); err != nil {
			return nil, err
		}
		resp, err := stream.CloseAndReceive()
		if err != nil {
			return nil, fromWire(err)
		}
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
			return bidi(ctx, conn, m, call, seq)
		})
	})
}

func bidi[In, Out any](ctx context.Context, conn *concordat.Conn, m *Method[In, Out], call *concordat.Call, seq iter.Seq2[*In, error]) (any, error) {
	client := m.client(ctx, conn)
	var stream *connect.BidiStreamForClient[In, Out]
	cancel, err := open(ctx, conn, &m.Spec, call, func(ctx context.Context) error {
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
	return replies(call.Stream(), cancel, stream.Receive, stream.CloseResponse, sender), nil
}

// open makes the attempts to start a stream. It has a connection when open returns; the
// caller calls cancel when the stream is over.
func open(ctx context.Context, conn *concordat.Conn, spec *concordat.Spec, call *concordat.Call, start func(context.Context) error) (context.CancelFunc, error) {
	var cancel context.CancelFunc
	err := conn.Try(ctx, spec, func(ctx context.Context, a *concordat.Attempt) error {
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
		cancel = stop
		return nil
	})
	return cancel, err
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

// replies yields what receive returns until io.EOF. sender, if there is one, knows the
// error that ended the sending side.
func replies[Out any](end func(error), cancel func(), receive func() (*Out, error), closing func() error, sender func() error) iter.Seq2[*Out, error] {
	return func(yield func(*Out, error) bool) {
		var failure error
		defer func() {
			cancel()
			_ = closing() // the stream is over either way
			end(failure)
		}()
		for {
			msg, err := receive()
			if err == nil {
				if yield(msg, nil) {
					continue
				}
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if failure = fromWire(err); sender != nil {
				if err := sender(); err != nil {
					failure = err
				}
			}
			yield(nil, failure)
			return
		}
	}
}
