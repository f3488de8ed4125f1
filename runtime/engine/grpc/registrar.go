package grpcengine

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// Registrar lets a server serve services that were written for grpc-go, by gRPC, gRPC-Web
// and Connect, beside its own:
//
//	pb.RegisterOrdersServer(grpcengine.Registrar(srv), impl)
//
// Implementations find metadata, peer and deadline in their context as they are used to,
// set headers and trailers by grpc.SetHeader and its kin, and return errors of package
// status. The server's interceptors surround them; those of grpc-go have no place here.
func Registrar(s *concordat.Server) grpc.ServiceRegistrar { return registrar{s} }

type registrar struct{ s *concordat.Server }

// RegisterService implements grpc.ServiceRegistrar.
func (r registrar) RegisterService(desc *grpc.ServiceDesc, impl any) {
	for _, m := range desc.Methods {
		spec := specOf(desc, m.MethodName, concordat.Unary)
		rpc.Mount(r.s, spec, rpc.Handler{Unary: func(ctx context.Context, call *concordat.Call, decode func(any) error) (any, error) {
			out, err := m.Handler(impl, native(ctx, call), decode, r.intercepted(call))
			return out, foreign(err)
		}})
	}
	for _, d := range desc.Streams {
		spec := specOf(desc, d.StreamName, kindOf(d))
		rpc.Mount(r.s, spec, rpc.Handler{Stream: func(ctx context.Context, call *concordat.Call, side rpc.ServerSide) error {
			_, err := r.s.Intercept(ctx, call, nil, func(ctx context.Context, _ any) (any, error) {
				s := &nativeStream{call: call, side: side}
				s.ctx = grpc.NewContextWithServerTransportStream(native(ctx, call), transport{call, s})
				defer s.finish()
				return nil, foreign(d.Handler(impl, s))
			})
			return err
		}})
	}
}

func specOf(desc *grpc.ServiceDesc, method string, k concordat.Kind) *concordat.Spec {
	name := desc.ServiceName + "/" + method
	return &concordat.Spec{Name: name, Kind: k, Route: "/" + name}
}

func kindOf(d grpc.StreamDesc) concordat.Kind {
	switch {
	case !d.ClientStreams:
		return concordat.ServerStream
	case !d.ServerStreams:
		return concordat.ClientStream
	}
	return concordat.Bidi
}

// intercepted runs the server's interceptors where grpc-go's would run.
func (r registrar) intercepted(call *concordat.Call) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		return r.s.Intercept(ctx, call, in, func(ctx context.Context, in any) (any, error) {
			out, err := h(ctx, in)
			return out, foreign(err)
		})
	}
}

// native is ctx as implementations for grpc-go know it.
func native(ctx context.Context, call *concordat.Call) context.Context {
	md := toMD(call.Meta)
	for header, name := range map[string]string{"Content-Type": "content-type", "Host": ":authority"} {
		if v := call.Meta[header]; v != nil {
			md[name] = v
		}
	}
	p := &peer.Peer{Addr: addr(call.Peer), AuthInfo: insecure()}
	if state, ok := auth.ConnectionOf(ctx); ok {
		p.AuthInfo = infoOf(state).TLSInfo
	}
	ctx = peer.NewContext(metadata.NewIncomingContext(ctx, md), p)
	return grpc.NewContextWithServerTransportStream(ctx, transport{call: call})
}

// foreign turns an error of package status into ours.
func foreign(err error) error {
	if err == nil {
		return nil
	}
	if _, ours := err.(*concordat.Error); ours {
		return err
	}
	if s, ok := status.FromError(err); ok {
		return ofStatus(s)
	}
	return err
}

// An addr is a net.Addr.
type addr string

var _ net.Addr = addr("")

// Network implements net.Addr.
func (addr) Network() string { return "tcp" }

// String implements net.Addr.
func (a addr) String() string { return string(a) }

// A transport is what grpc.SetHeader and its kin find in a context.
type transport struct {
	call   *concordat.Call
	stream *nativeStream // nil: the method does not stream
}

// Method implements grpc.ServerTransportStream.
func (t transport) Method() string { return t.call.Route }

// SetHeader implements grpc.ServerTransportStream.
func (t transport) SetHeader(md metadata.MD) error {
	if t.stream != nil {
		return t.stream.SetHeader(md)
	}
	add(&t.call.ReplyMeta, md)
	return nil
}

// SendHeader implements grpc.ServerTransportStream. Headers of methods that do not stream
// travel with the reply.
func (t transport) SendHeader(md metadata.MD) error { return t.SetHeader(md) }

// SetTrailer implements grpc.ServerTransportStream.
func (t transport) SetTrailer(md metadata.MD) error {
	add(&t.call.ReplyTrailer, md)
	return nil
}

func add(to *concordat.Meta, md metadata.MD) {
	for k, v := range incoming(md) {
		if *to == nil {
			*to = concordat.Meta{}
		}
		(*to)[k] = append((*to)[k], v...)
	}
}

var _ credentials.AuthInfo = plain{}
