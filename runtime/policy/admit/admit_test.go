package admit

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

// A shop is a server with so many workers, who take 10 ms for each call, behind a limiter.
type shop struct {
	l       *Limiter
	op      Op
	workers []time.Duration // when each is free
	ends    ends
	took    time.Duration
	done    int
	refused int
	longest time.Duration
}

type end struct{ at, took time.Duration }
type ends []end

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at < e[j].at }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(end)) }
func (e *ends) Pop() any          { o := *e; x := o[len(o)-1]; *e = o[:len(o)-1]; return x }

// run lets calls come at a rate per second until a time.
func (s *shop) run(from, until time.Duration, rate int, r *rand.Rand) {
	for now := from; now < until; now += time.Duration(r.ExpFloat64() * float64(time.Second) / float64(rate)) {
		for len(s.ends) > 0 && s.ends[0].at <= now {
			e := heap.Pop(&s.ends).(end)
			s.l.Done(e.at, &s.op, e.took, true)
			s.done++
		}
		switch s.l.Ask(Normal, nil) {
		case Refused:
			s.refused++
		case Admitted:
			w := 0
			for i, free := range s.workers {
				if free < s.workers[w] {
					w = i
				}
			}
			s.workers[w] = max(s.workers[w], now) + s.took
			took := s.workers[w] - now
			s.longest = max(s.longest, took)
			heap.Push(&s.ends, end{s.workers[w], took})
		}
	}
}

func newShop(workers int) *shop {
	return &shop{l: New(Default), workers: make([]time.Duration, workers), took: 10 * ms}
}

// Below what it can do a server refuses nothing; above, it works as much as it can, and
// nobody waits for long.
func TestLimitFollowsTheLoad(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newShop(8)
		s.run(0, 10*time.Second, 480, r)
		if s.refused > 0 {
			t.Errorf("%d refused at 60%% of the load", s.refused)
		}
		s.done, s.longest = 0, 0
		s.run(10*time.Second, 40*time.Second, 2400, r)
		if rate := s.done / 30; rate < 760 {
			t.Errorf("at three times the load %d calls per second were answered, of 800 that are possible", rate)
		}
		if s.longest > 100*ms {
			t.Errorf("somebody waited for %v", s.longest)
		}
		s.refused = 0
		s.run(40*time.Second, 50*time.Second, 480, r)
		if s.refused > 20 { // while what was admitted before is finished
			t.Errorf("%d refused when the load is over", s.refused)
		}
	}
}

// A server with many workers is let use them.
func TestLimitGrows(t *testing.T) {
	s := newShop(200)
	s.run(0, 10*time.Second, 12_000, rand.New(rand.NewPCG(1, 1)))
	s.refused = 0
	s.run(10*time.Second, 12*time.Second, 12_000, rand.New(rand.NewPCG(1, 2)))
	if s.refused > 0 || s.l.Limit() < 120 {
		t.Errorf("limit %d, %d refused", s.l.Limit(), s.refused)
	}
}

// What became slower for good is no overload forever.
func TestSlowerForGood(t *testing.T) {
	s, r := newShop(100), rand.New(rand.NewPCG(1, 1))
	s.run(0, 5*time.Second, 400, r)
	s.took = 100 * ms
	s.run(5*time.Second, 60*time.Second, 400, r)
	s.refused = 0
	s.run(60*time.Second, 70*time.Second, 400, r)
	if s.refused > 40 {
		t.Errorf("%d of 4000 calls are refused by a server that is slow, but not busy", s.refused)
	}
}

func TestPriorities(t *testing.T) {
	c := Default
	c.Start = 10
	l := New(c)
	for n := range 8 {
		if l.Ask(Sheddable, nil) != Admitted {
			t.Fatalf("the %dth of 8 is refused", n)
		}
	}
	if l.Ask(Sheddable, new(Waiter)) != Refused {
		t.Error("beyond four fifths of the limit sheddable calls are refused")
	}
	for _, c := range []struct {
		p    Priority
		says string
	}{{Normal, "normal calls fill the limit"}, {Critical, "critical calls get a fifth more"}} {
		for _, want := range []Verdict{Admitted, Admitted, Refused} {
			if got := l.Ask(c.p, nil); got != want {
				t.Errorf("%s: got %v, want %v", c.says, got, want)
			}
		}
	}
	var woken []string
	wait := func(name string, p Priority) *Waiter {
		w := &Waiter{Wake: func() { woken = append(woken, name) }}
		if l.Ask(p, w) != Waiting {
			t.Fatalf("%s does not wait", name)
		}
		return w
	}
	wait("first", Normal)
	second := wait("second", Normal)
	wait("third", Normal)
	wait("critical", Critical)
	if !l.Leave(second) || l.Leave(second) {
		t.Error("who waits can leave, once")
	}
	var op Op
	for range 12 {
		l.Done(0, &op, ms, true)
	}
	if got := len(woken); got != 3 || woken[0] != "critical" || woken[1] != "first" || woken[2] != "third" {
		t.Errorf("woken: %v", woken)
	}
	if a, w := l.InFlight(); a != 3 || w != 0 {
		t.Errorf("%d admitted, %d waiting", a, w)
	}
}

func TestQueueIsShort(t *testing.T) {
	c := Default
	c.Start = 10
	l, waiting := New(c), 0
	for range 100 {
		if l.Ask(Normal, &Waiter{Wake: func() {}}) == Waiting {
			waiting++
		}
	}
	if waiting != 5 {
		t.Errorf("%d wait behind a limit of 10", waiting)
	}
}

func TestParsePriority(t *testing.T) {
	for s, want := range map[string]Priority{"": Normal, "sheddable": Sheddable, "critical": Critical, "normal": Normal, "x": Normal} {
		if got := ParsePriority(s); got != want {
			t.Errorf("%q: %d", s, got)
		}
	}
}
