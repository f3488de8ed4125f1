package grpcengine

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/policy/deadline"
)

type headerKey struct{}

// noted keeps the metadata of a call where called finds it: grpc-go would copy all of it
// for whoever asks.
func noted(ctx context.Context, info *tap.Info) (context.Context, error) {
	return context.WithValue(ctx, headerKey{}, info.Header), nil
}

// called is the call as the runtime knows it, and who makes it.
func called(ctx context.Context, spec *concordat.Spec) (*concordat.Call, *concordat.Peer) {
	call := &concordat.Call{Spec: spec, Side: concordat.Incoming}
	md, _ := ctx.Value(headerKey{}).(metadata.MD)
	call.Meta = incoming(md)
	if end, ok := ctx.Deadline(); ok {
		if call.Meta == nil {
			call.Meta = concordat.Meta{}
		}
		call.Meta[deadline.Header] = []string{deadline.Format(time.Until(end))}
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return call, nil
	}
	call.Peer = p.Addr.String()
	info, _ := p.AuthInfo.(peerInfo)
	return call, info.peer
}

// unary answers a method that does not stream.
func (e *server) unary(m method) grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (out any, err error) {
		defer recovered(e.of.Logger(), m.spec.Name, &err)
		call, from := called(ctx, m.spec)
		refusal := concordat.Meta{}
		entered, leave, err := e.of.Enter(ctx, call, from, refusal)
		defer leave()
		if err != nil {
			_ = grpc.SetTrailer(ctx, toMD(refusal))
			return nil, e.refused(ctx, m, err)
		}
		out, err = m.Unary(entered, call, func(msg any) error { return malformed(decode(msg)) })
		if len(call.ReplyMeta) > 0 {
			_ = grpc.SetHeader(ctx, toMD(call.ReplyMeta))
		}
		if len(call.ReplyTrailer) > 0 {
			_ = grpc.SetTrailer(ctx, toMD(call.ReplyTrailer))
		}
		if err != nil {
			return nil, e.refused(ctx, m, err)
		}
		return out, nil
	}
}

// refused is what the client is told.
func (e *server) refused(ctx context.Context, m method, err error) error {
	return toStatus(e.of.Public(ctx, m.spec.Name, err))
}

// malformed is the error of a message that cannot be read.
func malformed(err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	if s.Code() == codes.Internal && strings.Contains(s.Message(), "unmarshal") {
		return concordat.Errorf(concordat.InvalidArgument, "%s", s.Message())
	}
	return ofStatus(s)
}

// stream answers a method that streams.
func (e *server) stream(m method) grpc.StreamHandler {
	return func(_ any, ss grpc.ServerStream) (err error) {
		defer recovered(e.of.Logger(), m.spec.Name, &err)
		ctx := ss.Context()
		call, from := called(ctx, m.spec)
		refusal := concordat.Meta{}
		entered, leave, err := e.of.Enter(ctx, call, from, refusal)
		defer leave()
		if err != nil {
			ss.SetTrailer(toMD(refusal))
			return e.refused(ctx, m, err)
		}
		s := &side{ss: ss}
		err = m.Stream(entered, call, s)
		s.finish()
		if err != nil {
			return e.refused(ctx, m, err)
		}
		return nil
	}
}

// A side is a grpc.ServerStream in the runtime's terms.
type side struct {
	ss              grpc.ServerStream
	header, trailer http.Header
	begun           bool
}

// Receive implements rpc.ServerSide.
func (s *side) Receive(msg any) error {
	err := s.ss.RecvMsg(msg)
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return malformed(err)
}

// Send implements rpc.ServerSide.
func (s *side) Send(msg any) error {
	s.begin()
	if err := s.ss.SendMsg(msg); err != nil {
		return ofStatus(status.Convert(err))
	}
	return nil
}

func (s *side) begin() {
	if !s.begun && len(s.header) > 0 {
		_ = s.ss.SetHeader(toMD(s.header))
	}
	s.begun = true
}

// finish says what follows the last message.
func (s *side) finish() {
	s.begin()
	if len(s.trailer) > 0 {
		s.ss.SetTrailer(toMD(s.trailer))
	}
}

// Header implements rpc.ServerSide.
func (s *side) Header() http.Header {
	if s.header == nil {
		s.header = http.Header{}
	}
	return s.header
}

// Trailer implements rpc.ServerSide.
func (s *side) Trailer() http.Header {
	if s.trailer == nil {
		s.trailer = http.Header{}
	}
	return s.trailer
}
