package run

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var errUnexpected = errors.New("not the declared success")

// A recorder keeps what a handler writes, in memory that is used again.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// SetReadDeadline is there because every real connection has it.
func (r *recorder) SetReadDeadline(time.Time) error { return nil }

func (r *recorder) reset() {
	clear(r.header)
	r.status = 0
	r.body.Reset()
}

const listPath = "/orders?status=packed&since=2026-01-01T00%3A00%3A00Z&tags=spring&tags=returning&limit=100"

func BenchmarkHandlerList(b *testing.B) { handlers(b, "GET", listPath, "", 200) }
func BenchmarkHandlerPost(b *testing.B) { handlers(b, "POST", "/orders", orderJSON, 201) }

// handlers serves one request over and over, without a connection.
func handlers(b *testing.B, method, path, body string, status int) {
	for _, s := range sides {
		b.Run(s.name, func(b *testing.B) {
			h, rec, r := s.handler(b), &recorder{header: http.Header{}}, strings.NewReader(body)
			req := httptest.NewRequest(method, path, nil)
			if body != "" {
				req.Header.Set("Content-Type", "application/json")
				req.ContentLength = int64(len(body))
				req.Body = io.NopCloser(r)
			}
			reader := req.Body
			measure(b, func() {
				rec.reset()
				r.Reset(body)
				req.Body, req.Form = reader, nil
				h.ServeHTTP(rec, req)
			})
			if rec.status != status && (rec.status != 0 || status != 200) {
				b.Fatal(rec.status, rec.body.String())
			}
		})
	}
}

// The same requests get the same answers, the refusals too where the side validates.
func TestServersAnswerAlike(t *testing.T) {
	for _, s := range sides {
		h := s.handler(t)
		ask := func(method, path, body string) *httptest.ResponseRecorder {
			rec, req := httptest.NewRecorder(), httptest.NewRequest(method, path, strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			h.ServeHTTP(rec, req)
			return rec
		}
		if r := ask("GET", listPath, ""); r.Code != 200 || r.Body.Len() < len(pageJSON) {
			t.Error(s.name, r.Code, r.Body.Len())
		}
		if r := ask("POST", "/orders", orderJSON); r.Code != 201 || r.Body.Len() < len(orderJSON) {
			t.Error(s.name, r.Code, r.Body)
		}
		if s.name == oapiSide {
			continue // validates nothing
		}
		for _, broken := range []string{
			strings.Replace(orderJSON, `"quantity":2`, `"quantity":0`, 1),
			strings.Replace(orderJSON, `"EUR"`, `"XYZ"`, 1),
			strings.Replace(orderJSON, `"kind":"card"`, `"kind":"cash"`, 1),
			strings.Replace(orderJSON, `"status":"packed",`, ``, 1),
		} {
			if r := ask("POST", "/orders", broken); r.Code/100 != 4 {
				t.Error(s.name, r.Code, "for", broken)
			}
		}
	}
}

func BenchmarkLoopbackList(b *testing.B) {
	loopback(b, func(c client) call { return c.list })
}

func BenchmarkLoopbackPost(b *testing.B) {
	loopback(b, func(c client) call { return c.post })
}

// loopback calls over TCP with the side's own client, a fixed number of calls at a time.
// The processor time is that of client and server.
func loopback(b *testing.B, which func(client) call) {
	for _, s := range sides {
		b.Run(s.name, func(b *testing.B) {
			server := httptest.NewServer(s.handler(b))
			defer server.Close()
			f := which(s.client(b, server.URL))
			load(b, f, connections) // connects
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu(b)
			took := load(b, f, b.N)
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
		})
	}
}

// load makes n calls and returns how long each took.
func load(b *testing.B, f call, n int) []time.Duration {
	took := make([]time.Duration, n)
	var wg sync.WaitGroup
	for w := range connections {
		wg.Go(func() {
			for i := w; i < n; i += connections {
				start := time.Now()
				if err := f(b.Context()); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return took
}
