package rpc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/policy/admit"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// crowded is a server with one call in it and room for no other.
func crowded(t *testing.T) (base string) {
	s := concordat.NewServer(quiet, concordat.WithAdmission(admit.Config{Start: 1, Min: 1, Max: 1, Tolerance: 2, Wait: time.Second, Samples: 1 << 30}))
	entered, leave := make(chan struct{}), make(chan struct{})
	rpc.HandleUnary(s, &place, func(context.Context, *text) (*text, error) {
		close(entered)
		<-leave
		return wrapperspb.String("done"), nil
	})
	h := httptest.NewUnstartedServer(s)
	h.Config.Protocols = new(http.Protocols)
	h.Config.Protocols.SetHTTP1(true)
	h.Config.Protocols.SetUnencryptedHTTP2(true)
	h.Start()
	t.Cleanup(h.Close)
	conn, err := concordat.NewConn(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	done := make(chan error, 1)
	go func() {
		_, err := rpc.Unary(context.Background(), conn, &place, wrapperspb.String("first"))
		done <- err
	}()
	<-entered
	t.Cleanup(func() {
		close(leave)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return h.URL
}

// Each protocol's own client understands a refusal, and finds the mark on it.
func TestRefusalInEachProtocol(t *testing.T) {
	base := crowded(t)
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	wire := &http.Transport{Protocols: p}
	t.Cleanup(wire.CloseIdleConnections)
	for name, o := range map[string][]connect.ClientOption{"connect": nil, "grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()}} {
		c := connect.NewClient[text, text](&http.Client{Transport: wire}, base+place.Route, o...)
		_, err := c.CallUnary(t.Context(), connect.NewRequest(wrapperspb.String("second")))
		e, ok := err.(*connect.Error)
		if !ok || e.Code() != connect.CodeUnavailable || !strings.Contains(e.Message(), "too many calls") || e.Meta().Get(admit.Header) != "overload" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A refused call that is not idempotent is made elsewhere.
func TestRefusedRPCGoesElsewhere(t *testing.T) {
	full := strings.TrimPrefix(crowded(t), "http://")
	s := concordat.NewServer(quiet)
	rpc.HandleUnary(s, &place, func(context.Context, *text) (*text, error) { return wrapperspb.String("served"), nil })
	h := httptest.NewUnstartedServer(s)
	h.Config.Protocols = new(http.Protocols)
	h.Config.Protocols.SetUnencryptedHTTP2(true)
	h.Start()
	t.Cleanup(h.Close)
	conn, err := concordat.NewConn("static:"+full+","+strings.TrimPrefix(h.URL, "http://"), concordat.WithPlaintext(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	for range 20 {
		out, err := rpc.Unary(t.Context(), conn, &place, wrapperspb.String("x"))
		if err != nil || out.Value != "served" {
			t.Fatalf("%v, %v", out, err)
		}
	}
	if n := conn.Stats()[0].Retries; n == 0 {
		t.Error("no call met the full server")
	}
}
