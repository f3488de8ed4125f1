package sim

import (
	"math/rand/v2"
	"time"
)

// The times of every scenario: it is recorded from the first second to the last, and the
// trouble, if there is one, begins at the tenth.
const (
	from    = 5 * time.Second
	trouble = 10 * time.Second
	until   = 40 * time.Second
)

// A Scenario is what befalls the backends, and how many calls come.
type Scenario struct {
	Name  string
	About string
	load  func(now time.Duration) float64 // of what all backends can do
	set   func(w *world, b []*backend)
	// From when the goodput counts, and against which scenario the latencies are held.
	since   time.Duration
	healthy string
}

func constant(load float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return load }
}

// Scenarios are all there are. Those that others are compared with come first.
var Scenarios = []Scenario{
	{Name: "healthy", About: "nothing happens, at 60 % of the load", load: constant(0.6)},
	{Name: "healthy-50", About: "nothing happens, at 50 % of the load", load: constant(0.5)},
	{Name: "slow", About: "one of ten takes ten times as long", load: constant(0.6), healthy: "healthy", set: at(trouble, func(b []*backend) { b[0].slow = 10 })},
	{Name: "fast-fail", About: "one of ten fails everything at once", load: constant(0.6), healthy: "healthy", set: at(trouble, func(b []*backend) { b[0].errors = 1 })},
	{Name: "grey", About: "one of ten fails every second call", load: constant(0.6), healthy: "healthy", set: at(trouble, func(b []*backend) { b[0].errors = 0.5 })},
	{Name: "hang", About: "one of ten takes calls and never answers, for 20 s", load: constant(0.6), healthy: "healthy", set: func(w *world, b []*backend) {
		w.after(trouble, func() { b[0].hung = true })
		w.after(trouble+20*time.Second, func() { b[0].resume() })
	}},
	{Name: "rolling", About: "all ten are killed in turn; each is back after 2 s, and cold for 2 s more", load: constant(0.5), healthy: "healthy-50", set: rolling},
	{Name: "overload", About: "120 % of what all can do", since: trouble, set: func(*world, []*backend) {}, load: func(now time.Duration) float64 {
		if now < trouble {
			return 0.6
		}
		return 1.2
	}},
	{Name: "blip", About: "all are five times slower for 3 s, at 80 % of the load; goodput from 2 s after that", load: constant(0.8), since: trouble + 5*time.Second, set: func(w *world, b []*backend) {
		for _, x := range b {
			w.after(trouble, func() { x.slow = 5 })
			w.after(trouble+3*time.Second, func() { x.slow = 1 })
		}
	}},
}

func at(when time.Duration, do func([]*backend)) func(*world, []*backend) {
	return func(w *world, b []*backend) { w.after(when, func() { do(b) }) }
}

func rolling(w *world, b []*backend) {
	for i, x := range b {
		down := trouble + time.Duration(i)*2500*time.Millisecond
		w.after(down, x.kill)
		w.after(down+2*time.Second, func() { x.restart(2*time.Second, 5) })
	}
}

// Run simulates a scenario with so many clients.
func Run(s Scenario, p Policies, clients int, seed uint64) *Result {
	w := &world{dice: rand.New(rand.NewPCG(seed, 42))}
	all := make([]*backend, backends)
	for i := range all {
		all[i] = newBackend(w, p.Admission)
	}
	if s.set != nil {
		s.set(w, all)
	}
	log := &record{since: max(s.since, from)}
	callers := make([]*client, clients)
	for i := range callers {
		callers[i] = newClient(w, &p, all, log)
	}
	const capacity = float64(backends*workers) / float64(service)
	var arrive func()
	arrive = func() {
		callers[w.dice.IntN(clients)].call()
		if w.now < until {
			w.after(time.Duration(w.dice.ExpFloat64()/(s.load(w.now)*capacity)), arrive)
		}
	}
	w.after(0, arrive)
	w.run(until + 2*patience)
	r := log.result(s, clients, seed)
	r.Hedged = p.Hedge
	return r
}
