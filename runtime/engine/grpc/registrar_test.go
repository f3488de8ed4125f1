package grpcengine_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	grpcengine "github.com/concordat-dev/concordat/runtime/engine/grpc"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// gRPC's interoperability service, as grpc-go has it, mounted on our server.
func interopServer(t *testing.T) (b *backend, client *tls.Config, names func() map[string]int) {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.Mutual("interop")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]int{}
	b = prepare(t, concordat.WithTLS(config), concordat.WithInterceptors(func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		mu.Lock()
		seen[call.Name]++
		mu.Unlock()
		return next(ctx, in)
	}))
	testgrpc.RegisterTestServiceServer(grpcengine.Registrar(b.Server), interop.NewTestServer())
	b.run(t)
	if client, err = config.Client("127.0.0.1", "h2"); err != nil {
		t.Fatal(err)
	}
	return b, client, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

// grpc-go's own test cases, which end the program where they fail, against both engines.
func TestRegistrarByGRPC(t *testing.T) {
	b, config, names := interopServer(t)
	for engine, addr := range map[string]string{"default": b.Addr(), "grpc-go": b.addr} {
		cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(config)))
		if err != nil {
			t.Fatal(err)
		}
		defer cc.Close()
		client := testgrpc.NewTestServiceClient(cc)
		for name, do := range map[string]func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
			"empty unary": interop.DoEmptyUnaryCall, "large unary": interop.DoLargeUnaryCall, "client stream": interop.DoClientStreaming,
			"server stream": interop.DoServerStreaming, "ping pong": interop.DoPingPong, "empty stream": interop.DoEmptyStream,
			"timeout": interop.DoTimeoutOnSleepingServer, "cancel after begin": interop.DoCancelAfterBegin,
			"cancel after first": interop.DoCancelAfterFirstResponse, "metadata": interop.DoCustomMetadata,
			"status": interop.DoStatusCodeAndMessage, "special status": interop.DoSpecialStatusMessage,
		} {
			t.Run(engine+"/"+name, func(t *testing.T) { do(t.Context(), client) })
		}
	}
	for _, m := range []string{"EmptyCall", "UnaryCall", "StreamingInputCall", "StreamingOutputCall", "FullDuplexCall"} {
		if names()["grpc.testing.TestService/"+m] < 2 {
			t.Errorf("interceptors saw %s %d times", m, names()[m])
		}
	}
}

// The same service by protocols that grpc-go does not have.
func TestRegistrarByConnect(t *testing.T) {
	b, config, _ := interopServer(t)
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	h := &http.Client{Transport: transport}
	base := "https://" + b.Addr() + "/grpc.testing.TestService/"
	for name, opts := range map[string][]connect.ClientOption{"connect": nil, "json": {connect.WithProtoJSON()}, "grpc-web": {connect.WithGRPCWeb()}} {
		t.Run(name, func(t *testing.T) {
			unary := connect.NewClient[testgrpc.SimpleRequest, testgrpc.SimpleResponse](h, base+"UnaryCall", opts...)
			out, err := unary.CallUnary(t.Context(), connect.NewRequest(&testgrpc.SimpleRequest{ResponseSize: 2000}))
			if err != nil || len(out.Msg.GetPayload().GetBody()) != 2000 {
				t.Fatal(err)
			}
			_, err = unary.CallUnary(t.Context(), connect.NewRequest(&testgrpc.SimpleRequest{ResponseStatus: &testgrpc.EchoStatus{Code: 5, Message: "gone"}}))
			if connect.CodeOf(err) != connect.CodeNotFound {
				t.Errorf("the status came as %v", err)
			}
			stream, err := connect.NewClient[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse](h, base+"StreamingOutputCall", opts...).
				CallServerStream(t.Context(), connect.NewRequest(&testgrpc.StreamingOutputCallRequest{ResponseParameters: []*testgrpc.ResponseParameters{{Size: 3}, {Size: 4}}}))
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			n := 0
			for stream.Receive() {
				n += len(stream.Msg().GetPayload().GetBody())
			}
			if n != 7 || stream.Err() != nil {
				t.Errorf("%d bytes, %v", n, stream.Err())
			}
		})
	}
}
