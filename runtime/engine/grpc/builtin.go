package grpcengine

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionalphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// builtin adds what every server with methods has: health, which everybody may ask, and
// reflection, which is subject to authorization and interceptors. A program's own
// implementation of either wins.
func builtin(g *grpc.Server, s *concordat.Server, draining context.Context) {
	own := g.GetServiceInfo()
	if _, taken := own[healthpb.Health_ServiceDesc.ServiceName]; !taken && s.TellsHealth() {
		healthpb.RegisterHealthServer(g, health{s: s})
	}
	if !s.Reflects() {
		return
	}
	options := reflection.ServerOptions{Services: g}
	guarded(g, s, draining, &reflectionpb.ServerReflection_ServiceDesc, reflection.NewServerV1(options))
	guarded(g, s, draining, &reflectionalphapb.ServerReflection_ServiceDesc, reflection.NewServer(options))
}

// health is gRPC's health service, told by the server.
type health struct {
	healthpb.UnimplementedHealthServer
	s *concordat.Server
}

func (h health) has(service string) bool { return service == "" || h.s.HasRPCService(service) }

func (h health) status(service string) (healthpb.HealthCheckResponse_ServingStatus, <-chan struct{}) {
	ready, changed := h.s.IsReady(service)
	if ready {
		return healthpb.HealthCheckResponse_SERVING, changed
	}
	return healthpb.HealthCheckResponse_NOT_SERVING, changed
}

// Check implements healthpb.HealthServer.
func (h health) Check(_ context.Context, in *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	if !h.has(in.GetService()) {
		return nil, status.Errorf(codes.NotFound, "no service %s here", in.GetService())
	}
	now, _ := h.status(in.GetService())
	return &healthpb.HealthCheckResponse{Status: now}, nil
}

// List implements healthpb.HealthServer.
func (h health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	all := map[string]*healthpb.HealthCheckResponse{}
	for _, name := range append(h.s.RPCServices(), "") {
		now, _ := h.status(name)
		all[name] = &healthpb.HealthCheckResponse{Status: now}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch implements healthpb.HealthServer. It ends when the server drains.
func (h health) Watch(in *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	told := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		now, changed := h.status(in.GetService())
		if !h.has(in.GetService()) {
			now = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		}
		if now != told {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			told = now
		}
		if changed == nil {
			return nil
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// guarded adds a service of grpc-go's whose only method is a stream, within the server's
// interceptors, which see no message of it. It ends when the server drains.
func guarded(g *grpc.Server, s *concordat.Server, draining context.Context, desc *grpc.ServiceDesc, impl any) {
	if _, taken := g.GetServiceInfo()[desc.ServiceName]; taken {
		return
	}
	serve, name := desc.Streams[0].Handler, desc.ServiceName+"/"+desc.Streams[0].StreamName
	spec := &concordat.Spec{Name: name, Kind: concordat.Bidi, Route: "/" + name}
	e := &server{of: s}
	handler := func(_ any, ss grpc.ServerStream) (err error) {
		defer recovered(s.Logger(), name, &err)
		call, from := called(ss.Context(), spec)
		refusal := concordat.Meta{}
		ctx, leave, err := s.Enter(ss.Context(), call, from, refusal)
		defer leave()
		if err == nil {
			_, err = s.Intercept(ctx, call, nil, func(context.Context, any) (any, error) {
				return nil, untilDrain(draining, func() error { return serve(impl, ss) })
			})
		}
		if err != nil {
			ss.SetTrailer(toMD(refusal))
			return e.refused(ss.Context(), method{spec: spec}, err)
		}
		return nil
	}
	stream := grpc.StreamDesc{StreamName: desc.Streams[0].StreamName, Handler: handler, ServerStreams: true, ClientStreams: true}
	g.RegisterService(&grpc.ServiceDesc{ServiceName: desc.ServiceName, Streams: []grpc.StreamDesc{stream}, Metadata: desc.Metadata}, nil)
}

// untilDrain returns when serve has, or draining begins; serve then ends by itself, since
// its stream is over.
func untilDrain(draining context.Context, serve func() error) error {
	done := make(chan error, 1)
	go func() { done <- serve() }()
	select {
	case err := <-done:
		if err != nil {
			return ofStatus(status.Convert(err))
		}
		return nil
	case <-draining.Done():
		return concordat.Errorf(concordat.Unavailable, "the server is draining")
	}
}
