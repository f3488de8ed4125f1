package sim

import (
	"slices"
	"time"
)

// A second is what happened to the calls that began in one.
type second struct {
	calls, good, attempts int
	latencies             []time.Duration
}

// A record is what a run leaves behind.
type record struct {
	since   time.Duration // goodput counts from here on
	seconds []second
	tail    struct{ calls, good, attempts int } // since then
}

func (r *record) of(begun time.Duration) *second {
	n := int(begun / time.Second)
	for len(r.seconds) <= n {
		r.seconds = append(r.seconds, second{})
	}
	return &r.seconds[n]
}

func (r *record) attempt(begun time.Duration) {
	r.of(begun).attempts++
	if begun >= r.since {
		r.tail.attempts++
	}
}

func (r *record) call(begun, now time.Duration, ok bool) {
	s := r.of(begun)
	s.calls++
	if begun >= r.since {
		r.tail.calls++
	}
	if ok {
		s.good++
		s.latencies = append(s.latencies, now-begun)
		if begun >= r.since {
			r.tail.good++
		}
	}
}

// A Result is what came of one run. Latencies are of the calls that ended well, from the
// fifth second on; goodput and amplification count from when the scenario says.
type Result struct {
	Scenario string
	Clients  int
	Seed     uint64
	Hedged   bool
	Calls    int

	Goodput        float64 // share of the calls that were answered
	P50, P99, P999 time.Duration
	Amplification  float64 // attempts per call

	Seconds []Second
}

// A Second is a point of a plot.
type Second struct {
	Calls, Good, Attempts int
	P99                   time.Duration
}

func (r *record) result(s Scenario, clients int, seed uint64) *Result {
	x := &Result{Scenario: s.Name, Clients: clients, Seed: seed}
	var all []time.Duration
	for n, sec := range r.seconds {
		slices.Sort(sec.latencies)
		x.Seconds = append(x.Seconds, Second{sec.calls, sec.good, sec.attempts, quantile(sec.latencies, 0.99)})
		if time.Duration(n)*time.Second >= from {
			all = append(all, sec.latencies...)
		}
	}
	x.Calls = len(all)
	slices.Sort(all)
	x.P50, x.P99, x.P999 = quantile(all, 0.5), quantile(all, 0.99), quantile(all, 0.999)
	x.Goodput = float64(r.tail.good) / float64(max(1, r.tail.calls))
	x.Amplification = float64(r.tail.attempts) / float64(max(1, r.tail.calls))
	return x
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
