package pick

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestTwoAreDistinctAndEven(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 7; n++ {
		for skip := -1; skip < n; skip++ {
			seen := make([]int, n)
			const draws = 20_000
			for range draws {
				a, b := Two(n, skip, r.Uint64())
				if a < 0 || a >= n || b < 0 || b >= n {
					t.Fatalf("Two(%d, %d) = %d, %d", n, skip, a, b)
				}
				left := n
				if skip >= 0 {
					left--
				}
				if left > 1 && a == b || left > 0 && n > 1 && (a == skip || b == skip) {
					t.Fatalf("Two(%d, %d) = %d, %d", n, skip, a, b)
				}
				seen[a]++
				seen[b]++
			}
			for i, s := range seen {
				if i == skip || n == 1 {
					continue
				}
				left := n
				if skip >= 0 {
					left--
				}
				want := 2 * draws / left
				if math.Abs(float64(s-want)) > float64(want)/10 {
					t.Errorf("Two(%d, %d) draws %d %d times, about %d expected", n, skip, i, s, want)
				}
			}
		}
	}
}

func TestCost(t *testing.T) {
	const ms = time.Millisecond
	var l Load
	if l.Cost(0) <= 0 {
		t.Error("an idle endpoint costs nothing, so that calls in flight tell nothing")
	}
	l.Begin()
	var known Load
	known.Seed(0, time.Minute)
	if l.Cost(0) <= known.Cost(0) {
		t.Error("an endpoint that has a call and never answered is cheaper than a slow one")
	}
	l.EndAfter(0, 10*ms)
	if l.Latency(0) != 10*ms {
		t.Errorf("the first sample: %v", l.Latency(0))
	}
	l.Begin()
	l.EndAfter(ms, 100*ms)
	if l.Latency(ms) != 100*ms {
		t.Errorf("a slower sample takes over at once: %v", l.Latency(ms))
	}
	l.Begin()
	l.EndAfter(2*ms, 10*ms)
	if got := l.Latency(2 * ms); got < 99*ms || got > 100*ms {
		t.Errorf("a faster sample soon after hardly counts: %v", got)
	}
	if got := l.Latency(2*ms + Decay); got < 36*ms || got > 37*ms {
		t.Errorf("after one decay 1/e is left: %v", got)
	}
	one := l.Cost(2 * ms)
	l.Begin()
	l.Begin()
	if got := l.Cost(2 * ms); math.Abs(got/one-3) > 1e-9 {
		t.Errorf("two in flight: %v times the cost of none", got/one)
	}
	l.End()
	l.End()
	if l.InFlight() != 0 {
		t.Error("in flight:", l.InFlight())
	}
}

func TestWeightIsSmooth(t *testing.T) {
	for d := time.Duration(0); d < Decay; d += Decay / 997 {
		if got, want := weight(d), math.Exp(-float64(d)/float64(Decay)); math.Abs(got-want) > 1e-6 {
			t.Errorf("weight(%v) = %v, want %v", d, got, want)
		}
	}
	if weight(-time.Second) != 1 {
		t.Error("a clock that another core saw later")
	}
}

// One of ten endpoints is ten times slower; the picker alone must keep it from getting
// more than a small share.
func TestSlowEndpointGetsLittle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	loads := make([]Load, 10)
	counts := make([]int, 10)
	now := time.Duration(0)
	for range 10_000 {
		now += time.Millisecond
		a, b := Two(len(loads), -1, r.Uint64())
		if loads[b].Cost(now) < loads[a].Cost(now) {
			a = b
		}
		took := 10 * time.Millisecond
		if a == 0 {
			took *= 10
		}
		counts[a]++
		loads[a].Begin()
		loads[a].EndAfter(now, took)
	}
	if counts[0] > 300 {
		t.Errorf("the slow endpoint got %d of 10000 calls: %v", counts[0], counts)
	}
}

// An endpoint that fails at once must not look like the fastest.
func TestFailingFastIsNoVirtue(t *testing.T) {
	var bad, good Load
	bad.Begin()
	bad.EndFailed(0, time.Microsecond)
	good.Begin()
	good.EndAfter(0, 5*time.Millisecond)
	if bad.Cost(0) <= good.Cost(0) {
		t.Errorf("failing costs %v, working %v", bad.Cost(0), good.Cost(0))
	}
	bad.Begin()
	bad.EndFailed(0, time.Second)
	if bad.Latency(0) != time.Second {
		t.Errorf("a slow failure counts in full: %v", bad.Latency(0))
	}
}

// What refuses, fails or is beaten looks dearer than before, however fast that was.
func TestFastEndsThatAreNotGood(t *testing.T) {
	ends := map[string]func(*Load){
		"rejected": func(l *Load) { l.EndRejected(0, time.Microsecond) },
		"failed":   func(l *Load) { l.EndFailed(0, time.Microsecond) },
		"beaten":   func(l *Load) { l.EndBeaten(0, 2*time.Millisecond) },
	}
	for name, end := range ends {
		var l Load
		l.Seed(0, 3*time.Millisecond)
		l.Begin()
		if end(&l); l.Latency(0) < 4*time.Millisecond || l.InFlight() != 0 {
			t.Errorf("%s: seems to take %v, %d in flight", name, l.Latency(0), l.InFlight())
		}
	}
	var l Load
	l.Seed(0, time.Second)
	l.Begin()
	if l.EndRejected(0, time.Microsecond); l.Latency(0) != time.Second {
		t.Errorf("a refusal raises no more than the penalty: %v", l.Latency(0))
	}
}
