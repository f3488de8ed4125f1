// Package sim simulates clients and backends by discrete events in virtual time, and lets
// the runtime's own policies decide: what it says holds for the code that runs. A run is
// determined by its seed.
//
// It imports runtime/policy and what is below, and the standard library.
package sim

import (
	"math/rand/v2"
	"time"
)

// A world is the clock, the dice and what is to happen.
type world struct {
	now    time.Duration
	seq    uint64
	events []event
	dice   *rand.Rand
}

// An event happens at its time; those of one time in the order in which they were made.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// after lets do happen after d. The events are a binary heap.
func (w *world) after(d time.Duration, do func()) {
	w.seq++
	w.events = append(w.events, event{w.now + max(d, 0), w.seq, do})
	for i := len(w.events) - 1; i > 0; {
		up := (i - 1) / 2
		if !w.events[i].before(&w.events[up]) {
			break
		}
		w.events[i], w.events[up] = w.events[up], w.events[i]
		i = up
	}
}

// run lets everything happen until the end.
func (w *world) run(end time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= end {
		e := w.pop()
		w.now = e.at
		e.do()
	}
}

func (w *world) pop() event {
	first, last := w.events[0], len(w.events)-1
	w.events[0] = w.events[last]
	w.events[last] = event{}
	w.events = w.events[:last]
	for i := 0; ; {
		next := 2*i + 1
		if next >= last {
			break
		}
		if next+1 < last && w.events[next+1].before(&w.events[next]) {
			next++
		}
		if !w.events[next].before(&w.events[i]) {
			break
		}
		w.events[i], w.events[next] = w.events[next], w.events[i]
		i = next
	}
	return first
}
