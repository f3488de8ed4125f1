package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
)

// answer mounts an operation whose handler is f, as a stub does.
func answer(s *concordat.Server, spec *concordat.Spec, f func(ctx context.Context, in string) (string, error)) {
	method, template, _ := strings.Cut(spec.Route, " ")
	s.Mount(spec, method, template, func(w http.ResponseWriter, r *http.Request, path []string) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.WriteError(w, r, err)
			return
		}
		in := strings.Join(append(path, string(body)), "|")
		call := &concordat.Call{Spec: spec, Side: concordat.Incoming, Meta: r.Header, Peer: r.RemoteAddr}
		out, err := s.Intercept(r.Context(), call, in, func(ctx context.Context, in any) (any, error) {
			return f(ctx, in.(string))
		})
		if err != nil {
			s.WriteError(w, r, err)
			return
		}
		_, _ = io.WriteString(w, out.(string))
	})
}

func TestAnswers(t *testing.T) {
	log, said := logs()
	s := concordat.NewServer(concordat.WithLogger(log), concordat.WithMaxBody(10))
	answer(s, &getSpec, func(_ context.Context, in string) (string, error) {
		switch strings.TrimSuffix(in, "|") {
		case "panic":
			panic("boom")
		case "plain":
			return "", errors.New("secret")
		case "typed":
			return "", fmt.Errorf("wrapped: %w", concordat.Errorf(concordat.NotFound, "no thing"))
		case "late":
			return "", context.DeadlineExceeded
		}
		return in, nil
	})
	answer(s, &postSpec, func(_ context.Context, in string) (string, error) { return in, nil })
	for _, c := range []struct {
		method, path, body string
		header             string
		status             int
		want               string
	}{
		{"GET", "/things/a%20b", "", "", 200, "a b|"},
		{"HEAD", "/things/x", "", "", 200, ""},
		{"POST", "/things", "0123456789", "", 200, "0123456789"},
		{"POST", "/things", "0123456789a", "", 413, "WithMaxBody"},
		{"GET", "/nothing", "", "", 404, "no operation at /nothing"},
		{"DELETE", "/things/x", "", "", 405, "knows GET, HEAD, not DELETE"},
		{"OPTIONS", "/things/x", "", "", 204, ""},
		{"GET", "/things/panic", "", "", 500, `"detail":"internal error"`},
		{"GET", "/things/plain", "", "", 500, `"detail":"internal error"`},
		{"GET", "/things/typed", "", "", 404, `"detail":"no thing"`},
		{"GET", "/things/late", "", "", 504, `"code":"deadline_exceeded"`},
		{"GET", "/things/x", "", "0m", 504, "arrived after its deadline"},
		{"GET", "/things/x", "", "soon", 400, "is not a timeout"},
	} {
		t.Run(c.method+c.path+c.header, func(t *testing.T) {
			w, r := httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.header != "" {
				r.Header.Set("Grpc-Timeout", c.header)
			}
			s.ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, c.status, c.want)
			}
			if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "boom") {
				t.Error("the reply tells what was meant for the log")
			}
			if c.status >= 400 && c.method != "HEAD" {
				var p struct{ Status int }
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != c.status || w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("no problem of RFC 9457: %s %s", w.Header().Get("Content-Type"), w.Body)
				}
			}
			if (c.status == 405 || c.status == 204) && w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: %q", w.Header().Get("Allow"))
			}
		})
	}
	for _, want := range []string{"panic=boom", "error=secret", "stack="} {
		if !strings.Contains(said(), want) {
			t.Errorf("the log does not say %s: %s", want, said())
		}
	}
}

func TestDeadlineTravels(t *testing.T) {
	var left time.Duration
	c := concordattest.Serve(t, func(s *concordat.Server) {
		answer(s, &getSpec, func(ctx context.Context, _ string) (string, error) {
			end, ok := ctx.Deadline()
			if !ok {
				t.Error("the handler has no deadline")
			}
			left = time.Until(end)
			return "", nil
		})
		answer(s, &postSpec, func(ctx context.Context, _ string) (string, error) {
			end, _ := ctx.Deadline()
			left = time.Until(end)
			return "", nil
		})
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for _, x := range []struct {
		spec     *concordat.Spec
		min, max time.Duration
	}{{&postSpec, 30 * time.Minute, time.Hour}, {&getSpec, 20 * time.Minute, 30 * time.Minute}} {
		if _, err := do(ctx, c, x.spec, ""); err != nil {
			t.Fatal(err)
		}
		if left < x.min || left > x.max {
			t.Errorf("%s: the handler has %v, of an hour", x.spec.Name, left)
		}
	}
}

func TestExpiredWorkIsNotBegun(t *testing.T) {
	s := concordat.NewServer()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := s.Intercept(ctx, &concordat.Call{Spec: &getSpec}, nil, func(context.Context, any) (any, error) {
		t.Error("the handler ran")
		return nil, nil
	})
	if code(err) != concordat.DeadlineExceeded {
		t.Error(err)
	}
}

// slow is a server whose handler waits until told to go on.
func slow(t *testing.T, opts ...concordat.ServerOption) (s *concordat.Server, entered, goOn chan struct{}) {
	s = concordat.NewServer(append([]concordat.ServerOption{concordat.WithPlaintext()}, opts...)...)
	entered, goOn = make(chan struct{}), make(chan struct{})
	answer(s, &postSpec, func(ctx context.Context, _ string) (string, error) {
		close(entered)
		select {
		case <-goOn:
			return "finished", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	return s, entered, goOn
}

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	s, entered, goOn := slow(t)
	drained := make(chan struct{})
	s.Background("consumer", func(ctx context.Context) error {
		<-ctx.Done()
		<-goOn // a message in flight
		close(drained)
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	c := dial(t, "http://"+s.Addr())
	replied := make(chan string, 1)
	go func() {
		out, err := do(t.Context(), c, &postSpec, "")
		replied <- fmt.Sprint(out, err)
	}()
	<-entered
	stop()
	concordattest.Eventually(t, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", s.Addr())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-ended:
		t.Fatalf("Run returned with a call in flight: %v", err)
	default:
	}
	close(goOn)
	if got := <-replied; got != "finished<nil>" {
		t.Errorf("the call in flight got %s", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	<-drained
}

func TestDrainSaysWhatItCut(t *testing.T) {
	s, entered, _ := slow(t, concordat.WithDrain(20*time.Millisecond))
	stuck := make(chan struct{})
	s.Background("consumer of things", func(context.Context) error { <-stuck; return nil })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	c := dial(t, "http://"+s.Addr())
	replied := make(chan error, 1)
	go func() { _, err := do(t.Context(), c, &postSpec, ""); replied <- err }()
	<-entered
	stop()
	err := <-ended
	for _, want := range []string{"test.Things/Add (1)", "consumer of things", "WithDrain"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if err := <-replied; err == nil {
		t.Error("the call that was cut has succeeded")
	}
	close(stuck)
}

func TestRunReportsWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fails := func(s *concordat.Server) {
		s.Background("consumer", func(context.Context) error { return errors.New("no such stream") })
	}
	panics := func(s *concordat.Server) { s.Background("consumer", func(context.Context) error { panic("boom") }) }
	for _, c := range []struct {
		name string
		opts []concordat.ServerOption
		with func(*concordat.Server)
		want string
	}{
		{"no TLS", nil, nil, "WithPlaintext()"},
		{"both", []concordat.ServerOption{concordat.WithTLS(concordattest.TLS(t)), concordat.WithPlaintext()}, nil, "exclude each other"},
		{"address taken", []concordat.ServerOption{concordat.WithPlaintext(), concordat.WithAddr(taken.Addr().String())}, nil, "WithAddr"},
		{"admin for everyone", []concordat.ServerOption{concordat.WithPlaintext(), concordat.WithAdmin("0.0.0.0:0")}, nil, "loopback"},
		{"task fails", []concordat.ServerOption{concordat.WithPlaintext()}, fails, "consumer: no such stream"},
		{"task panics", []concordat.ServerOption{concordat.WithPlaintext()}, panics, "internal error"},
		{"template", []concordat.ServerOption{concordat.WithPlaintext()}, func(s *concordat.Server) {
			s.Mount(&getSpec, "GET", "no-slash", nil)
		}, "test.Things/Get"},
		{"twice", []concordat.ServerOption{concordat.WithPlaintext()}, func(s *concordat.Server) {
			s.MountRPC(&getSpec, "/p.S/M", nil)
			s.MountRPC(&getSpec, "/p.S/M", nil)
		}, "registered twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := concordat.NewServer(c.opts...)
			if c.with != nil {
				c.with(s)
			}
			if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not say %q", err, c.want)
			}
		})
	}
}

func TestRunOnce(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext())
	concordattest.Run(t, s)
	if err := s.Run(t.Context()); code(err) != concordat.FailedPrecondition {
		t.Error(err)
	}
}

func TestAdmin(t *testing.T) {
	free := closedPort(t)
	back, _ := backend(t, answerOK)
	client := dial(t, "http://"+back)
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithAdmin(free, client))
	answer(s, &getSpec, func(context.Context, string) (string, error) { return "", concordat.Errorf(concordat.NotFound, "none") })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
	if status, _ := get("/readyz"); status != 503 {
		t.Errorf("ready before Run: %d", status)
	}
	c := dial(t, "http://"+concordattest.Run(t, s))
	_, _ = do(t.Context(), c, &getSpec, "")
	_, _ = do(t.Context(), client, &postSpec, "")
	if status, _ := get("/readyz"); status != 200 {
		t.Errorf("not ready while running: %d", status)
	}
	resp, err := http.Get("http://" + free + "/healthz")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("%v %v", resp, err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	_, metrics := get("/metrics")
	for _, want := range []string{
		`concordat_calls_total{side="server",operation="test.Things/Get",code="not_found"} 1`,
		`concordat_calls_total{side="client",operation="test.Things/Add",target="http://` + back + `",code="ok"} 1`,
		`concordat_call_duration_seconds_count{side="server",operation="test.Things/Get"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s:\n%s", want, metrics)
		}
	}
}

// What became of a call of the handler's own is not for those whom it serves.
func TestInnerFailuresStayInside(t *testing.T) {
	dead := closedPort(t)
	log, said := logs()
	inner := dial(t, "static:"+dead, concordat.WithPlaintext(), concordat.WithRetries(0))
	c := concordattest.Serve(t, func(s *concordat.Server) {
		answer(s, &postSpec, func(ctx context.Context, _ string) (string, error) { return do(ctx, inner, &getSpec, "") })
	}, concordat.WithLogger(log))
	_, err := do(t.Context(), c, &postSpec, "")
	if code(err) != concordat.Unavailable || strings.Contains(err.Error(), dead) {
		t.Errorf("the caller sees %v", err)
	}
	if !strings.Contains(said(), dead) {
		t.Errorf("the log does not name %s: %s", dead, said())
	}
}

func TestBothVersionsOfHTTP(t *testing.T) {
	var proto string
	mount := func(s *concordat.Server) {
		s.Mount(&getSpec, "GET", "/things/{id}", func(w http.ResponseWriter, r *http.Request, _ []string) { proto = r.Proto })
		s.MountRPC(&postSpec, "/p.S/M", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proto = r.Proto }))
	}
	rpc := func(c *concordat.Conn) error {
		return c.Try(t.Context(), &postSpec, func(ctx context.Context, a *concordat.Attempt) error {
			ctx, cancel := a.Context(ctx)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "POST", "http://whatever/p.S/M", strings.NewReader("x"))
			resp, err := c.Transport().Do(req)
			if err == nil {
				resp.Body.Close()
			}
			return err
		})
	}
	secure := concordattest.Serve(t, mount)
	s := concordat.NewServer(concordat.WithPlaintext())
	mount(s)
	plain := dial(t, "http://"+concordattest.Run(t, s))
	for _, c := range []struct {
		conn      *concordat.Conn
		rest, rpc string
	}{{secure, "HTTP/2.0", "HTTP/2.0"}, {plain, "HTTP/1.1", "HTTP/2.0"}} {
		if _, err := do(t.Context(), c.conn, &getSpec, ""); err != nil || proto != c.rest {
			t.Errorf("REST to %v: %s, %v", c.conn, proto, err)
		}
		if err := rpc(c.conn); err != nil || proto != c.rpc {
			t.Errorf("RPC to %v: %s, %v", c.conn, proto, err)
		}
	}
	if _, err := plain.Transport().Do(httptest.NewRequest("GET", "/", nil)); code(err) != concordat.Internal {
		t.Errorf("outside an attempt: %v", err)
	}
}
