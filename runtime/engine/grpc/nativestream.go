package grpcengine

import (
	"context"
	"maps"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// A nativeStream is a grpc.ServerStream over whichever engine serves.
type nativeStream struct {
	ctx  context.Context
	call *concordat.Call
	side rpc.ServerSide

	mu    sync.Mutex // implementations may set headers beside sending
	begun bool
}

var _ grpc.ServerStream = (*nativeStream)(nil)

// Context implements grpc.ServerStream.
func (s *nativeStream) Context() context.Context { return s.ctx }

// SetHeader implements grpc.ServerStream.
func (s *nativeStream) SetHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return status.Error(codes.Internal, "headers were sent already")
	}
	add(&s.call.ReplyMeta, md)
	return nil
}

// SendHeader implements grpc.ServerStream. Headers travel with the first message, or the
// end.
func (s *nativeStream) SendHeader(md metadata.MD) error { return s.SetHeader(md) }

// SetTrailer implements grpc.ServerStream.
func (s *nativeStream) SetTrailer(md metadata.MD) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.call.ReplyTrailer, md)
}

// begin says what goes before the first message.
func (s *nativeStream) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		s.begun = true
		maps.Copy(s.side.Header(), s.call.ReplyMeta)
	}
}

// finish says what follows the last message.
func (s *nativeStream) finish() {
	s.begin()
	maps.Copy(s.side.Trailer(), s.call.ReplyTrailer)
}

// SendMsg implements grpc.ServerStream.
func (s *nativeStream) SendMsg(m any) error {
	s.begin()
	return wire(s.side.Send(m))
}

// RecvMsg implements grpc.ServerStream.
func (s *nativeStream) RecvMsg(m any) error { return wire(s.side.Receive(m)) }

// wire is err as implementations expect it: of package status, or io.EOF.
func wire(err error) error {
	if e, ok := err.(*concordat.Error); ok {
		return toStatus(e)
	}
	return err
}
