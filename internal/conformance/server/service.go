package main

import (
	"context"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	v1 "github.com/concordat-dev/concordat/internal/conformance/gen/connectrpc/conformance/v1"
	"github.com/concordat-dev/concordat/internal/conformance/wire"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// service does what requests tell it to.
type service struct{}

var _ v1.ConformanceService = service{}

func (service) Unary(ctx context.Context, in *v1.UnaryRequest) (*v1.UnaryResponse, error) {
	p, err := answer(ctx, in.GetResponseDefinition(), in)
	return &v1.UnaryResponse{Payload: p}, err
}

func (service) IdempotentUnary(ctx context.Context, in *v1.IdempotentUnaryRequest) (*v1.IdempotentUnaryResponse, error) {
	p, err := answer(ctx, in.GetResponseDefinition(), in)
	return &v1.IdempotentUnaryResponse{Payload: p}, err
}

func (service) Unimplemented(context.Context, *v1.UnimplementedRequest) (*v1.UnimplementedResponse, error) {
	return nil, concordat.Errorf(concordat.Unimplemented, "not here")
}

func (service) ClientStream(ctx context.Context, in iter.Seq2[*v1.ClientStreamRequest, error]) (*v1.ClientStreamResponse, error) {
	var def *v1.UnaryResponseDefinition
	var all []proto.Message
	for m, err := range in {
		if err != nil {
			return nil, err
		}
		if all == nil {
			def = m.GetResponseDefinition()
		}
		all = append(all, m)
	}
	p, err := answer(ctx, def, all...)
	return &v1.ClientStreamResponse{Payload: p}, err
}

// answer is the one answer to requests, of which def is the first one's.
func answer(ctx context.Context, def *v1.UnaryResponseDefinition, requests ...proto.Message) (*v1.ConformancePayload, error) {
	beside(ctx, def.GetResponseHeaders(), def.GetResponseTrailers())
	info, err := infoOf(ctx, requests)
	if err != nil {
		return nil, err
	}
	pause(def.GetResponseDelayMs())
	if e := def.GetError(); e != nil {
		return nil, wire.Failure(e, info)
	}
	return &v1.ConformancePayload{Data: def.GetResponseData(), RequestInfo: info}, nil
}

func (service) ServerStream(ctx context.Context, in *v1.ServerStreamRequest) iter.Seq2[*v1.ServerStreamResponse, error] {
	return func(yield func(*v1.ServerStreamResponse, error) bool) {
		r := responder{ctx: ctx, def: in.GetResponseDefinition(), unsaid: []proto.Message{in}}
		r.begin()
		r.rest(func(p *v1.ConformancePayload, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			return yield(&v1.ServerStreamResponse{Payload: p}, nil)
		})
	}
}

func (service) BidiStream(ctx context.Context, in iter.Seq2[*v1.BidiStreamRequest, error]) iter.Seq2[*v1.BidiStreamResponse, error] {
	return func(yield func(*v1.BidiStreamResponse, error) bool) {
		send := func(p *v1.ConformancePayload, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			return yield(&v1.BidiStreamResponse{Payload: p}, nil)
		}
		r, duplex, first := responder{ctx: ctx}, false, true
		for m, err := range in {
			if err != nil {
				yield(nil, err)
				return
			}
			r.unsaid = append(r.unsaid, m)
			if first {
				r.def, duplex, first = m.GetResponseDefinition(), m.GetFullDuplex(), false
				r.begin()
			}
			if !duplex {
				continue
			}
			if r.sent == len(r.def.GetResponseData()) {
				break
			}
			if !r.next(send) {
				return
			}
		}
		r.rest(send)
	}
}

// A responder is the sending side of a stream.
type responder struct {
	ctx    context.Context
	def    *v1.StreamResponseDefinition
	unsaid []proto.Message // requests that no response has told of
	sent   int
}

func (r *responder) begin() {
	beside(r.ctx, r.def.GetResponseHeaders(), r.def.GetResponseTrailers())
}

// next sends the next response. The first tells of the whole call, later ones of the
// requests that came since.
func (r *responder) next(send func(*v1.ConformancePayload, error) bool) bool {
	p := &v1.ConformancePayload{Data: r.def.GetResponseData()[r.sent]}
	switch {
	case r.sent == 0:
		info, err := infoOf(r.ctx, r.unsaid)
		if err != nil {
			return send(nil, err)
		}
		p.RequestInfo = info
	case len(r.unsaid) > 0:
		all, err := pack(r.unsaid)
		if err != nil {
			return send(nil, err)
		}
		p.RequestInfo = &v1.ConformancePayload_RequestInfo{Requests: all}
	}
	r.unsaid, r.sent = nil, r.sent+1
	pause(r.def.GetResponseDelayMs())
	return send(p, nil)
}

// rest sends what is left, and then the error if there is one.
func (r *responder) rest(send func(*v1.ConformancePayload, error) bool) {
	for r.sent < len(r.def.GetResponseData()) {
		if !r.next(send) {
			return
		}
	}
	e := r.def.GetError()
	switch {
	case e == nil:
	case r.sent > 0:
		send(nil, wire.Failure(e))
	default:
		info, err := infoOf(r.ctx, r.unsaid)
		if err == nil {
			err = wire.Failure(e, info)
		}
		send(nil, err)
	}
}

func beside(ctx context.Context, headers, trailers []*v1.Header) {
	call := concordat.CallOf(ctx)
	wire.AddHeaders(&call.ReplyMeta, headers)
	wire.AddHeaders(&call.ReplyTrailer, trailers)
}

// pause takes its time, whoever is waiting still: an answer at the very moment of the
// deadline would race with the client's own.
func pause(ms uint32) { time.Sleep(time.Duration(ms) * time.Millisecond) }

// infoOf is what a server tells of the call that it received.
func infoOf(ctx context.Context, requests []proto.Message) (*v1.ConformancePayload_RequestInfo, error) {
	meta := concordat.CallOf(ctx).Meta
	all, err := pack(requests)
	if err != nil {
		return nil, err
	}
	info := &v1.ConformancePayload_RequestInfo{RequestHeaders: wire.Headers(meta), Requests: all}
	if q := queryOf(ctx); q != nil {
		info.ConnectGetInfo = &v1.ConformancePayload_ConnectGetInfo{QueryParams: wire.Headers(q)}
	}
	// The server sets a deadline of its own where the client names none.
	if end, ok := ctx.Deadline(); ok && meta.Get("Grpc-Timeout")+meta.Get("Connect-Timeout-Ms") != "" {
		info.TimeoutMs = new(time.Until(end).Milliseconds())
	}
	return info, nil
}

func pack(all []proto.Message) ([]*anypb.Any, error) {
	var out []*anypb.Any
	for _, m := range all {
		a, err := anypb.New(m)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
