// Package rate bounds how many calls are made per second, by a bucket of tokens. It knows
// no clock.
//
// It imports only the standard library.
package rate

import (
	"sync/atomic"
	"time"
)

// A Config is a rate. There is no default: it is somebody's agreement.
type Config struct {
	PerSecond float64
	Burst     int // calls that may come at once after a pause; 0 means a tenth of a second's, one at least
}

// A Limiter holds the bucket, as the time at which it will be full again (GCRA: one word,
// ITU-T I.371). The zero value is full. It is safe for concurrent use.
type Limiter struct{ full atomic.Int64 }

// Take takes one token. Where there is none it says after what time there will be one.
func (l *Limiter) Take(c Config, now time.Duration) (after time.Duration, ok bool) {
	each := time.Duration(float64(time.Second) / c.PerSecond)
	burst := c.Burst
	if burst <= 0 {
		burst = max(1, int(c.PerSecond/10))
	}
	for {
		old := l.full.Load()
		full := max(time.Duration(old), now) + each
		if early := full - now - time.Duration(burst)*each; early > 0 {
			return early, false
		}
		if l.full.CompareAndSwap(old, int64(full)) {
			return 0, true
		}
	}
}
