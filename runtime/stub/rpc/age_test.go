package rpc_test

import (
	"context"
	"iter"
	"net/http"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// addresses notes from where requests come: one address is one connection.
type addresses struct {
	mu   sync.Mutex
	seen map[string]int
}

func (a *addresses) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.seen[r.RemoteAddr]++
		a.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// A connection that is old is left by the calls that follow, in every protocol and version
// of HTTP, and no call is lost.
func TestOldConnectionsAreLeft(t *testing.T) {
	for name, opts := range map[string][]concordat.ConnOption{
		"grpc":         nil,
		"connect 1.1":  {concordat.WithHTTP(concordat.HTTP1), concordat.WithInterceptors(rpc.Speak(rpc.Connect))},
		"grpc-web 1.1": {concordat.WithHTTP(concordat.HTTP1), concordat.WithInterceptors(rpc.Speak(rpc.GRPCWeb))},
	} {
		for _, age := range []time.Duration{1, time.Hour} {
			seen := &addresses{seen: map[string]int{}}
			_, base, _, stop := served(t, concordat.WithConnectionAge(age, 0), concordat.WithMiddleware(seen.note))
			conn, err := concordat.NewConn(base, append(opts, quiet)...)
			if err != nil {
				t.Fatal(err)
			}
			const calls = 20
			for range calls {
				if _, err := rpc.Unary(t.Context(), conn, &place, str("x")); err != nil {
					t.Fatal(name, err)
				}
			}
			conn.Close()
			stop()
			// GOAWAY may arrive later than the next call is made.
			if n := len(seen.seen); age == time.Hour && n != 1 || age == 1 && n < 2 {
				t.Errorf("%s, %v: %d connections", name, age, n)
			}
		}
	}
}

// Streams end some time after their connection is old, where that is asked for.
func TestOldStreamsEnd(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet, concordat.WithConnectionAge(1, 20*time.Millisecond))
	rpc.HandleServerStream(s, &watch, func(ctx context.Context, _ *number) iter.Seq2[*number, error] {
		return func(yield func(*number, error) bool) {
			yield(num(1), nil)
			<-ctx.Done()
			yield(num(2), nil)
		}
	})
	rpc.HandleBidi(s, &chat, func(_ context.Context, in iter.Seq2[*text, error]) iter.Seq2[*text, error] { return in })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	defer func() { cancel(); <-ended }()
	conn, err := concordat.NewConn("http://"+s.Addr(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var got []int64
	for m, err := range rpc.ServerStream(t.Context(), conn, &watch, num(1)) {
		if err == nil {
			got = append(got, m.Value)
		} else if codeOf(err) != concordat.Unavailable {
			t.Error(err)
		}
	}
	if len(got) != 1 {
		t.Error(got)
	}
	silent := func(yield func(*text, error) bool) { // says one thing and then nothing
		if yield(str("x"), nil) {
			<-t.Context().Done()
		}
	}
	n := 0
	for _, err := range rpc.Bidi(t.Context(), conn, &chat, silent) {
		if n++; n == 2 && codeOf(err) != concordat.Unavailable {
			t.Error(err)
		}
	}
	if n != 2 {
		t.Errorf("%d of the stream both ways", n)
	}
}

func TestCORS(t *testing.T) {
	_, base, h, _ := served(t, concordat.WithCORS(concordat.CORS{Origins: []string{"https://shop.example"}, Headers: []string{"X-Tenant"}, Expose: []string{"X-Cost"}, Credentials: true}))
	ask := func(method, origin string, more ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, base+place.Route, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		for i := 0; i < len(more); i += 2 {
			req.Header.Set(more[i], more[i+1])
		}
		resp, err := h.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	const method, headers = "Access-Control-Request-Method", "Access-Control-Request-Headers"
	r := ask("OPTIONS", "https://shop.example", method, "POST", headers, "content-type,x-grpc-web, X-Tenant")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://shop.example" || r.Header.Get("Access-Control-Allow-Methods") != "POST" ||
		r.Header.Get("Access-Control-Allow-Headers") != "content-type, x-grpc-web, x-tenant" || r.Header.Get("Access-Control-Max-Age") != "7200" || r.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	for _, r := range []*http.Response{
		ask("OPTIONS", "https://evil.example", method, "POST"),
		ask("OPTIONS", "null", method, "POST"),
		ask("OPTIONS", "https://shop.example", method, "POST", headers, "x-secret"),
	} {
		if r.StatusCode != 403 || r.Header.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	}
	r = ask("POST", "https://shop.example", "Content-Type", "application/json")
	if r.Header.Get("Access-Control-Allow-Origin") != "https://shop.example" || r.Header.Get("Access-Control-Expose-Headers") != "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, X-Cost" {
		t.Error(r.Header)
	}
	if r = ask("POST", "https://evil.example", "Content-Type", "application/json"); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(r.Header)
	}
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithCORS(concordat.CORS{Origins: []string{"*"}, Credentials: true}))
	if err := s.Run(t.Context()); codeOf(err) != concordat.InvalidArgument {
		t.Error(err)
	}
}

// What no service has is Unimplemented, in the caller's protocol.
func TestUnknownMethod(t *testing.T) {
	_, base, h, _ := served(t)
	for name, o := range map[string][]connect.ClientOption{"connect": nil, "grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()}} {
		_, err := connect.NewClient[text, text](h, base+"/test.Orders/Nothing", o...).CallUnary(t.Context(), connect.NewRequest(str("")))
		if connect.CodeOf(err) != connect.CodeUnimplemented {
			t.Errorf("%s: %v", name, err)
		}
		stream := connect.NewClient[text, text](h, base+"/test.Orders/Nothing", o...).CallBidiStream(t.Context())
		_ = stream.Send(nil) // which sends the headers
		if _, err := stream.Receive(); connect.CodeOf(err) != connect.CodeUnimplemented {
			t.Errorf("%s: %v", name, err)
		}
	}
}
