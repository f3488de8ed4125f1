// Package hedge says when a call that has no answer yet is sent a second time, to another
// endpoint, so that the faster one counts (Dean and Barroso, The Tail at Scale, 2013). It
// knows no clock.
//
// It imports only the standard library.
package hedge

import (
	"math"
	"sync/atomic"
	"time"
)

// A Config says how long to wait for the first answer.
type Config struct {
	Quantile float64       // of the latencies seen
	Least    time.Duration // never less
}

// Default waits as long as 95 of 100 calls take: that mends nearly all of the tail for
// one more request in twenty (so Dean and Barroso), which the retry budget allows for.
// Below a millisecond a second request costs more than it saves.
var Default = Config{Quantile: 0.95, Least: time.Millisecond}

// step is by how much one sample moves the estimate, at most.
const step = 0.05

// learn is how many samples it takes before the estimate means something.
const learn = 50

// A Delay estimates the quantile of the latencies of one operation, in two words: each
// sample moves it up or down by a little, so that it rests where the quantile is. The
// zero value knows nothing. All methods may be called at the same time; a sample may then
// get lost, which does no harm.
type Delay struct {
	estimate atomic.Uint64 // float64 bits, nanoseconds
	samples  atomic.Int64
}

// Observe takes how long a first attempt took, or had taken when another one was faster.
func (d *Delay) Observe(c Config, took time.Duration) {
	old, x := math.Float64frombits(d.estimate.Load()), float64(took)
	pace := step
	if d.samples.Load() < learn {
		d.samples.Add(1)
		pace = 4 * step
	}
	switch {
	case old == 0:
		old = x
	case x > old:
		old *= 1 + pace*c.Quantile
	default:
		old *= 1 - pace*(1-c.Quantile)
	}
	d.estimate.Store(math.Float64bits(old))
}

// After returns how long to wait; false says that too little is known yet.
func (d *Delay) After(c Config) (time.Duration, bool) {
	if d.samples.Load() < learn {
		return 0, false
	}
	return max(c.Least, time.Duration(math.Float64frombits(d.estimate.Load()))), true
}
