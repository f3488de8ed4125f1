// Package memory is a broker inside one process, for tests and for programs that are not
// split yet. It keeps what the others promise: a message is confirmed when it is stored,
// goes to one member of each group, comes again when its handler fails, and keeps the
// order of its key. It forgets everything with the process.
//
// It imports runtime/broker and the standard library.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// ErrClosed is broker.ErrClosed, named after this one.
var ErrClosed = fmt.Errorf("memory: %w", broker.ErrClosed)

// DefaultLimit is how many messages may wait for one group, and how many for a first
// subscriber: then Publish waits, so that memory stays bounded.
const DefaultLimit = 10_000

// A Broker implements broker.Broker. Messages that nobody has subscribed to wait for the
// first subscription that matches, so that the order in which programs start does not
// matter.
type Broker struct {
	limit int

	mu     sync.Mutex
	freed  *sync.Cond // a queue got shorter, a message arrived, or something ended
	queues map[queueKey]*queue
	orphan []*broker.Message // not matched by any queue yet
	closed bool
	live   sync.WaitGroup // subscriptions
}

type queueKey struct {
	address, group string
	own            *int // of a subscription without a group
}

// A queue is what one group has yet to handle.
type queue struct {
	pattern  broker.Pattern
	messages []*broker.Message
	members  int
}

// New returns an empty broker.
func New() *Broker {
	b := &Broker{limit: DefaultLimit, queues: map[queueKey]*queue{}}
	b.freed = sync.NewCond(&b.mu)
	return b
}

// Name returns "memory".
func (b *Broker) Name() string { return "memory" }

// Publish stores a copy of m for every group whose address matches. It waits while one
// of them is full, until ctx is done.
func (b *Broker) Publish(ctx context.Context, m *broker.Message) error {
	stored := clone(m)
	stop := context.AfterFunc(ctx, b.wake)
	defer stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch to := b.takers(m.Address); {
		case b.closed:
			return ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		case len(to) == 0 && len(b.orphan) < b.limit:
			b.orphan = append(b.orphan, stored)
			return nil
		case len(to) > 0 && !slices.ContainsFunc(to, func(q *queue) bool { return len(q.messages) >= b.limit }):
			for _, q := range to {
				q.messages = append(q.messages, clone(stored))
			}
			b.freed.Broadcast()
			return nil
		}
		b.freed.Wait()
	}
}

func (b *Broker) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.freed.Broadcast()
}

func (b *Broker) takers(address string) []*queue {
	var out []*queue
	for _, q := range b.queues {
		if q.pattern.Match(address) {
			out = append(out, q)
		}
	}
	return out
}

func clone(m *broker.Message) *broker.Message {
	c := *m
	c.Headers, c.Body = maps.Clone(m.Headers), slices.Clone(m.Body)
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	return &c
}

// Subscribe hands over messages until ctx is done or the broker is closed.
func (b *Broker) Subscribe(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	k, q, err := b.join(s)
	if err != nil {
		return err
	}
	defer b.leave(k, q)
	s.Confirm()
	stop := context.AfterFunc(ctx, b.wake)
	defer stop()
	lanes := broker.NewLanes(s.Concurrency)
	defer lanes.Wait()
	inFlight := context.WithoutCancel(ctx)
	for {
		m := b.next(ctx, q)
		if m == nil {
			return nil
		}
		if !lanes.Go(ctx, m.Key, func() { b.deliver(inFlight, q, m, handle) }) {
			b.giveBack(q, m)
			return nil
		}
	}
}

func (b *Broker) join(s broker.Subscription) (queueKey, *queue, error) {
	k := queueKey{address: s.Address, group: s.Group}
	if s.Group == "" {
		k.own = new(int)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return k, nil, ErrClosed
	}
	q := b.queues[k]
	if q == nil {
		q = &queue{pattern: broker.ParsePattern(s.Address)}
		b.queues[k] = q
		b.adopt(q)
	}
	q.members++
	b.live.Add(1)
	return k, q, nil
}

// adopt gives q the messages that were waiting for a first subscriber.
func (b *Broker) adopt(q *queue) {
	b.orphan = slices.DeleteFunc(b.orphan, func(m *broker.Message) bool {
		mine := q.pattern.Match(m.Address)
		if mine {
			q.messages = append(q.messages, m)
		}
		return mine
	})
	b.freed.Broadcast()
}

// leave ends one member. A group keeps its messages for members to come; a subscription
// without a group takes its queue along.
func (b *Broker) leave(k queueKey, q *queue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q.members--; q.members == 0 && k.own != nil {
		delete(b.queues, k)
	}
	b.freed.Broadcast()
	b.live.Done()
}

// next waits for a message; nil means the end.
func (b *Broker) next(ctx context.Context, q *queue) *broker.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if b.closed || ctx.Err() != nil {
			return nil
		}
		if len(q.messages) > 0 {
			m := q.messages[0]
			q.messages[0] = nil
			q.messages = q.messages[1:]
			b.freed.Broadcast()
			return m
		}
		b.freed.Wait()
	}
}

// A message that failed comes again at once, as from a broker without delays; policies of
// retry stand above.
func (b *Broker) deliver(ctx context.Context, q *queue, m *broker.Message, handle broker.Handler) {
	if err := handle(ctx, clone(m)); err != nil {
		b.giveBack(q, m)
	}
}

func (b *Broker) giveBack(q *queue, m *broker.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q.messages = append([]*broker.Message{m}, q.messages...)
	b.freed.Broadcast()
}

// Close ends every subscription and waits for handlers in flight until ctx is done.
func (b *Broker) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.freed.Broadcast()
	b.mu.Unlock()
	done := make(chan struct{})
	go func() { b.live.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
