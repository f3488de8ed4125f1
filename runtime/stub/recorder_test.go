package stub_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// A recorder keeps what a handler writes.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func newRequest(method, path, body string) *http.Request {
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func BenchmarkServeGet(b *testing.B) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	pet := &Pet{ID: 1, Name: "Rex"}
	(&PetsServer{get: func(context.Context, *GetPetRequest) (*Pet, error) { return pet, nil }}).register(s)
	serve(b, s, newRequest("GET", "/pets/rex", ""), "", 200)
}

func BenchmarkServePost(b *testing.B) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	(&PetsServer{create: func(_ context.Context, in *CreatePetRequest) (*Pet, error) { return &in.Body, nil }}).register(s)
	body := `{"id":1,"name":"Rex","tag":"dog","born":"2020-01-02T03:04:05Z"}`
	serve(b, s, newRequest("POST", "/pets", body), body, 201)
}

func serve(b *testing.B, s *concordat.Server, req *http.Request, body string, status int) {
	rec := newRecorder()
	r := strings.NewReader(body)
	b.ReportAllocs()
	for b.Loop() {
		clear(rec.header)
		rec.body.Reset()
		rec.status = 0
		r.Reset(body)
		req.Body = io.NopCloser(r)
		s.ServeHTTP(rec, req)
		if rec.status != status {
			b.Fatal(rec.status, rec.body.String())
		}
	}
}
