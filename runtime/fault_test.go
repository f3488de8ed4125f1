package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// many makes n calls, some at a time, and returns the errors.
func many(t testing.TB, c *concordat.Conn, spec *concordat.Spec, n int, deadline time.Duration) []error {
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	next := make(chan struct{})
	for range 16 {
		wg.Go(func() {
			for range next {
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				_, err := do(ctx, c, spec, "hello")
				cancel()
				if err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for range n {
		next <- struct{}{}
	}
	close(next)
	wg.Wait()
	return errs
}

func retries(c *concordat.Conn) (n int64) {
	for _, o := range c.Stats() {
		n += o.Retries
	}
	return n
}

func TestHungEndpointLosesNothing(t *testing.T) {
	a, _ := backend(t, answerOK)
	b, _ := backend(t, answerOK)
	c := dial(t, fmt.Sprintf("static:%s,%s,%s", a, hung(t), b), concordat.WithPlaintext())
	if errs := many(t, c, &getSpec, 600, 3*time.Second); len(errs) > 0 {
		t.Fatalf("%d of 600 calls lost, the first: %v", len(errs), errs[0])
	}
	// Sixteen callers at a time may meet the hung endpoint before it is ejected.
	if n := retries(c); n < 1 || n > 32 {
		t.Errorf("%d retries; one at least, and no more than met the endpoint before it was ejected", n)
	}
}

func TestRefusedConnectionIsRepeatedEvenForPost(t *testing.T) {
	live, count := backend(t, answerOK)
	c := dial(t, fmt.Sprintf("static:%s,%s", closedPort(t), live), concordat.WithPlaintext())
	if errs := many(t, c, &postSpec, 50, 10*time.Second); len(errs) > 0 {
		t.Fatalf("%d of 50 calls lost, the first: %v", len(errs), errs[0])
	}
	if count.Load() != 50 {
		t.Errorf("the live endpoint saw %d requests of 50", count.Load())
	}
	if retries(c) == 0 {
		t.Error("no call met the dead endpoint")
	}
}

func TestWhatMayHaveArrivedIsNotSentAgain(t *testing.T) {
	breakOff := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		get     int64 // attempts of an idempotent operation
	}{
		{"connection broken off", breakOff, 3},
		{"500", status(500), 3},
		{"502", status(502), 3},
		{"503", status(503), 3},
		{"504", status(504), 3},
		{"429", status(429), 3},
		{"501", status(501), 1},
		{"404", status(404), 1},
		{"422", status(422), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, na := backend(t, c.handler)
			b, nb := backend(t, c.handler)
			conn := dial(t, fmt.Sprintf("static:%s,%s", a, b), concordat.WithPlaintext())
			if _, err := do(t.Context(), conn, &postSpec, "hello"); err == nil || na.Load()+nb.Load() != 1 {
				t.Errorf("POST was sent %d times: %v", na.Load()+nb.Load(), err)
			}
			na.Store(0)
			nb.Store(0)
			if _, err := do(t.Context(), conn, &getSpec, ""); err == nil || na.Load()+nb.Load() != c.get {
				t.Errorf("GET was sent %d times, want %d: %v", na.Load()+nb.Load(), c.get, err)
			}
			if c.get == 3 && (na.Load() == 0 || nb.Load() == 0) {
				t.Error("all attempts went to one endpoint")
			}
		})
	}
}

func TestNoRetriesWhenTurnedOff(t *testing.T) {
	addr, n := backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	c := dial(t, "http://"+addr, concordat.WithRetries(0))
	if _, err := do(t.Context(), c, &getSpec, ""); err == nil || n.Load() != 1 {
		t.Errorf("%d attempts: %v", n.Load(), err)
	}
}

func TestBudgetBoundsATotalFailure(t *testing.T) {
	addr, n := backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	c := dial(t, "http://"+addr)
	const calls = 3000
	errs := many(t, c, &getSpec, calls, 10*time.Second)
	if len(errs) != calls {
		t.Fatalf("%d of %d calls failed", len(errs), calls)
	}
	const most = calls * 12 / 10
	if n.Load() > most {
		t.Errorf("%d attempts for %d calls, at most %d are allowed", n.Load(), calls, most)
	}
	if n.Load() < calls*11/10 {
		t.Errorf("%d attempts for %d calls: the budget is hardly used", n.Load(), calls)
	}
	spent := 0
	for _, err := range errs {
		if strings.Contains(err.Error(), "retry budget is spent") {
			spent++
		}
	}
	if spent == 0 {
		t.Error("no error says that the budget is spent")
	}
}

func TestErrorKeepsTheCauseAndSaysWhatToDo(t *testing.T) {
	addr := closedPort(t)
	c := dial(t, "static:"+addr, concordat.WithPlaintext())
	_, err := do(t.Context(), c, &getSpec, "")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the cause is lost: %v", err)
	}
	for _, want := range []string{"unavailable: test.Things/Get: ", addr, "is the service running", "after 3 attempts"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestCallersDeadline(t *testing.T) {
	c := dial(t, "static:"+hung(t), concordat.WithPlaintext())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := do(ctx, c, &postSpec, "")
	if !errors.Is(err, context.DeadlineExceeded) || concordat.ErrorOf(err).Code != concordat.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err = do(ctx, c, &getSpec, "")
	if !errors.Is(err, context.Canceled) || concordat.ErrorOf(err).Code != concordat.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestDefaultTimeout(t *testing.T) {
	c := dial(t, "static:"+hung(t), concordat.WithPlaintext(), concordat.WithTimeout(30*time.Millisecond))
	if _, err := do(t.Context(), c, &postSpec, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestReplyLimit(t *testing.T) {
	addr, _ := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 2000))
	})
	for limit, want := range map[int64]concordat.Code{1999: concordat.ResourceExhausted, 2000: concordat.OK} {
		c := dial(t, "http://"+addr, concordat.WithMaxBody(limit))
		out, err := do(t.Context(), c, &getSpec, "")
		if got := code(err); got != want || want == concordat.OK && len(out) != 2000 {
			t.Errorf("limit %d: %v, %d bytes", limit, err, len(out))
		}
	}
}

func code(err error) concordat.Code {
	if err == nil {
		return concordat.OK
	}
	return concordat.ErrorOf(err).Code
}

func TestStreamedReplyOutlivesTheCall(t *testing.T) {
	more := make(chan struct{})
	addr, _ := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Grpc-Timeout") != "" {
			t.Error("the default deadline was announced for a reply that outlives it")
		}
		_, _ = io.WriteString(w, "first ")
		w.(http.Flusher).Flush()
		<-more
		_, _ = io.WriteString(w, "second")
	})
	c := dial(t, "http://"+addr, concordat.WithMaxBody(3))
	var body io.ReadCloser
	open := func(ctx context.Context) error {
		_, err := c.Invoke(ctx, &concordat.Call{Spec: &getSpec}, nil, func(ctx context.Context, _ any) (any, error) {
			return nil, c.Try(ctx, &getSpec, func(ctx context.Context, a *concordat.Attempt) error {
				req, _ := http.NewRequestWithContext(ctx, "GET", a.Base.String()+"/", nil)
				resp, err := a.DoStream(req)
				if err == nil {
					body = resp.Body
				}
				return err
			})
		})
		return err
	}
	if err := open(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(more)
	if b, err := io.ReadAll(body); string(b) != "first second" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	body.Close()

	more = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	if err := open(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(body); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller gave up: %v", err)
	}
	body.Close()
	close(more)
}

func TestKilledConnectionsAreReplaced(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	serve := func(l net.Listener) *http.Server {
		s := &http.Server{Handler: http.HandlerFunc(answerOK)}
		go func() { _ = s.Serve(l) }()
		return s
	}
	first := serve(l)
	other, _ := backend(t, answerOK)
	c := dial(t, fmt.Sprintf("static:%s,%s", addr, other), concordat.WithPlaintext())
	if errs := many(t, c, &getSpec, 100, 10*time.Second); len(errs) > 0 {
		t.Fatal(errs[0])
	}
	var stop atomic.Bool
	go func() { // restarts under load
		defer stop.Store(true)
		first.Close()
		time.Sleep(50 * time.Millisecond)
		if l, err = net.Listen("tcp", addr); err == nil {
			first = serve(l)
		}
	}()
	for !stop.Load() {
		if errs := many(t, c, &getSpec, 100, 10*time.Second); len(errs) > 0 {
			t.Fatalf("%d lost, the first: %v", len(errs), errs[0])
		}
	}
	first.Close()
}
