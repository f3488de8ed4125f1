package runtime

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

// A script is a wire that answers by the address that it is asked, without a socket.
type script func(*http.Request) (*http.Response, error)

func (s script) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }
func (script) CloseIdleConnections()                               {}

func scripted(t *testing.T, target string, s script, opts ...ConnOption) *Conn {
	t.Helper()
	c, err := NewConn(target, append(opts, WithPlaintext())...)
	if err != nil {
		t.Fatal(err)
	}
	c.wired.Store(&wires{rest: s, rpc: s})
	return c
}

func reply(status int, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: http.NoBody}
}

// exchange makes one call and returns the address that answered.
func exchange(ctx context.Context, c *Conn, spec *Spec) (addr string, err error) {
	_, err = c.Invoke(ctx, &Call{Spec: spec}, nil, func(ctx context.Context, _ any) (any, error) {
		return nil, c.Try(ctx, spec, func(ctx context.Context, a *Attempt) error {
			req, _ := http.NewRequestWithContext(ctx, "GET", a.Base.String()+"/", nil)
			resp, err := a.Do(req)
			if err != nil {
				return err
			}
			addr = a.Endpoint.Addr
			if resp.StatusCode != 200 {
				return &Error{Code: CodeOf(resp.StatusCode), Status: resp.StatusCode}
			}
			return resp.Body.Close()
		})
	})
	return addr, err
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for _, c := range []struct {
		status, attempts int
		after            string
		least, most      time.Duration
	}{
		{503, 2, "2", 2 * time.Second, 2*time.Second + time.Millisecond},
		{429, 2, "3", 3 * time.Second, 3*time.Second + time.Millisecond},
		{503, 2, "", 0, 25 * time.Millisecond},
		{503, 1, "30", 0, 0}, // does not fit into the deadline of ten seconds
	} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			conn := scripted(t, "static:a:1,b:1", func(*http.Request) (*http.Response, error) {
				if n++; n == 1 {
					return reply(c.status, "Retry-After", c.after), nil
				}
				return reply(200), nil
			})
			start := time.Now()
			_, err := exchange(t.Context(), conn, &pipelineSpec)
			took := time.Since(start)
			if n != c.attempts || took < c.least || took > c.most || (err == nil) != (c.attempts == 2) {
				t.Errorf("%d, Retry-After %q: %d attempts in %v: %v", c.status, c.after, n, took, err)
			}
			conn.Close()
		})
	}
}

// In virtual time: five failures eject, five seconds later a probe asks, and what was
// ejected comes back only when the probe is answered.
func TestEjectionProbeReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, probes := true, 0
		hits := map[string]int{}
		conn := scripted(t, "static:bad:1,good:1", func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodOptions {
				if probes++; r.URL.Host != "bad:1" || r.URL.RequestURI() != "*" {
					t.Errorf("probe of %s %s", r.URL.Host, r.URL.RequestURI())
				}
			}
			if r.URL.Host == "bad:1" && down {
				return nil, errors.New("broken")
			}
			if r.Method == http.MethodGet {
				time.Sleep(100 * time.Millisecond) // slower than failing, so that the picker alone does not help
				hits[r.URL.Host]++
			}
			return reply(200), nil
		})
		defer conn.Close()
		calls := func(n int) {
			for range n {
				if _, err := exchange(t.Context(), conn, &pipelineSpec); err != nil {
					t.Fatal(err)
				}
			}
		}
		calls(20)
		if s := conn.ends.group.Set(); len(s.Live) != 1 || s.Live[0].Addr != "good:1" {
			t.Fatalf("the endpoint that fails is still in use")
		}
		before := conn.Stats()[0].Retries
		calls(20)
		if n := conn.Stats()[0].Retries - before; n != 0 {
			t.Errorf("%d retries after the ejection", n)
		}

		time.Sleep(6 * time.Second)
		calls(1)
		synctest.Wait()
		if probes != 1 || len(conn.ends.group.Set().Live) != 1 {
			t.Errorf("%d probes, %d live: one probe fails", probes, len(conn.ends.group.Set().Live))
		}
		down = false
		time.Sleep(9 * time.Second)
		calls(1)
		if probes != 1 {
			t.Error("the second ejection lasts ten seconds")
		}
		time.Sleep(2 * time.Second)
		calls(1)
		time.Sleep(time.Second)
		synctest.Wait()
		if probes != 2 || len(conn.ends.group.Set().Live) != 2 {
			t.Errorf("%d probes, %d live: the second succeeds", probes, len(conn.ends.group.Set().Live))
		}
		calls(20)
		if hits["bad:1"] == 0 {
			t.Error("what came back is not used")
		}
	})
}

func TestAttemptsShareTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shares []time.Duration
		conn := scripted(t, "static:a:1,b:1,c:1", func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodOptions { // what replaces a connection that may be dead
				return nil, errors.New("nobody there")
			}
			end, _ := r.Context().Deadline()
			shares = append(shares, time.Until(end).Round(250*time.Millisecond)) // the waits between take up to 75 ms
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		defer conn.Close()
		start := time.Now()
		_, err := exchange(t.Context(), conn, &pipelineSpec)
		if ErrorOf(err).Code != DeadlineExceeded || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(start); took != DefaultTimeout {
			t.Errorf("the call took %v", took)
		}
		if want := []time.Duration{5 * time.Second, 2500 * time.Millisecond, 2500 * time.Millisecond}; !slices.Equal(shares, want) {
			t.Errorf("shares %v, want %v", shares, want)
		}
	})
}

// resolver says what a test sends it.
type resolver chan func(yield func([]discovery.Endpoint, error) bool)

func (r resolver) Resolve(ctx context.Context, _ *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	return func(yield func([]discovery.Endpoint, error) bool) {
		for {
			select {
			case f := <-r:
				f(yield)
			case <-ctx.Done():
				return
			}
		}
	}
}

func (r resolver) say(err error, addrs ...string) {
	var set []discovery.Endpoint
	for _, a := range addrs {
		set = append(set, discovery.Endpoint{Addr: a})
	}
	r <- func(yield func([]discovery.Endpoint, error) bool) { yield(set, err) }
}

func TestEndpointSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := make(resolver)
		conn := scripted(t, "reg://things", func(*http.Request) (*http.Response, error) { return reply(200), nil }, WithResolver("reg", r))
		defer conn.Close()
		addrs := func() (all []string) {
			for _, e := range conn.ends.group.Set().All {
				all = append(all, e.Addr)
			}
			return all
		}
		expect := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := addrs(); !slices.Equal(got, want) {
				t.Errorf("endpoints %v, want %v", got, want)
			}
		}
		go r.say(errors.New("registry is down"))
		if _, err := exchange(t.Context(), conn, &pipelineSpec); ErrorOf(err).Code != Unavailable {
			t.Errorf("with no endpoint ever: %v", err)
		}
		r.say(nil, "a:1", "b:1")
		expect("a:1", "b:1")
		if _, err := exchange(t.Context(), conn, &pipelineSpec); err != nil {
			t.Error(err)
		}
		a := conn.ends.group.Set().All[0].State
		a.Load.Seed(0, time.Minute)

		r.say(errors.New("registry is down"))
		expect("a:1", "b:1")
		r.say(nil)
		expect("a:1", "b:1")
		r.say(nil, "c:1", "a:1")
		expect("c:1", "a:1")
		all := conn.ends.group.Set().All
		if all[1].State != a {
			t.Error("the state of an endpoint that stayed is lost")
		}
		if all[0].Load.Latency(conn.now()) == 0 {
			t.Error("a new endpoint starts as if it were faster than all others")
		}
	})
}

func TestClosedConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := scripted(t, "static:a:1", func(*http.Request) (*http.Response, error) { return reply(200), nil })
		if _, err := exchange(t.Context(), conn, &pipelineSpec); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if _, err := exchange(t.Context(), conn, &pipelineSpec); !errors.Is(err, errClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// Calls that wait for the first word of a resolver give up in time, and when the
// connection is closed.
func TestWaitingForTheResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := scripted(t, "reg://things", nil, WithResolver("reg", make(resolver)))
		if _, err := exchange(t.Context(), conn, &pipelineSpec); ErrorOf(err).Code != DeadlineExceeded {
			t.Errorf("a silent resolver: %v", err)
		}
		time.AfterFunc(time.Second, func() { conn.Close() })
		if _, err := exchange(t.Context(), conn, &pipelineSpec); !errors.Is(err, errClosed) {
			t.Errorf("closed while waiting: %v", err)
		}
	})
}
