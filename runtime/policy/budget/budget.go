// Package budget bounds how many attempts a client adds to its calls, so that retries
// cannot turn a failure into an overload. It knows no clock.
//
// It imports only the standard library.
package budget

import (
	"sync/atomic"
	"time"
)

// Amounts are in thousandths of an attempt.
const (
	PerCall   = 160    // attempts earned by each call: with what the purse begins with, at most 0.2 from the 500th call on
	PerSecond = 1000   // what a second earns where its calls earn less, so that few calls may be repeated, too
	Most      = 20_000 // 20 attempts: what quiet times can save
	Refused   = 2      // times that a retry costs after a refusal: others are as busy, most likely
	Start     = Most   // enough for what a busy client sends to a dead endpoint before that is ejected
)

// A Budget is a purse of attempts. It is safe for concurrent use.
type Budget struct {
	purse atomic.Int64
	stamp atomic.Int64 // until when the seconds were paid
	paid  atomic.Int64 // by calls since then
}

// New returns a budget with the starting amount.
func New(now time.Duration) *Budget {
	b := &Budget{}
	b.purse.Store(Start)
	b.stamp.Store(int64(now))
	return b
}

// Call earns the share of one call.
func (b *Budget) Call() {
	if b.purse.Load() < Most {
		b.purse.Add(PerCall)
		b.paid.Add(PerCall)
	}
}

// Spend takes one attempt; false says that there is none left.
func (b *Budget) Spend(now time.Duration) bool { return b.spend(now, 1000) }

// SpendRefused is Spend for an attempt that follows a server's refusal to do more work.
// Where all are overloaded each retry is likely to be refused, too, and it is their time
// that it takes.
func (b *Budget) SpendRefused(now time.Duration) bool { return b.spend(now, 1000*Refused) }

func (b *Budget) spend(now time.Duration, price int64) bool {
	b.accrue(now)
	for {
		have := b.purse.Load()
		if have < price {
			return false
		}
		if b.purse.CompareAndSwap(have, have-price) {
			return true
		}
	}
}

// accrue pays for the time since it was last paid, less what calls have; one of several at
// a time does.
func (b *Budget) accrue(now time.Duration) {
	last := b.stamp.Load()
	earned := (int64(now) - last) * PerSecond / int64(time.Second)
	if earned < PerSecond || !b.stamp.CompareAndSwap(last, int64(now)) {
		return
	}
	if earned -= b.paid.Swap(0); earned <= 0 {
		return
	}
	if room := Most - b.purse.Load(); room > 0 {
		b.purse.Add(min(earned, room))
	}
}
