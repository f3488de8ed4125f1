// Package retry says whether a failed attempt is followed by another, and after what
// wait. It knows no clock and no dice.
//
// It imports only the standard library.
package retry

import (
	"math/bits"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Verdict says what a failed attempt means for the next.
type Verdict uint8

// The verdicts.
const (
	Final     Verdict = iota // the same will happen again
	Transient                // the request may have been carried out; another endpoint may do better
	Unsent                   // the request provably never left: repeating it is always safe
)

// A Policy holds the limits.
type Policy struct {
	Max  int           // attempts beyond the first
	Base time.Duration // upper bound of the first wait; doubled for each further one
	Cap  time.Duration // upper bound of every wait that the server did not ask for
}

// Default is what the runtime uses; package policy says why.
var Default = Policy{Max: 2, Base: 25 * time.Millisecond, Cap: time.Second}

// Again reports whether attempt n (from 0), which failed, is followed by another.
func (p Policy) Again(n int, v Verdict, idempotent bool) bool {
	return n < p.Max && (v == Unsent || v == Transient && idempotent)
}

// Backoff returns the wait after attempt n: anything up to Base × 2ⁿ, with equal chances
// (full jitter), from 64 random bits.
func (p Policy) Backoff(n int, random uint64) time.Duration {
	top := p.Cap
	if n < 32 && p.Base<<n > 0 {
		top = min(top, p.Base<<n)
	}
	hi, _ := bits.Mul64(random, uint64(top))
	return time.Duration(hi)
}

// Wait returns how long to wait after attempt n, which ended with v: the backoff, or what
// the server asked for by Retry-After if that is longer. What was never sent is sent
// elsewhere at once, the first time: no server has done anything for it. false says that
// nothing would be left to try with: the wait does not fit into what is left of the
// deadline.
func (p Policy) Wait(n int, v Verdict, random uint64, after, left time.Duration) (time.Duration, bool) {
	d := max(p.Backoff(n, random), after)
	if v == Unsent && n == 0 {
		d = after
	}
	return d, d < left
}

// After reads a Retry-After header (RFC 9110, 10.2.3): seconds or a date. 0 stands for
// none, and for one that cannot be read.
func After(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if s == "" {
		return 0
	}
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
