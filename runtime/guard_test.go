package runtime

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/breaker"
	"github.com/concordat-dev/concordat/runtime/policy/rate"
)

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status, asked := 500, 0
		conn := scripted(t, "static:a:1", func(*http.Request) (*http.Response, error) {
			asked++
			return reply(status), nil
		}, WithRetries(0), WithGuard(Guard{Breaker: &breaker.Default}))
		defer conn.Close()
		other := Spec{Name: "test.Things/Other", Idempotent: true}
		for range 100 {
			if _, err := exchange(t.Context(), conn, &pipelineSpec); err == nil {
				t.Fatal("no error")
			}
		}
		if asked != breaker.Default.Samples {
			t.Errorf("%d calls were made", asked)
		}
		_, err := exchange(t.Context(), conn, &pipelineSpec)
		if ErrorOf(err).Code != Unavailable || !strings.Contains(err.Error(), "was not called") {
			t.Errorf("when it is open: %v", err)
		}
		status = 200
		if _, err := exchange(t.Context(), conn, &other); err != nil {
			t.Errorf("another operation: %v", err)
		}
		time.Sleep(breaker.Default.Open)
		for range 10 {
			if _, err := exchange(t.Context(), conn, &pipelineSpec); err != nil {
				t.Errorf("when it works again: %v", err)
			}
		}
	})
}

// What is wrong with requests opens no breaker.
func TestBreakerIgnoresWrongRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		conn := scripted(t, "static:a:1", func(*http.Request) (*http.Response, error) { asked++; return reply(404), nil }, WithGuard(Guard{Breaker: &breaker.Default}))
		defer conn.Close()
		for range 100 {
			_, _ = exchange(t.Context(), conn, &pipelineSpec)
		}
		if asked != 100 {
			t.Errorf("%d calls of 100 were made", asked)
		}
	})
}

func TestBulkheadAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		conn := scripted(t, "static:a:1", func(*http.Request) (*http.Response, error) { <-leave; return reply(200), nil },
			WithGuard(Guard{InFlight: 2}), WithGuardOf("test.Things/Rated", Guard{Rate: rate.Config{PerSecond: 10, Burst: 3}}))
		defer conn.Close()
		done := make(chan error, 10)
		for range 2 {
			go func() { _, err := exchange(t.Context(), conn, &pipelineSpec); done <- err }()
		}
		synctest.Wait()
		if _, err := exchange(t.Context(), conn, &pipelineSpec); ErrorOf(err).Code != ResourceExhausted {
			t.Errorf("the third call: %v", err)
		}
		close(leave)
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if _, err := exchange(t.Context(), conn, &pipelineSpec); err != nil {
			t.Errorf("when they are done: %v", err)
		}
		rated, passed := Spec{Name: "test.Things/Rated", Idempotent: true}, 0
		for range 10 {
			if _, err := exchange(t.Context(), conn, &rated); err == nil {
				passed++
			} else if ErrorOf(err).Code != ResourceExhausted {
				t.Error(err)
			}
		}
		if passed != 3 {
			t.Errorf("a burst of %d", passed)
		}
	})
}

func TestFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := scripted(t, "static:a:1", func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }, WithRetries(0),
			WithGuard(Guard{Fallback: func(_ context.Context, call *Call, in any, err error) (any, error) {
				if ErrorOf(err).Code == Unavailable {
					return in.(string) + " from " + call.Name, nil
				}
				return nil, err
			}}))
		defer conn.Close()
		fail := func(err error) (any, error) {
			return conn.Invoke(t.Context(), &Call{Spec: &pipelineSpec}, "stale", func(context.Context, any) (any, error) { return nil, err })
		}
		if out, err := fail(Errorf(Unavailable, "down")); err != nil || out != "stale from "+pipelineSpec.Name {
			t.Errorf("%v, %v", out, err)
		}
		if _, err := fail(Errorf(NotFound, "no")); ErrorOf(err).Code != NotFound {
			t.Errorf("what the fallback leaves: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := conn.Invoke(ctx, &Call{Spec: &pipelineSpec}, "stale", func(context.Context, any) (any, error) { return nil, Errorf(Unavailable, "down") }); err == nil {
			t.Error("a caller that gave up gets an answer")
		}
	})
}

func TestGuardsOfAServer(t *testing.T) {
	s := NewServer(WithGuard(Guard{InFlight: 1, Breaker: &breaker.Default}))
	call := func(last Next) error {
		_, err := s.Intercept(t.Context(), &Call{Spec: &pipelineSpec, Side: Incoming}, nil, last)
		return err
	}
	if err := call(func(context.Context, any) (any, error) {
		if err := call(nil); ErrorOf(err).Code != ResourceExhausted {
			t.Errorf("the second at a time: %v", err)
		}
		return nil, nil
	}); err != nil {
		t.Error(err)
	}
	if err := call(func(context.Context, any) (any, error) { panic("boom") }); ErrorOf(err).Code != Internal {
		t.Error(err)
	}
	for range 100 { // a panic leaves no place taken, and a server has no breaker
		if err := call(func(context.Context, any) (any, error) { return nil, Errorf(Internal, "own") }); !strings.Contains(err.Error(), "own") {
			t.Fatal(err)
		}
	}
}

func TestAServersRateSaysWhenToComeAgain(t *testing.T) {
	s := NewServer(WithGuard(Guard{Rate: rate.Config{PerSecond: 0.5, Burst: 1}}))
	last := func(context.Context, any) (any, error) { return nil, nil }
	for n, want := range []string{"", "2"} {
		call := &Call{Spec: &pipelineSpec, Side: Incoming}
		_, err := s.Intercept(t.Context(), call, nil, last)
		if (err != nil) != (n == 1) || call.ReplyMeta.Get("Retry-After") != want {
			t.Errorf("call %d: %v, Retry-After %q", n, err, call.ReplyMeta.Get("Retry-After"))
		}
	}
}
