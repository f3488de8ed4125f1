package grpcengine_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/types/known/wrapperspb"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	grpcengine "github.com/concordat-dev/concordat/runtime/engine/grpc"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

var errDenied = errors.New("not this one")

// only lets calls of one method in.
type only string

func (o only) Authorize(_ context.Context, operation string, _ []*auth.Principal) error {
	if operation != string(o) {
		return errDenied
	}
	return nil
}

// Credentials are sent and verified as by the default engine, and nothing gets past
// authorization: neither methods nor reflection.
func TestWhoMayCall(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.Mutual("orders")
	if err != nil {
		t.Fatal(err)
	}
	security := concordat.WithRPCSecurity(auth.Requirements{{{Scheme: auth.BearerToken}}})
	b := serve(t, concordat.WithTLS(config), security, concordat.WithAuthorization(only(place.Name)),
		concordat.WithVerifier(auth.BearerToken, auth.Keys(map[string]string{"desk": "s3cret"})))
	for name, c := range map[string]struct {
		key  string
		m    *rpc.Method[text, text]
		want concordat.Code
	}{
		"right": {"s3cret", &place, concordat.OK}, "wrong": {"guessed", &place, concordat.Unauthenticated},
		"not allowed": {"s3cret", &lookup, concordat.PermissionDenied},
	} {
		conn := dial(t, "https://"+b.addr, concordat.WithTLS(config), security, concordat.WithCredentials(auth.BearerToken, auth.Static(c.key)))
		_, err := rpc.Unary(t.Context(), conn, c.m, wrapperspb.String("x"))
		if got := codeOf(err); got != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	nobody := dial(t, "https://"+b.addr, concordat.WithTLS(config), concordat.WithoutAuthentication())
	if _, err := rpc.Unary(t.Context(), nobody, &place, wrapperspb.String("x")); codeOf(err) != concordat.Unauthenticated {
		t.Errorf("without credentials: %v", err)
	}
	for _, err := range rpc.ServerStream(t.Context(), nobody, &watch, wrapperspb.String("x")) {
		if codeOf(err) != concordat.Unauthenticated {
			t.Errorf("a stream without credentials: %v", err)
		}
	}
	if n := b.calls.Load(); n != 1 {
		t.Errorf("handlers saw %d calls", n)
	}
	client, err := config.Client("127.0.0.1", "h2")
	if err != nil {
		t.Fatal(err)
	}
	if err := reflect(t, b.addr, client); err == nil {
		t.Error("reflection answers anybody")
	}
}

func codeOf(err error) concordat.Code {
	if err == nil {
		return concordat.OK
	}
	return concordat.ErrorOf(err).Code
}

// Without our certificate there is no call, and the error says why.
func TestStrangersAreRefused(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	other, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.Mutual("orders")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := other.Mutual("stranger")
	if err != nil {
		t.Fatal(err)
	}
	b := serve(t, concordat.WithTLS(config))
	conn := dial(t, "https://"+b.addr, concordat.WithTLS(stranger))
	if _, err := rpc.Unary(t.Context(), conn, &place, wrapperspb.String("x")); codeOf(err) != concordat.Unauthenticated {
		t.Errorf("a stranger: %v", err)
	}
	if b.calls.Load() != 0 {
		t.Error("the handler was reached")
	}
}

func over(t *testing.T, addr string, config *tls.Config) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return cc
}

// reflect asks for the names of all services.
func reflect(t *testing.T, addr string, config *tls.Config) error {
	t.Helper()
	stream, err := reflectionpb.NewServerReflectionClient(over(t, addr, config)).ServerReflectionInfo(t.Context())
	if err != nil {
		return err
	}
	if err := stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// Health and reflection answer; who watches and reflects does not hold up draining.
func TestBuiltin(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.Mutual("orders")
	if err != nil {
		t.Fatal(err)
	}
	b := serve(t, concordat.WithTLS(config))
	client, err := config.Client("127.0.0.1", "h2")
	if err != nil {
		t.Fatal(err)
	}
	if err := reflect(t, b.addr, client); err != nil {
		t.Error(err)
	}
	health := healthpb.NewHealthClient(over(t, b.addr, client))
	b.SetReady("test.Orders", false)
	for service, want := range map[string]healthpb.HealthCheckResponse_ServingStatus{
		"": healthpb.HealthCheckResponse_SERVING, "test.Orders": healthpb.HealthCheckResponse_NOT_SERVING,
	} {
		if out, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service}); err != nil || out.GetStatus() != want {
			t.Errorf("%q: %v, %v", service, out, err)
		}
	}
	watching, err := health.Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := watching.Recv(); err != nil || out.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Fatal(out, err)
	}
	if err := b.stop(); err != nil {
		t.Errorf("draining: %v", err)
	}
	if out, err := watching.Recv(); err != nil || out.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("told when draining: %v, %v", out, err)
	}
}

// One option of Serve is one server's.
func TestOneServerEach(t *testing.T) {
	option := grpcengine.Serve("127.0.0.1:0")
	for i := range 2 {
		s := concordat.NewServer(option, concordat.WithPlaintext(), quiet)
		rpc.HandleUnary(s, &place, (&backend{}).echo)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		if i == 0 {
			<-s.Ready()
			cancel()
		}
		if err := <-ended; (err == nil) != (i == 0) {
			t.Errorf("server %d: %v", i, err)
		}
		cancel()
	}
}
