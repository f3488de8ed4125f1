package rpc_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// served is a plaintext server with test.Orders, what stops it, and a client for it.
func served(t *testing.T, opts ...concordat.ServerOption) (s *concordat.Server, base string, h *http.Client, stop func()) {
	t.Helper()
	s = concordat.NewServer(append(opts, concordat.WithPlaintext(), quiet)...)
	(&orders{place: func(_ context.Context, in *text) (*text, error) { return in, nil }, watch: count}).register(s)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	wire := &http.Transport{Protocols: p}
	t.Cleanup(wire.CloseIdleConnections)
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return s, "http://" + s.Addr(), &http.Client{Transport: wire}, stop
}

// Health's messages are a string and an enum in field 1, as those of wrapperspb nearly are.
type (
	healthRequest = wrapperspb.StringValue
	healthStatus  = wrapperspb.Int32Value
)

const serving, notServing, unknownService = 1, 2, 3

func check(t *testing.T, h *http.Client, base, service string) (int32, error) {
	t.Helper()
	c := connect.NewClient[healthRequest, healthStatus](h, base+"/grpc.health.v1.Health/Check", connect.WithGRPC())
	out, err := c.CallUnary(t.Context(), connect.NewRequest(wrapperspb.String(service)))
	if err != nil {
		return 0, err
	}
	return out.Msg.Value, nil
}

func TestHealth(t *testing.T) {
	s, base, h, _ := served(t)
	is := func(service string, want int32) {
		t.Helper()
		if got, err := check(t, h, base, service); err != nil || got != want {
			t.Errorf("%q: %v, %v", service, got, err)
		}
	}
	is("", serving)
	is("test.Orders", serving)
	is("grpc.health.v1.Health", serving)
	if _, err := check(t, h, base, "test.Order"); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a service that is not there: %v", err)
	}
	s.SetReady("test.Orders", false)
	is("test.Orders", notServing)
	is("", serving)
	s.SetReady("", false)
	is("grpc.health.v1.Health", notServing)
	s.SetReady("test.Orders", true)
	is("test.Orders", notServing)
	s.SetReady("", true)
	is("test.Orders", serving)

	resp, err := h.Post(base+"/grpc.health.v1.Health/Check", "application/json", strings.NewReader(`{"service":"test.Orders"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct{ Status string }
	if data, err := io.ReadAll(resp.Body); err != nil || json.Unmarshal(data, &said) != nil || said.Status != "SERVING" {
		t.Errorf("JSON: %s %v", data, err)
	}
	resp, err = h.Post(base+"/grpc.health.v1.Health/List", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if data, err := io.ReadAll(resp.Body); err != nil || strings.Count(string(data), `"SERVING"`) < 3 {
		t.Errorf("List: %s %v", data, err)
	}
}

// A watch tells every change and does not hold up the end.
func TestHealthWatch(t *testing.T) {
	s, base, h, stop := served(t)
	watching := func(service string) *connect.ServerStreamForClient[healthStatus] {
		c := connect.NewClient[healthRequest, healthStatus](h, base+"/grpc.health.v1.Health/Watch", connect.WithGRPC())
		stream, err := c.CallServerStream(t.Context(), connect.NewRequest(wrapperspb.String(service)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stream.Close() })
		return stream
	}
	next := func(stream *connect.ServerStreamForClient[healthStatus], want int32) {
		t.Helper()
		if !stream.Receive() || stream.Msg().Value != want {
			t.Fatalf("%v, %v; want %d", stream.Msg(), stream.Err(), want)
		}
	}
	known, unknown := watching("test.Orders"), watching("nobody")
	next(known, serving)
	next(unknown, unknownService)
	s.SetReady("test.Orders", false)
	next(known, notServing)
	s.SetReady("other", false) // which says nothing about it
	s.SetReady("test.Orders", true)
	next(known, serving)
	stop()
	next(known, notServing)
	if known.Receive() || known.Err() != nil || unknown.Receive() || unknown.Err() != nil {
		t.Errorf("after the end: %v, %v", known.Err(), unknown.Err())
	}
}

func TestReflection(t *testing.T) {
	_, base, h, stop := served(t)
	stream := grpcreflect.NewClient(h, base, connect.WithGRPC()).NewStream(t.Context())
	names, err := stream.ListServices()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"test.Orders", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"} {
		if !slices.Contains(names, protoreflect.FullName(want)) {
			t.Errorf("%s is not among %v", want, names)
		}
	}
	files, err := stream.FileContainingSymbol("google.protobuf.StringValue")
	if err != nil || len(files) == 0 || files[0].GetName() != "google/protobuf/wrappers.proto" {
		t.Errorf("%v, %v", files, err)
	}
	stop() // though the stream is still open
	if _, err := stream.Close(); err != nil {
		t.Log("closing:", err)
	}
}

// Reflection is subject to what guards the services; health is not.
func TestReflectionIsGuarded(t *testing.T) {
	closed := concordat.WithInterceptors(func(_ context.Context, c *concordat.Call, _ any, _ concordat.Next) (any, error) {
		return nil, concordat.Errorf(concordat.PermissionDenied, "not for you")
	})
	_, base, h, _ := served(t, closed)
	stream := grpcreflect.NewClient(h, base, connect.WithGRPC()).NewStream(t.Context())
	if _, err := stream.ListServices(); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Error(err)
	}
	if got, err := check(t, h, base, ""); err != nil || got != serving {
		t.Error(got, err)
	}
}

func TestWithoutBuiltins(t *testing.T) {
	_, base, h, _ := served(t, concordat.WithoutHealth(), concordat.WithoutReflection())
	if _, err := check(t, h, base, ""); connect.CodeOf(err) != connect.CodeUnimplemented {
		t.Error(err)
	}
	if _, err := grpcreflect.NewClient(h, base, connect.WithGRPC()).NewStream(t.Context()).ListServices(); connect.CodeOf(err) != connect.CodeUnimplemented {
		t.Error(err)
	}
}

// A program's own health service wins, whenever it is registered.
func TestOwnHealth(t *testing.T) {
	own := rpc.Method[healthRequest, healthStatus]{Spec: concordat.Spec{Name: "grpc.health.v1.Health/Check", Route: "/grpc.health.v1.Health/Check"}}
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithLogger(slog.New(slog.DiscardHandler)))
	rpc.HandleUnary(s, &place, func(_ context.Context, in *text) (*text, error) { return in, nil })
	rpc.HandleUnary(s, &own, func(context.Context, *healthRequest) (*healthStatus, error) { return wrapperspb.Int32(notServing), nil })
	rpc.HandleUnary(s, &lookup, func(_ context.Context, in *text) (*text, error) { return in, nil })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	conn, err := concordat.NewConn("http://" + s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := rpc.Unary(t.Context(), conn, &own, nil); err != nil || out.Value != notServing {
		t.Error(out, err)
	}
	conn.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
