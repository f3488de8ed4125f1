package grpcengine

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// With makes a connection carry gRPC by grpc-go. Calls that are to speak otherwise (see
// [rpc.Speak]) stay with the default engine. Requests are compressed where rpc.Gzip says
// so; those of streams are then compressed whatever their size.
func With() concordat.ConnOption { return rpc.WithEngine(client{}) }

// client is the engine of a connection. What it keeps is in the connection's carrier.
type client struct{}

// An exchange is what one call needs to know of grpc-go. It is reused.
type exchange struct {
	header, trailer metadata.MD
	peer            peer.Peer
	options         []grpc.CallOption
	fixed           int // of options, which serve every call
}

var exchanges = sync.Pool{New: func() any {
	x := new(exchange)
	x.options = []grpc.CallOption{grpc.Header(&x.header), grpc.Trailer(&x.trailer), grpc.Peer(&x.peer)}
	x.fixed = len(x.options)
	return x
}}

func (x *exchange) release() {
	clear(x.options[x.fixed:])
	x.header, x.trailer, x.peer, x.options = nil, nil, peer.Peer{}, x.options[:x.fixed]
	exchanges.Put(x)
}

// Unary implements rpc.Engine.
func (client) Unary(ctx context.Context, conn *concordat.Conn, a *concordat.Attempt, call *concordat.Call, how rpc.Manners, in, out any) error {
	ctx, cancel := a.Bound(ctx)
	defer cancel()
	call.Peer = a.Endpoint.Addr
	r, done, err := endpointOf(ctx, conn, a)
	if err != nil {
		return err
	}
	defer done()
	ctx, route, err := outgoing(ctx, a, call)
	if err != nil {
		return err
	}
	x := exchanges.Get().(*exchange)
	defer x.release()
	x.options = append(x.options, grpc.MaxCallRecvMsgSize(int(conn.MaxBody())))
	if how.Gzip && proto.Size(in.(proto.Message)) >= how.GzipMin {
		x.options = append(x.options, gzipped)
	}
	if err := r.cc.Invoke(ctx, route, in, out, x.options...); err != nil {
		return x.failed(ctx, a, call, err)
	}
	a.Answered(ctx, nil)
	call.ReplyMeta, call.ReplyTrailer = incoming(x.header), incoming(x.trailer)
	return nil
}

// failed notes what came with err, and turns it into ours.
func (x *exchange) failed(ctx context.Context, a *concordat.Attempt, call *concordat.Call, err error) error {
	meta := incoming(x.header)
	for k, v := range incoming(x.trailer) {
		if meta == nil {
			meta = concordat.Meta{}
		}
		meta[k] = v
	}
	call.ReplyMeta = meta
	return fromStatus(ctx, a, err, answer{header: x.header, trailer: x.trailer, meta: meta, sent: x.peer.Addr != nil})
}

// outgoing is the context of the call, with what travels beside its message.
func outgoing(ctx context.Context, a *concordat.Attempt, call *concordat.Call) (_ context.Context, route string, err error) {
	route = call.Route
	if base := strings.Trim(a.Base.Path, "/"); base != "" {
		route = "/" + base + route
	}
	meta, err := a.Metadata(ctx, route, call.Meta)
	if err != nil {
		return nil, "", err
	}
	if len(meta) > 0 {
		ctx = metadata.NewOutgoingContext(ctx, toMD(meta))
	}
	return ctx, route, nil
}

// streamDesc lets messages flow as the method's kind has it.
func streamDesc(k concordat.Kind) *grpc.StreamDesc {
	return &grpc.StreamDesc{ServerStreams: k != concordat.ClientStream, ClientStreams: k != concordat.ServerStream}
}

// Open implements rpc.Engine.
func (client) Open(ctx context.Context, conn *concordat.Conn, a *concordat.Attempt, call *concordat.Call, how rpc.Manners) (rpc.Stream, error) {
	call.Peer = a.Endpoint.Addr
	r, done, err := endpointOf(ctx, conn, a)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, done) // which whoever opens a stream ends
	sctx, route, err := outgoing(ctx, a, call)
	if err != nil {
		return nil, err
	}
	options := []grpc.CallOption{grpc.MaxCallRecvMsgSize(int(conn.MaxBody()))}
	if how.Gzip {
		options = append(options, gzipped)
	}
	s, err := r.cc.NewStream(sctx, streamDesc(call.Kind), route, options...)
	if err != nil {
		return nil, fromStatus(ctx, a, err, answer{})
	}
	return &stream{ctx: ctx, a: a, s: s, single: call.Kind == concordat.ClientStream}, nil
}

// A stream is a grpc.ClientStream in the runtime's terms.
type stream struct {
	ctx     context.Context
	a       *concordat.Attempt
	s       grpc.ClientStream
	header  http.Header
	trailer http.Header
	single  bool // there is one reply, behind which grpc-go reads to the end
	begun   bool
}

// Send implements rpc.Stream.
func (s *stream) Send(msg any) error {
	err := s.s.SendMsg(msg)
	if err != nil && !errors.Is(err, io.EOF) {
		return fromStatus(s.ctx, s.a, err, answer{sent: true})
	}
	return err
}

// CloseSend implements rpc.Stream.
func (s *stream) CloseSend() error { return s.s.CloseSend() }

// Receive implements rpc.Stream.
func (s *stream) Receive(msg any) error {
	err := s.s.RecvMsg(msg)
	if err == nil && s.begun {
		return nil
	}
	header, _ := s.s.Header() // it is here, or there is none
	s.begun = true
	s.header = incoming(header)
	if err == nil {
		s.a.Answered(s.ctx, nil)
		if s.single {
			s.trailer = incoming(s.s.Trailer())
		}
		return nil
	}
	s.trailer = incoming(s.s.Trailer())
	if errors.Is(err, io.EOF) {
		s.a.Answered(s.ctx, nil)
		return io.EOF
	}
	return fromStatus(s.ctx, s.a, err, answer{header: header, trailer: s.s.Trailer(), meta: s.trailer, sent: true})
}

// Header implements rpc.Stream.
func (s *stream) Header() http.Header { return s.header }

// Trailer implements rpc.Stream.
func (s *stream) Trailer() http.Header { return s.trailer }
