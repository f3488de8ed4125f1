package runtime_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// TestMain also holds the package to leaving no goroutine behind.
func TestMain(m *testing.M) {
	if addr := os.Getenv("CONCORDAT_TEST_BACKEND"); addr != "" {
		backendProcess()
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	if code == 0 {
		if s := leaked(); s != "" {
			fmt.Fprintln(os.Stderr, "goroutines left behind:\n"+s)
			code = 1
		}
	}
	os.Exit(code)
}

// leaked waits for goroutines of ours, and of net/http, to end.
func leaked() string {
	var left string
	for range 200 {
		buf := make([]byte, 1<<20)
		var ours []string
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if !strings.Contains(g, "leaked()") && (strings.Contains(g, "concordat/runtime") || strings.Contains(g, "net/http.")) {
				ours = append(ours, g)
			}
		}
		if left = strings.Join(ours, "\n\n"); left == "" {
			return ""
		}
		time.Sleep(25 * time.Millisecond)
	}
	return left
}

var (
	getSpec  = concordat.Spec{Name: "test.Things/Get", Route: "GET /things/{id}", Idempotent: true}
	postSpec = concordat.Spec{Name: "test.Things/Add", Route: "POST /things"}
)

// do is what a stub does: it sends one request and turns statuses into errors.
func do(ctx context.Context, c *concordat.Conn, spec *concordat.Spec, body string) (string, error) {
	method, path, _ := strings.Cut(spec.Route, " ")
	path = strings.ReplaceAll(path, "{id}", "7")
	out, err := c.Invoke(ctx, &concordat.Call{Spec: spec}, body, func(ctx context.Context, in any) (any, error) {
		var reply string
		err := c.Try(ctx, spec, func(ctx context.Context, a *concordat.Attempt) error {
			req, err := http.NewRequestWithContext(ctx, method, a.Base.String()+path, strings.NewReader(in.(string)))
			if err != nil {
				return err
			}
			resp, err := a.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			if resp.StatusCode >= 300 {
				return &concordat.Error{Code: concordat.CodeOf(resp.StatusCode), Status: resp.StatusCode, Message: string(b)}
			}
			reply = string(b)
			return nil
		})
		return reply, err
	})
	if err != nil {
		return "", err
	}
	return out.(string), nil
}

// backend is an HTTP server in plaintext that counts requests.
func backend(t testing.TB, h http.HandlerFunc) (addr string, count *atomic.Int64) {
	count = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions { // probes
			count.Add(1)
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), count
}

func answerOK(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// closedPort returns an address where nothing listens.
func closedPort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// hung accepts connections and never answers.
func hung(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var held []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range held {
					c.Close()
				}
				return
			}
			held = append(held, c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func dial(t testing.TB, target string, opts ...concordat.ConnOption) *concordat.Conn {
	t.Helper()
	c, err := concordat.NewConn(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// logs collects what a server reports.
func logs() (*slog.Logger, func() string) {
	b := new(safeBuffer)
	return slog.New(slog.NewTextHandler(b, nil)), b.String
}

type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// backendProcess is what a child process does: it says where it listens, and serves.
func backendProcess() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	_ = http.Serve(l, http.HandlerFunc(answerOK))
}
