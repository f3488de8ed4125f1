// Package analytics counts what customers do: the receiving half of
// contracts/activity.yaml.
package analytics

import (
	"context"
	"errors"
	"sync"

	"github.com/concordat-dev/concordat/examples/retail/activity"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// Counts implements activity.Activity by counting.
type Counts struct {
	// FailEvery makes the first handling of every nth event fail, so that there is
	// something to see; 0 fails none.
	FailEvery int

	mu      sync.Mutex
	seen    map[concordat.UUID]bool // true once counted: an event that comes again counts once
	byKind  map[string]int
	again   int
	counted int
}

var _ activity.Activity = (*Counts)(nil)

// A Summary is what was counted.
type Summary struct {
	Events     int // each once
	HandledTwo int // handled again after a failure
	ByKind     map[string]int
}

var errInjected = errors.New("the database of analytics is busy (injected)")

// CustomerActivity takes note of an event.
func (c *Counts) CustomerActivity(_ context.Context, m *activity.CustomerActivityMessage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen, c.byKind = map[concordat.UUID]bool{}, map[string]int{}
	}
	id := m.Payload.ID
	done, known := c.seen[id]
	switch {
	case done:
		return nil
	case !known && c.FailEvery > 0 && len(c.seen)%c.FailEvery == c.FailEvery-1:
		c.seen[id] = false
		c.again++
		return errInjected
	}
	c.seen[id] = true
	c.counted++
	c.byKind[kind(m.Payload.Activity)]++
	return nil
}

func kind(w activity.What) string {
	switch w.(type) {
	case *activity.ProfileViewed:
		return "profile viewed"
	case *activity.OrderTracked:
		return "order tracked"
	case *activity.OrderCancelled:
		return "order cancelled"
	}
	return "something else"
}

// Summary returns what has been counted so far.
func (c *Counts) Summary() Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Summary{Events: c.counted, HandledTwo: c.again, ByKind: map[string]int{}}
	for k, n := range c.byKind {
		s.ByKind[k] = n
	}
	return s
}
