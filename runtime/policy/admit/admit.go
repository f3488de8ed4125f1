// Package admit decides how many calls a server works on at a time. The limit follows the
// latency: it grows while calls take as long as they do in an idle server, and shrinks
// when they take longer, which is what overload looks like from within, whatever it is
// that runs short. What exceeds the limit waits shortly, or is refused at once, while
// that is still cheap. It knows no clock and starts nothing.
//
// It imports only the standard library.
package admit

import (
	"math"
	"sync"
	"time"
)

// A Priority says who is served first.
type Priority int8

// The priorities.
const (
	Sheddable Priority = iota - 1 // refused at four fifths of the limit, and never waits
	Normal                        // what is not said otherwise
	Critical                      // admitted a fifth beyond the limit, and waits in front
)

// A Config holds the limiter's bounds.
type Config struct {
	Start, Min, Max int           // the limit, in calls at a time
	Tolerance       float64       // how many times the latency of idle times is still well
	Queue           float64       // how many calls may wait, as a share of the limit
	Wait            time.Duration // how long one may wait
	Window          time.Duration // how long is measured before the limit moves
	Samples         int           // without so many a window goes on
}

// Default has these reasons: 32 calls to begin with and 4 at least let a small server
// start, and 10,000 is no limit. Twice the latency of idle times is one call waiting for
// each that is worked on, at which no worker is ever idle (the gradient of Netflix's
// concurrency-limits tolerates 1.5 to 2). Whoever waits longer than 50 ms, or behind half
// of a limit, is better served elsewhere. A tenth of a second is short enough for a burst.
var Default = Config{Start: 32, Min: 4, Max: 10_000, Tolerance: 2, Queue: 0.5, Wait: 50 * time.Millisecond, Window: 100 * time.Millisecond, Samples: 20}

// Header marks a reply as a refusal, as an HTTP header for REST and as metadata for gRPC:
// the request was not looked at, so that it may be repeated elsewhere whatever it says,
// and the server is busy, not broken. Its value is "overload".
const Header = "Concordat-Rejected"

// PriorityHeader says how important a request is: "sheddable", "critical", or nothing.
const PriorityHeader = "Concordat-Priority"

// ParsePriority reads a PriorityHeader. What it does not know is Normal.
func ParsePriority(s string) Priority {
	switch s {
	case "sheddable":
		return Sheddable
	case "critical":
		return Critical
	}
	return Normal
}

// An Op is what a limiter knows of one operation: operations take different times, so
// each is compared with itself. The zero value knows nothing.
type Op struct {
	base float64 // ns, when the server is idle
	sum  float64
	n    int
}

// A Waiter is a call that waits to be admitted. Wake is called once, when it is, by
// whoever makes room; it must not block.
type Waiter struct {
	Wake     func()
	priority Priority
	queued   bool
}

// A Verdict says what becomes of a call.
type Verdict uint8

// The verdicts.
const (
	Admitted Verdict = iota // Done must follow
	Waiting                 // until Wake, or the caller gives up by Leave
	Refused
)

// A Limiter holds the limit of one server. It is safe for concurrent use.
type Limiter struct {
	config Config

	mu       sync.Mutex
	limit    float64
	inFlight int
	peak     int // of inFlight in this window
	refused  bool
	queue    []*Waiter
	began    time.Duration // of the window
	touched  []*Op         // with samples in the window
	samples  int
}

// New returns a limiter.
func New(c Config) *Limiter { return &Limiter{config: c, limit: float64(c.Start)} }

// Limit returns the limit as it stands.
func (l *Limiter) Limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.limit)
}

// InFlight returns how many calls are admitted and not done, and how many wait.
func (l *Limiter) InFlight() (admitted, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight, len(l.queue)
}

// Config returns what the limiter was made with.
func (l *Limiter) Config() Config { return l.config }

// Ask asks for one call. Where it has to wait, w is kept until it is woken or leaves; with
// a nil w it does not wait.
func (l *Limiter) Ask(p Priority, w *Waiter) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if float64(l.inFlight) < l.bound(p) && (len(l.queue) == 0 || p == Critical) {
		l.inFlight++
		l.peak = max(l.peak, l.inFlight)
		return Admitted
	}
	l.refused = true
	if p == Sheddable || w == nil || float64(len(l.queue)) >= l.config.Queue*l.limit {
		return Refused
	}
	w.priority, w.queued = p, true
	l.queue = append(l.queue, w)
	if p == Critical {
		copy(l.queue[1:], l.queue)
		l.queue[0] = w
	}
	return Waiting
}

// bound returns how many calls may be in flight for one of p to be admitted.
func (l *Limiter) bound(p Priority) float64 {
	n := math.Floor(l.limit)
	switch p {
	case Sheddable:
		return max(1, math.Floor(0.8*n))
	case Critical:
		return n + max(1, 0.2*n)
	}
	return n
}

// Leave says that the caller of w does not wait any longer. false says that it is too
// late: w was admitted, and Done must follow.
func (l *Limiter) Leave(w *Waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !w.queued {
		return false
	}
	w.queued = false
	for i, x := range l.queue {
		if x == w {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			break
		}
	}
	return true
}

// Done says that an admitted call of op ended, after it was worked on for so long. sample
// is false where that time says nothing: because the request was wrong, for one.
func (l *Limiter) Done(now time.Duration, op *Op, took time.Duration, sample bool) {
	l.mu.Lock()
	l.inFlight--
	if sample {
		l.observe(now, op, float64(took))
	}
	woken := l.admit()
	l.mu.Unlock()
	for _, w := range woken {
		w.Wake()
	}
}

// admit lets in whom there is room for; mu is held.
func (l *Limiter) admit() (woken []*Waiter) {
	for len(l.queue) > 0 && float64(l.inFlight) < l.bound(l.queue[0].priority) {
		w := l.queue[0]
		l.queue = l.queue[1:]
		w.queued = false
		l.inFlight++
		l.peak = max(l.peak, l.inFlight)
		woken = append(woken, w)
	}
	return woken
}

func (l *Limiter) observe(now time.Duration, op *Op, took float64) {
	if op.n == 0 {
		l.touched = append(l.touched, op)
	}
	op.n++
	op.sum += took
	l.samples++
	if now-l.began >= l.config.Window && l.samples >= l.config.Samples {
		l.adapt()
		l.began, l.samples, l.touched, l.peak, l.refused = now, 0, l.touched[:0], l.inFlight, false
	}
}

// adapt moves the limit by how the window's latencies compare with those of idle times.
func (l *Limiter) adapt() {
	full := l.refused || float64(l.peak) >= l.limit-1
	var sum, n float64
	for _, op := range l.touched {
		mean := op.sum / float64(op.n)
		sum += float64(op.n) * mean / op.compare(mean, full, int(l.limit) <= l.config.Min)
		n += float64(op.n)
		op.sum, op.n = 0, 0
	}
	slower := sum / n
	switch {
	case slower > l.config.Tolerance:
		l.limit *= max(0.7, l.config.Tolerance/slower)
	case full:
		l.limit += math.Sqrt(l.limit) // the additive part, as in Netflix's gradient
	}
	l.limit = min(max(l.limit, float64(l.config.Min)), float64(l.config.Max))
}

// compare returns what mean is to be compared with, and learns from it. Faster is
// believed at once. Slower is, bit by bit, where it cannot come of too many calls: in a
// server that is not full, or one that can go no lower.
func (op *Op) compare(mean float64, full, lowest bool) float64 {
	switch {
	case op.base == 0 || mean < op.base:
		op.base = mean
	case !full || lowest:
		op.base += (mean - op.base) / 50
	}
	return op.base
}
