package rpc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// badServer answers everything by h, in HTTP/2 and plaintext.
func badServer(t *testing.T, h http.HandlerFunc) (base string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(ln) }()
	t.Cleanup(func() { s.Close() })
	return "http://" + ln.Addr().String()
}

func TestHostileServers(t *testing.T) {
	zeros, noise := bomb(t, 64<<20), make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	good := frame(0, 3, []byte("\x0a\x01x"))
	grpc := func(w http.ResponseWriter, trailer string, body []byte, header ...string) {
		w.Header().Set("Content-Type", "application/grpc")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		if trailer != "" {
			w.Header().Set("Trailer", "Grpc-Status")
		}
		_, _ = w.Write(body)
		w.Header().Set("Grpc-Status", trailer)
	}
	for _, c := range []struct {
		name string
		want concordat.Code
		h    http.HandlerFunc
	}{
		{"a page", concordat.Unknown, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }},
		{"502", concordat.Unavailable, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }},
		{"a page without end", concordat.Unknown, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(noise); err != nil {
					return
				}
			}
		}},
		{"4 GiB are said to come", concordat.ResourceExhausted, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "0", frame(0, 1<<32-1, []byte("x"))) }},
		{"a bomb", concordat.ResourceExhausted, func(w http.ResponseWriter, _ *http.Request) {
			grpc(w, "0", frame(1, uint32(len(zeros)), zeros), "Grpc-Encoding", "gzip")
		}},
		{"cut", concordat.Internal, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "0", frame(0, 100, []byte("x"))) }},
		{"no status", concordat.Internal, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "", good) }},
		{"a status that is none", concordat.Unknown, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "fine", good) }},
		{"no message", concordat.Unimplemented, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "0", nil) }},
		{"two messages", concordat.Unimplemented, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "0", append(bytes.Clone(good), good...)) }},
		{"no Protobuf", concordat.InvalidArgument, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "0", frame(0, 3, []byte("\xff\xff\xff"))) }},
		{"unknown compression", concordat.Internal, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "0", good, "Grpc-Encoding", "lzma") }},
		{"broken off", concordat.Unavailable, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"silence", concordat.DeadlineExceeded, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"silence after headers", concordat.DeadlineExceeded, func(w http.ResponseWriter, r *http.Request) {
			grpc(w, "0", good[:2])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
		{"headers without end", concordat.Unavailable, func(w http.ResponseWriter, _ *http.Request) { grpc(w, "0", good, "X-Long", strings.Repeat("x", 1<<20)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaves(t)
			base := badServer(t, c.h)
			conn, err := concordat.NewConn(base, concordat.WithMaxBody(1<<16), quiet, concordat.WithInterceptors(rpc.Speak(rpc.GRPC, rpc.Gzip())))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			flat(t, 16<<20, func() {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				if out, err := rpc.Unary(ctx, conn, &place, str("x")); err == nil || codeOf(err) != c.want {
					t.Errorf("one message: %v, %v; want %v", out, err, c.want)
				}
				var last error
				n := 0
				for _, err := range rpc.ServerStream(ctx, conn, &watch, num(1)) {
					if n, last = n+1, err; n > 10 {
						break
					}
				}
				if last == nil && c.name != "no message" && c.name != "two messages" {
					t.Error("a stream ended as if all were well")
				}
			})
		})
	}
}
