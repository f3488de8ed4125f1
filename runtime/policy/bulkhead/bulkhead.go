// Package bulkhead bounds how many calls of one kind are in flight, so that one slow
// dependency does not hold all of a program's memory and connections.
//
// It imports only the standard library.
package bulkhead

import "sync/atomic"

// A Bulkhead counts the calls in flight. The zero value has none. It is safe for
// concurrent use. There is no default: only who knows the program knows how many calls
// are too many.
type Bulkhead struct{ inFlight atomic.Int64 }

// Enter counts one more, unless there are most already. Where it says true, Leave must
// follow.
func (b *Bulkhead) Enter(most int) bool {
	if b.inFlight.Add(1) <= int64(most) {
		return true
	}
	b.inFlight.Add(-1)
	return false
}

// Leave counts one less.
func (b *Bulkhead) Leave() { b.inFlight.Add(-1) }

// InFlight returns how many there are.
func (b *Bulkhead) InFlight() int { return int(b.inFlight.Load()) }
