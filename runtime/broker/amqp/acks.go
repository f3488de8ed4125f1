package amqp

import (
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

const (
	ackEvery = 3 * time.Millisecond
	ackBatch = 32
)

// States of a delivery.
const (
	open    byte = iota
	handled      // to be acknowledged
	waiting      // to be acknowledged, and by itself if those before it take longer
	settled      // the server knows
)

// acks tell the server in one word of many messages that were handled: all up to one, where
// all up to that one were, and by itself each that overtook a slow one.
type acks struct {
	ch    *amqp091.Channel
	batch int

	mu     sync.Mutex
	base   uint64 // delivery tag of states[0]
	states []byte
	due    int // handled and not told
	armed  bool
	failed func(error)
}

func newAcks(ch *amqp091.Channel, prefetch int, failed func(error)) *acks {
	return &acks{ch: ch, batch: max(1, min(ackBatch, prefetch/2)), base: 1, failed: failed}
}

// arrived begins the care for a delivery. Tags count up, one by one (AMQP 0-9-1, 1.8).
func (a *acks) arrived(tag uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.base+uint64(len(a.states)) <= tag {
		a.states = append(a.states, open)
	}
}

// done acknowledges a delivery, soon.
func (a *acks) done(tag uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.states[tag-a.base] = handled
	if a.due++; a.due >= a.batch {
		a.tell()
	} else if !a.armed {
		a.armed = true
		time.AfterFunc(ackEvery, a.tick)
	}
}

// again gives a delivery back, at once.
func (a *acks) again(tag uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.states[tag-a.base] = settled
	a.note(a.ch.Nack(tag, false, true))
}

func (a *acks) tick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.armed = false
	if a.tell(); a.due > 0 {
		a.armed = true
		time.AfterFunc(ackEvery, a.tick)
	}
}

// flush tells all that is left.
func (a *acks) flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.due > 0 {
		a.tell()
	}
}

// tell sends one acknowledgement for the beginning without gaps, and one for each beyond it
// that has waited since the last time. The lock is held.
func (a *acks) tell() {
	end, last := 0, -1
	for end < len(a.states) && a.states[end] != open {
		if a.states[end] != settled {
			last = end
			a.due--
		}
		end++
	}
	if last >= 0 {
		a.note(a.ch.Ack(a.base+uint64(last), true))
	}
	a.states = a.states[end:]
	a.base += uint64(end)
	if a.due == 0 {
		return
	}
	for i, s := range a.states {
		switch s {
		case handled:
			a.states[i] = waiting
		case waiting:
			a.states[i] = settled
			a.due--
			a.note(a.ch.Ack(a.base+uint64(i), false))
		}
	}
}

// note reports a word that did not leave: the connection is lost, and the message comes
// again.
func (a *acks) note(err error) {
	if err != nil && a.failed != nil {
		a.failed(err)
		a.failed = nil
	}
}
