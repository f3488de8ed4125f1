package grpcengine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

const (
	maxHeader  = 64 << 10         // bytes, as the default engine has it
	maxStreams = 250              // of a connection at a time, likewise
	handshake  = 10 * time.Second // for TLS and the first frames
	pingAfter  = 15 * time.Second // of silence
	pingLost   = 5 * time.Second  // until a ping is taken for unanswered
)

// Serve makes grpc-go serve the server's methods at addr ("host:port"), in plaintext or by
// TLS as the server itself does, while the server runs. Handlers, interceptors,
// verification, authorization, admission, limits, statistics, health, reflection and drain
// are the server's. Clients may ping every four seconds. Replies
// are compressed where requests were, as grpc-go has it.
func Serve(addr string) concordat.ServerOption { return rpc.WithServerEngine(&server{addr: addr}) }

// ServeListener is Serve for a listener, which the server closes.
func ServeListener(l net.Listener) concordat.ServerOption {
	return rpc.WithServerEngine(&server{addr: l.Addr().String(), ln: l})
}

// server is the engine of one server.
type server struct {
	addr    string
	ln      net.Listener
	of      *concordat.Server
	methods []method
}

// A method is one of the server's.
type method struct {
	spec *concordat.Spec
	rpc.Handler
}

// Handle implements rpc.ServerEngine.
func (e *server) Handle(s *concordat.Server, spec *concordat.Spec, h rpc.Handler) {
	switch e.of {
	case s:
	case nil:
		e.of = s
		s.Background("gRPC at "+e.addr, e.run)
	default:
		s.Misuse(concordat.Errorf(concordat.InvalidArgument, "%s: an option of grpcengine.Serve belongs to one server; make another", spec.Name))
		return
	}
	e.methods = append(e.methods, method{spec, h})
}

// run serves until ctx is done, and then lets calls finish within the drain time.
func (e *server) run(ctx context.Context) error {
	g, err := e.build(ctx)
	if err != nil {
		return err
	}
	ln := e.ln
	if ln == nil {
		if ln, err = net.Listen("tcp", e.addr); err != nil {
			return concordat.Errorf(concordat.Unavailable, "cannot listen: %w; choose another address for grpcengine.Serve", err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ln) }()
	select {
	case err := <-ended:
		return concordat.Errorf(concordat.Unavailable, "serving ended: %w", err)
	case <-ctx.Done():
	}
	_, _, drain := e.of.EngineLimits()
	late := time.AfterFunc(drain, g.Stop)
	defer late.Stop()
	g.GracefulStop()
	if err := <-ended; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// build makes the grpc.Server and tells it the methods.
func (e *server) build(draining context.Context) (*grpc.Server, error) {
	config, err := e.of.EngineTLS()
	if err != nil {
		return nil, err
	}
	age, grace, _ := e.of.EngineLimits()
	g := grpc.NewServer(
		grpc.Creds(&credential{config: config}),
		grpc.ForceServerCodecV2(wireCodec{}),
		grpc.MaxRecvMsgSize(int(e.of.MaxBody())),
		grpc.MaxHeaderListSize(maxHeader),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(handshake),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: age, MaxConnectionAgeGrace: grace, Time: pingAfter, Timeout: pingLost}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 4 * time.Second, PermitWithoutStream: true}),
		grpc.WaitForHandlers(true),
		grpc.InTapHandle(noted),
	)
	for name, desc := range e.services() {
		desc.ServiceName = name
		g.RegisterService(desc, nil)
	}
	builtin(g, e.of, draining)
	return g, nil
}

// services sorts the methods. The last of a name wins; the runtime has reported it then.
func (e *server) services() map[string]*grpc.ServiceDesc {
	all := map[string]*grpc.ServiceDesc{}
	for _, m := range e.methods {
		service, name, ok := strings.Cut(strings.TrimPrefix(m.spec.Route, "/"), "/")
		if !ok {
			continue
		}
		d := all[service]
		if d == nil {
			d = &grpc.ServiceDesc{}
			all[service] = d
		}
		if m.Unary != nil {
			d.Methods = append(d.Methods, grpc.MethodDesc{MethodName: name, Handler: e.unary(m)})
		} else {
			d.Streams = append(d.Streams, grpc.StreamDesc{StreamName: name, Handler: e.stream(m),
				ServerStreams: m.spec.Kind != concordat.ClientStream, ClientStreams: m.spec.Kind != concordat.ServerStream})
		}
	}
	return all
}

// recovered makes an error of a panic outside of interceptors and handlers.
func recovered(l *slog.Logger, name string, err *error) {
	if p := recover(); p != nil {
		l.Error("a method panicked", "operation", name, "panic", fmt.Sprint(p))
		*err = toStatus(concordat.Errorf(concordat.Internal, "internal error"))
	}
}
