// Package pick balances load: it estimates what each endpoint costs, and draws two of
// which the cheaper one is taken. It knows no clock and no dice.
//
// It imports only the standard library.
package pick

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Decay is the time constant with which a slow reply is forgotten.
const Decay = 10 * time.Second

// Penalty is what a failure counts for at least.
const Penalty = 50 * time.Millisecond

// floor keeps the cost of an endpoint that was idle for long above 0, so that calls in
// flight still tell endpoints apart.
const floor = float64(10 * time.Microsecond)

// unknown is the cost of a call in flight at an endpoint that never answered.
const unknown = float64(1000 * time.Hour)

// A Load estimates what one more call costs at one endpoint: peak EWMA of the latency ×
// (calls in flight + 1). A reply slower than the estimate replaces it at once; faster
// ones and the passing of time lower it slowly. The zero value knows nothing yet.
// All methods may be called at the same time.
type Load struct {
	inFlight atomic.Int64
	average  atomic.Uint64 // float64 bits, nanoseconds
	stamp    atomic.Int64  // when average was computed
}

// Seed sets the estimate of an endpoint that has served nothing yet, so that it does not
// draw all calls at once.
func (l *Load) Seed(now time.Duration, latency time.Duration) {
	l.average.Store(math.Float64bits(float64(latency)))
	l.stamp.Store(int64(now))
}

// Begin counts a call in flight.
func (l *Load) Begin() { l.inFlight.Add(1) }

// End counts the end of one that Begin counted and that says nothing of the endpoint,
// because the caller gave up.
func (l *Load) End() { l.inFlight.Add(-1) }

// EndAfter is End for a call that took so long.
func (l *Load) EndAfter(now, took time.Duration) {
	l.inFlight.Add(-1)
	l.observe(now, float64(took))
}

// EndFailed is EndAfter for a call that failed: however fast that was, it does not make
// the endpoint look good, or it would draw ever more calls.
func (l *Load) EndFailed(now, took time.Duration) { l.EndAfter(now, max(took, Penalty)) }

// EndRejected is EndAfter for a call that the endpoint refused since it had enough of
// them. However fast that was, the endpoint seems twice as slow, up to Penalty: it is to
// get less to do, but not nothing.
func (l *Load) EndRejected(now, took time.Duration) {
	old := l.Latency(now)
	l.EndAfter(now, max(took, old, min(2*old, Penalty)))
}

// EndBeaten is EndAfter for a call that had no answer when another one to another endpoint
// had: what it would have taken is not known, but more than that.
func (l *Load) EndBeaten(now, took time.Duration) { l.EndAfter(now, max(2*took, l.Latency(now))) }

// observe may lose a sample to one that comes at the same moment, which does no harm.
func (l *Load) observe(now time.Duration, took float64) {
	took = max(took, 1) // 0 means that nothing was observed
	old := math.Float64frombits(l.average.Load())
	if took < old {
		w := weight(now - time.Duration(l.stamp.Load()))
		took = old*w + took*(1-w)
	}
	l.average.Store(math.Float64bits(took))
	l.stamp.Store(int64(now))
}

// Latency returns the estimate as it stands now.
func (l *Load) Latency(now time.Duration) time.Duration {
	return time.Duration(math.Float64frombits(l.average.Load()) * weight(now-time.Duration(l.stamp.Load())))
}

// InFlight returns how many calls have begun and not ended.
func (l *Load) InFlight() int64 { return l.inFlight.Load() }

// Cost returns what one more call costs, in no unit but its own. An endpoint that has a
// call and never answered one is dearer than any that has: it may be hung.
func (l *Load) Cost(now time.Duration) float64 {
	average, calls := math.Float64frombits(l.average.Load()), float64(l.inFlight.Load())
	if average == 0 && calls > 0 {
		return unknown * calls
	}
	c := average * weight(now-time.Duration(l.stamp.Load()))
	return max(c, floor) * (calls + 1)
}

// weight returns exp(-d/Decay). For the short times between calls the first terms of the
// series are exact enough, and an order of magnitude faster.
func weight(d time.Duration) float64 {
	x := float64(d) / float64(Decay)
	switch {
	case x <= 0:
		return 1
	case x < 0.01:
		return 1 - x + x*x/2
	}
	return math.Exp(-x)
}

// Two draws two distinct numbers below n, neither of which is skip (-1 for none), from
// 64 random bits. Where only one is left, both are that one; n must be positive, and
// skip is drawn only where it is the only one.
func Two(n, skip int, random uint64) (a, b int) {
	if n == 1 {
		return 0, 0
	}
	m := n
	if skip >= 0 && skip < n {
		m--
	}
	a = Below(uint32(random), m)
	b = a
	if m > 1 {
		if b = Below(uint32(random>>32), m-1); b >= a {
			b++
		}
	}
	if m < n {
		a, b = past(a, skip), past(b, skip)
	}
	return a, b
}

// past numbers what is left when skip is taken out.
func past(i, skip int) int {
	if i >= skip {
		return i + 1
	}
	return i
}

// Below maps 32 random bits to [0, n).
func Below(r uint32, n int) int {
	hi, _ := bits.Mul32(r, uint32(n))
	return int(hi)
}
