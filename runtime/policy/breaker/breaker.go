// Package breaker stops calling an operation that nearly always fails, so that its
// callers fail at once and its servers get to breathe. It judges an operation over all
// endpoints, where ejection judges an endpoint over all operations: what one broken query
// does to one operation must not take endpoints from the others. It knows no clock.
//
// It imports only the standard library.
package breaker

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Config says when a breaker opens.
type Config struct {
	Rate    float64       // share of failures
	Samples int           // calls without which nothing is said
	Window  time.Duration // over which they are counted
	Open    time.Duration // how long no call is made
	Trials  int           // calls that must succeed, one at a time, before all are made again
}

// Default opens late, since ejection and the retry budget have dealt with what they can
// by then: four fifths of the calls must fail, retries included, of at least 20 in ten
// seconds (Envoy and Resilience4j count over similar times, and open at half). After five
// seconds, as long as a first ejection, one call at a time tries.
var Default = Config{Rate: 0.8, Samples: 20, Window: 10 * time.Second, Open: 5 * time.Second, Trials: 3}

type state int32

const (
	closed state = iota
	open
	half
)

// A Breaker is that of one operation. The zero value is closed; all methods take the same
// Config. It is safe for concurrent use.
type Breaker struct {
	state  atomic.Int32
	mu     sync.Mutex
	begun  time.Duration // of the window
	calls  int
	failed int
	until  time.Duration // open
	trial  bool          // one is under way
	passed int           // trials
}

// Allow reports whether a call may be made. Where it may, Done must follow.
func (b *Breaker) Allow(c Config, now time.Duration) bool {
	if state(b.state.Load()) == closed {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state(b.state.Load()) {
	case closed:
		return true
	case open:
		if now < b.until {
			return false
		}
		b.state.Store(int32(half))
		b.trial, b.passed = false, 0
	}
	if b.trial {
		return false
	}
	b.trial = true
	return true
}

// Done takes the outcome of a call: ok is false where the service failed, and true where
// it answered, be it that the request was wrong. It reports whether that opened b.
func (b *Breaker) Done(c Config, now time.Duration, ok bool) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state(b.state.Load()) {
	case open: // begun before it opened
		return false
	case half:
		b.trial = false
		if !ok {
			return b.trip(c, now)
		}
		if b.passed++; b.passed >= c.Trials {
			b.state.Store(int32(closed))
			b.begun, b.calls, b.failed = now, 0, 0
		}
		return false
	}
	if now-b.begun >= c.Window {
		b.begun, b.calls, b.failed = now, 0, 0
	}
	b.calls++
	if !ok {
		b.failed++
	}
	if b.calls >= c.Samples && float64(b.failed) >= c.Rate*float64(b.calls) {
		return b.trip(c, now)
	}
	return false
}

// Void says that a call that Allow let pass says nothing: its caller gave up.
func (b *Breaker) Void() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trial = false
}

func (b *Breaker) trip(c Config, now time.Duration) bool {
	b.state.Store(int32(open))
	b.until = now + c.Open
	return true
}

// Closed reports whether calls pass freely.
func (b *Breaker) Closed() bool { return state(b.state.Load()) == closed }
