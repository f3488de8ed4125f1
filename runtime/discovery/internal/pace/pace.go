// Package pace keeps clients of registries from asking too often or all at once.
//
// It imports only the standard library.
package pace

import (
	"context"
	"math/rand/v2"
	"time"
)

// Sleep returns false when ctx was done before d had passed.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

// Jitter returns d ± 10 %.
func Jitter(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }

// A Backoff is the pause after the n-th failure in a row: First, doubling up to Last,
// half of it random. Its zero value must not be used.
type Backoff struct {
	First, Last time.Duration
	n           int
}

// Next counts a failure and returns the pause that it earns.
func (b *Backoff) Next() time.Duration {
	d := b.Last
	if b.n < 20 && b.First<<b.n < b.Last {
		d = b.First << b.n
	}
	b.n++
	return d/2 + rand.N(d/2+1)
}

// Reset forgets the failures.
func (b *Backoff) Reset() { b.n = 0 }
