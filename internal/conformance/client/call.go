package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	v1 "github.com/concordat-dev/concordat/internal/conformance/gen/connectrpc/conformance/v1"
	"github.com/concordat-dev/concordat/internal/conformance/wire"
)

// A caller makes one call.
type caller struct {
	asked    *v1.ClientCompatRequest
	client   v1.ConformanceService
	cancel   context.CancelFunc
	payloads []*v1.ConformancePayload
	unsent   int
}

// call makes the call that is asked for. The error says that it could not be made at all.
func (c *conns) call(ctx context.Context, asked *v1.ClientCompatRequest) (*v1.ClientResponseResult, error) {
	conn, err := c.get(kindOf(asked))
	if err != nil {
		return nil, err
	}
	s := &sides{}
	wire.AddHeaders(&s.sent, asked.GetRequestHeaders())
	ctx, cancel := context.WithCancel(context.WithValue(ctx, sidesKey{}, s))
	defer cancel()
	if asked.TimeoutMs != nil {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, time.Duration(asked.GetTimeoutMs())*time.Millisecond)
		defer done()
	}
	one := &caller{asked: asked, client: v1.NewConformanceServiceClient(conn), cancel: cancel}
	failure, err := one.make(ctx)
	if err != nil {
		return nil, err
	}
	e, err := wire.Error(failure)
	if err != nil {
		return nil, err
	}
	return &v1.ClientResponseResult{
		ResponseHeaders: wire.Headers(s.received), ResponseTrailers: wire.Headers(s.trailers),
		Payloads: one.payloads, Error: e, NumUnsentRequests: int32(one.unsent),
	}, nil
}

// make makes the call. failure is how it ended.
func (c *caller) make(ctx context.Context) (failure, err error) {
	switch m := c.asked.GetMethod(); m {
	case "Unary":
		return unary(ctx, c, c.client.Unary)
	case "IdempotentUnary":
		return unary(ctx, c, c.client.IdempotentUnary)
	case "Unimplemented":
		return unary(ctx, c, func(ctx context.Context, in *v1.UnimplementedRequest) (*v1.UnaryResponse, error) {
			_, err := c.client.Unimplemented(ctx, in)
			return nil, err
		})
	case "ServerStream":
		return c.serverStream(ctx)
	case "ClientStream":
		return c.clientStream(ctx)
	case "BidiStream":
		return c.bidi(ctx)
	default:
		return nil, fmt.Errorf("no method %s", m)
	}
}

type message[T any] interface {
	*T
	proto.Message
}

// the is the one message to send.
func the[T any, M message[T]](c *caller) (*T, error) {
	all, err := messages[T, M](c)
	if err == nil && len(all) != 1 {
		err = errors.New("not one message to send, but several or none")
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func messages[T any, M message[T]](c *caller) ([]*T, error) {
	var out []*T
	for _, a := range c.asked.GetRequestMessages() {
		m := new(T)
		if err := (*anypb.Any).UnmarshalTo(a, M(m)); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

type reply interface{ GetPayload() *v1.ConformancePayload }

func unary[In any, M message[In], Out reply](ctx context.Context, c *caller, call func(context.Context, *In) (Out, error)) (failure, err error) {
	in, err := the[In, M](c)
	if err != nil {
		return nil, err
	}
	c.later()
	out, failure := call(ctx, in)
	if failure == nil {
		c.payloads = append(c.payloads, out.GetPayload())
	}
	return failure, nil
}

func (c *caller) serverStream(ctx context.Context) (failure, err error) {
	in, err := the[v1.ServerStreamRequest](c)
	if err != nil {
		return nil, err
	}
	c.later()
	return receive(c, c.client.ServerStream(ctx, in), nil), nil
}

func (c *caller) clientStream(ctx context.Context) (failure, err error) {
	all, err := messages[v1.ClientStreamRequest](c)
	if err != nil {
		return nil, err
	}
	out, failure := c.client.ClientStream(ctx, send(c, all, nil))
	if failure == nil {
		c.payloads = append(c.payloads, out.GetPayload())
	}
	return failure, nil
}

func (c *caller) bidi(ctx context.Context) (failure, err error) {
	all, err := messages[v1.BidiStreamRequest](c)
	if err != nil {
		return nil, err
	}
	var turns chan struct{}
	if c.asked.GetStreamType() == v1.StreamType_STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM {
		turns = make(chan struct{})
	}
	return receive(c, c.client.BidiStream(ctx, send(c, all, turns)), turns), nil
}

// send yields the requests, in both directions at a time one for each response.
func send[In any](c *caller, all []*In, turns <-chan struct{}) iter.Seq2[*In, error] {
	return func(yield func(*In, error) bool) {
		for i, m := range all {
			if turns != nil && i > 0 {
				<-turns
			}
			time.Sleep(time.Duration(c.asked.GetRequestDelayMs()) * time.Millisecond)
			if !yield(m, nil) {
				c.unsent = len(all) - i
				return
			}
		}
		if turns != nil && len(all) > 0 {
			<-turns
		}
		if cancel := c.asked.GetCancel(); cancel != nil && cancel.GetBeforeCloseSend() != nil {
			c.cancel()
		}
		c.later()
	}
}

// receive takes responses until there are no more.
func receive[Out reply](c *caller, seq iter.Seq2[Out, error], turns chan<- struct{}) (failure error) {
	if turns != nil {
		defer close(turns)
	}
	last := c.asked.GetCancel().GetAfterNumResponses()
	for m, err := range seq {
		if err != nil {
			return err
		}
		if c.payloads = append(c.payloads, m.GetPayload()); last > 0 && len(c.payloads) == int(last) {
			c.cancel()
		}
		if turns != nil && len(c.payloads) <= len(c.asked.GetRequestMessages()) {
			turns <- struct{}{}
		}
	}
	return nil
}

// later cancels the call some time after the last request, where that is asked for.
func (c *caller) later() {
	cancel := c.asked.GetCancel()
	switch cancel.GetCancelTiming().(type) {
	case *v1.ClientCompatRequest_Cancel_AfterCloseSendMs:
		time.AfterFunc(time.Duration(cancel.GetAfterCloseSendMs())*time.Millisecond, c.cancel)
	case nil:
		if cancel != nil {
			c.cancel()
		}
	}
}
