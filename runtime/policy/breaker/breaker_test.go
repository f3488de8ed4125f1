package breaker

import (
	"testing"
	"time"
)

// calls makes n calls of which every k-th succeeds, and says how many were let pass.
func calls(b *Breaker, now time.Duration, n, k int) (passed int) {
	for i := range n {
		if b.Allow(Default, now) {
			passed++
			b.Done(Default, now, k > 0 && i%k == 0)
		}
	}
	return passed
}

func TestOpensWhereNearlyAllFails(t *testing.T) {
	for _, c := range []struct{ n, k, passed int }{
		{19, 0, 19}, {100, 0, 20}, {100, 2, 100}, {100, 10, 20},
	} {
		var b Breaker
		if got := calls(&b, 0, c.n, c.k); got != c.passed {
			t.Errorf("%d calls, every %dth succeeds: %d passed, want %d", c.n, c.k, got, c.passed)
		}
	}
}

func TestOldFailuresDoNotCount(t *testing.T) {
	var b Breaker
	for n := range 20 {
		if calls(&b, time.Duration(n)*Default.Window, 19, 0) != 19 {
			t.Fatal("opened by failures of different windows")
		}
	}
}

func TestTrials(t *testing.T) {
	var b Breaker
	calls(&b, 0, 20, 0)
	if b.Closed() || b.Allow(Default, Default.Open-1) {
		t.Fatal("not open")
	}
	now := Default.Open
	if !b.Allow(Default, now) || b.Allow(Default, now) {
		t.Fatal("one trial at a time")
	}
	b.Void()
	if !b.Allow(Default, now) {
		t.Fatal("a trial that says nothing blocks the next")
	}
	if !b.Done(Default, now, false) || b.Allow(Default, now+Default.Open-1) {
		t.Fatal("a trial that fails does not open again")
	}
	now += Default.Open
	for range Default.Trials {
		if b.Closed() || !b.Allow(Default, now) {
			t.Fatal("a trial is not let pass")
		}
		b.Done(Default, now, true)
	}
	if !b.Closed() || calls(&b, now, 19, 0) != 19 {
		t.Error("after the trials it is not as new")
	}
}

// Calls that began before it opened do not prolong that.
func TestStragglers(t *testing.T) {
	var b Breaker
	calls(&b, 0, 20, 0)
	for range 10 {
		b.Done(Default, Default.Open-1, false)
	}
	if !b.Allow(Default, Default.Open) {
		t.Error("prolonged")
	}
}
