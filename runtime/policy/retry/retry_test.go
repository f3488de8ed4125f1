package retry

import (
	"math"
	"net/http"
	"testing"
	"time"
)

func TestAgain(t *testing.T) {
	for _, c := range []struct {
		n          int
		v          Verdict
		idempotent bool
		want       bool
	}{
		{0, Final, true, false}, {0, Transient, true, true}, {0, Transient, false, false},
		{0, Unsent, false, true}, {1, Unsent, true, true}, {2, Unsent, true, false}, {2, Transient, true, false},
	} {
		if got := Default.Again(c.n, c.v, c.idempotent); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestBackoffIsFullJitter(t *testing.T) {
	for n, top := range []time.Duration{25, 50, 100, 200, 400, 800, 1000, 1000} {
		top *= time.Millisecond
		if got := Default.Backoff(n, 0); got != 0 {
			t.Errorf("attempt %d: the least is %v", n, got)
		}
		if got := Default.Backoff(n, math.MaxUint64); got != top-1 {
			t.Errorf("attempt %d: the most is %v, want %v", n, got, top-1)
		}
		if got := Default.Backoff(n, math.MaxUint64/2); got < top/2-1 || got > top/2 {
			t.Errorf("attempt %d: the middle is %v", n, got)
		}
	}
	if got := Default.Backoff(1000, math.MaxUint64); got >= time.Second {
		t.Errorf("attempt 1000: %v", got)
	}
}

func TestWait(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		after, left, want time.Duration
		ok                bool
	}{
		{0, s, 0, true}, {2 * s, 10 * s, 2 * s, true}, {2 * s, 2 * s, 2 * s, false}, {0, 0, 0, false},
	} {
		if got, ok := Default.Wait(0, Transient, 0, c.after, c.left); got != c.want || ok != c.ok {
			t.Errorf("%+v: %v, %v", c, got, ok)
		}
	}
}

func TestAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, " 120 ": 2 * time.Minute, "-1": 0, "1.5": 0, "soon": 0,
		"Mon, 23 Nov 2026 08:00:30 GMT": 30 * time.Second,
		"Mon, 23 Nov 2026 07:00:00 GMT": 0,
		"99999999999999999999":          0,
	} {
		if got := After(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}
