package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc/internal/healthpb"
)

// The services that a server has by itself, as gRPC names them.
const (
	healthService          = "grpc.health.v1.Health"
	reflectionService      = "grpc.reflection.v1.ServerReflection"
	reflectionServiceAlpha = "grpc.reflection.v1alpha.ServerReflection"
)

var (
	healthCheck     = builtin(healthService, "Check", concordat.Unary)
	healthList      = builtin(healthService, "List", concordat.Unary)
	healthWatch     = builtin(healthService, "Watch", concordat.ServerStream)
	reflection      = builtin(reflectionService, "ServerReflectionInfo", concordat.Bidi)
	reflectionAlpha = builtin(reflectionServiceAlpha, "ServerReflectionInfo", concordat.Bidi)
)

func builtin(service, method string, kind concordat.Kind) *concordat.Spec {
	return &concordat.Spec{Name: service + "/" + method, Kind: kind, Route: "/" + service + "/" + method, Idempotent: true}
}

// mount mounts a method, and beside it what every server with methods has: health, which
// everybody may ask, and reflection, which is subject to authorization and interceptors.
// A program's own implementation of either wins.
func mount(s *concordat.Server, spec *concordat.Spec, h http.Handler) {
	if spec.Kind == concordat.ServerStream || spec.Kind == concordat.Bidi {
		h = coalesced(h)
	}
	s.MountRPC(spec, spec.Route, h)
	if s.TellsHealth() {
		s.MountBuiltin(healthCheck, true, func() http.Handler { return checkHandler(s) })
		s.MountBuiltin(healthList, true, func() http.Handler { return listHandler(s) })
		s.MountBuiltin(healthWatch, true, func() http.Handler { return watchHandler(s) })
	}
	if s.Reflects() {
		s.MountBuiltin(reflection, false, func() http.Handler { return reflectionHandler(s, reflection, grpcreflect.NewHandlerV1) })
		s.MountBuiltin(reflectionAlpha, false, func() http.Handler { return reflectionHandler(s, reflectionAlpha, grpcreflect.NewHandlerV1Alpha) })
	}
}

// reflectionHandler describes the services to those who ask.
func reflectionHandler(s *concordat.Server, spec *concordat.Spec, made func(*grpcreflect.Reflector, ...connect.HandlerOption) (string, http.Handler)) http.Handler {
	_, h := made(grpcreflect.NewReflector(grpcreflect.NamerFunc(s.RPCServices)),
		connect.WithHandlerOptions(options(s, spec)), connect.WithInterceptors(guarded{s, spec}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, stop := s.UntilDrain(w, r)
		defer stop()
		h.ServeHTTP(w, r)
	})
}

// guarded runs a stream that is not of generated code within the server's interceptors,
// which see no message of it.
type guarded struct {
	s    *concordat.Server
	spec *concordat.Spec
}

func (g guarded) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

func (g guarded) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (g guarded) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		call := incoming(g.spec, conn.RequestHeader(), conn.Peer())
		var ours error // of the handler, which speaks connect-go's language
		_, err := g.s.Intercept(ctx, call, nil, func(ctx context.Context, _ any) (any, error) {
			ours = next(ctx, conn)
			return nil, fromWire(ours)
		})
		if ours != nil {
			return ours
		}
		return toWire(ctx, g.s, g.spec, err)
	}
}

func checkHandler(s *concordat.Server) http.Handler {
	return connect.NewUnaryHandler(healthCheck.Route, func(_ context.Context, req *connect.Request[healthpb.HealthCheckRequest]) (*connect.Response[healthpb.HealthCheckResponse], error) {
		name := req.Msg.GetService()
		if !has(s, name) {
			return nil, toWire(context.Background(), s, healthCheck, concordat.Errorf(concordat.NotFound, "no service %s here", name))
		}
		status, _ := statusOf(s, name)
		return connect.NewResponse(&healthpb.HealthCheckResponse{Status: status}), nil
	}, options(s, healthCheck))
}

func listHandler(s *concordat.Server) http.Handler {
	return connect.NewUnaryHandler(healthList.Route, func(context.Context, *connect.Request[healthpb.HealthListRequest]) (*connect.Response[healthpb.HealthListResponse], error) {
		all := map[string]*healthpb.HealthCheckResponse{}
		for _, name := range append(s.RPCServices(), "") {
			status, _ := statusOf(s, name)
			all[name] = &healthpb.HealthCheckResponse{Status: status}
		}
		return connect.NewResponse(&healthpb.HealthListResponse{Statuses: all}), nil
	}, options(s, healthList))
}

// watchHandler tells the status now, and again whenever it changes. The stream ends when
// the server drains, so that it does not wait for those who watch.
func watchHandler(s *concordat.Server) http.Handler {
	return connect.NewServerStreamHandler(healthWatch.Route, func(ctx context.Context, req *connect.Request[healthpb.HealthCheckRequest], stream *connect.ServerStream[healthpb.HealthCheckResponse]) error {
		told := healthpb.HealthCheckResponse_ServingStatus(-1)
		for {
			status, changed := statusOf(s, req.Msg.GetService())
			if !has(s, req.Msg.GetService()) {
				status = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
			}
			if status != told {
				if err := stream.Send(&healthpb.HealthCheckResponse{Status: status}); err != nil {
					return err
				}
				told = status
			}
			if changed == nil {
				return nil
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}, options(s, healthWatch))
}

func has(s *concordat.Server, service string) bool {
	return service == "" || s.HasRPCService(service)
}

func statusOf(s *concordat.Server, service string) (status healthpb.HealthCheckResponse_ServingStatus, changed <-chan struct{}) {
	ready, changed := s.IsReady(service)
	if ready {
		return healthpb.HealthCheckResponse_SERVING, changed
	}
	return healthpb.HealthCheckResponse_NOT_SERVING, changed
}
