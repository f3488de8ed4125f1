package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// errNoAnswer says that a message may not have been sent.
var errNoAnswer = errors.New("the server did not answer")

const (
	maxBatch = 256             // messages that leave together
	listFor  = time.Minute     // how long we trust that a stream is still on the list
	waitFor  = 2 * time.Second // for replicas
)

// Publish returns when the server has m; see the package about what that means. Where the
// connection is lost before the server answered, m is sent again, until ctx is done: it may
// then be there twice, with the same ID.
func (b *Broker) Publish(ctx context.Context, m *broker.Message) error {
	wait, err := b.PublishAsync(ctx, m)
	if err != nil {
		return err
	}
	return wait(ctx)
}

// PublishAsync implements broker.AsyncPublisher. Messages go out in order, as many at a time
// as there are.
func (b *Broker) PublishAsync(ctx context.Context, m *broker.Message) (func(context.Context) error, error) {
	if err := checkAddress(m.Address); err != nil {
		return nil, err
	}
	if _, err := b.connect(ctx); err != nil {
		return nil, err
	}
	b.unknown.Warn(b.log, m.Settings, "redis", "")
	stream, own := b.place(m.Address)
	p := &pending{ctx: ctx, done: make(chan error, 1), stream: stream, values: fields(m, stream), list: own && b.toList(stream)}
	if err := b.out.put(ctx, p); err != nil {
		return nil, b.explain("publish to "+m.Address+" on", err)
	}
	return func(ctx context.Context) error {
		var err error
		select {
		case err = <-p.done:
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			b.unlist(stream)
			return b.explain("publish to "+m.Address+" on", err)
		}
		return nil
	}, nil
}

// toList says whether a stream should be put on the list.
func (b *Broker) toList(stream string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, known := b.listed[stream]
	if known && time.Since(at) < listFor {
		return false
	}
	b.listed[stream] = time.Now()
	return true
}

func (b *Broker) unlist(stream string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.listed, stream)
}

// announce tells subscriptions to templates that there may be another stream.
func (b *Broker) announce() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.fresh)
	b.fresh = make(chan struct{})
}

func (b *Broker) news() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fresh
}

// A pending message is on its way.
type pending struct {
	ctx    context.Context
	done   chan error
	stream string
	values []any
	list   bool
}

// A publisher sends what there is to send, together and in order.
type publisher struct {
	*Broker
	client redis.UniversalClient
	queue  chan *pending
	over   chan struct{} // closed when nothing more comes
	ended  chan struct{} // closed when all is sent
	halt   context.Context
	cancel context.CancelFunc

	mu     sync.RWMutex // held while putting
	closed bool
}

func newPublisher(b *Broker, c redis.UniversalClient) *publisher {
	p := &publisher{Broker: b, client: c, queue: make(chan *pending, maxBatch), over: make(chan struct{}), ended: make(chan struct{})}
	p.halt, p.cancel = context.WithCancel(context.Background())
	go p.run()
	return p
}

// put queues a message when there is room.
func (p *publisher) put(ctx context.Context, m *pending) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return broker.ErrClosed
	}
	select {
	case p.queue <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close sends what is queued, until ctx is done, and returns how many messages are left.
func (p *publisher) close(ctx context.Context) int {
	stop := context.AfterFunc(ctx, p.cancel)
	defer stop()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	close(p.over)
	<-p.ended
	p.cancel()
	return len(p.queue)
}

func (p *publisher) run() {
	defer close(p.ended)
	for {
		select {
		case m := <-p.queue:
			p.send(p.gather(m))
			continue
		case <-p.over:
		}
		select {
		case m := <-p.queue:
			p.send(p.gather(m))
		default:
			return
		}
	}
}

// gather takes what else is queued.
func (p *publisher) gather(first *pending) []*pending {
	batch := []*pending{first}
	for len(batch) < maxBatch {
		select {
		case m := <-p.queue:
			batch = append(batch, m)
		default:
			return batch
		}
	}
	return batch
}

// send sends a batch, and what got no answer again.
func (p *publisher) send(batch []*pending) {
	for n := 0; len(batch) > 0; n++ {
		if n > 0 && !pause(p.halt, backoff(n)) {
			answer(batch, p.halt.Err())
			return
		}
		batch = p.attempt(batch)
	}
}

func answer(batch []*pending, err error) {
	for _, m := range batch {
		m.done <- err
	}
}

// attempt sends once, and returns what should be sent again.
func (p *publisher) attempt(batch []*pending) (again []*pending) {
	pipe := p.client.Pipeline()
	var sent []*pending
	var added []*redis.StringCmd
	list := false
	for _, m := range batch {
		if err := m.ctx.Err(); err != nil {
			m.done <- err
			continue
		}
		sent = append(sent, m)
		added = append(added, pipe.XAdd(p.halt, p.entry(m)))
		if m.list {
			pipe.SAdd(p.halt, listKey, m.stream)
			list = true
		}
	}
	if len(sent) == 0 {
		return nil
	}
	var acks *redis.Cmd
	if p.replicas > 0 {
		acks = pipe.Do(p.halt, "WAIT", p.replicas, waitFor.Milliseconds())
	}
	_, failed := pipe.Exec(p.halt)
	for i, m := range sent {
		err := added[i].Err()
		if err == nil && added[i].Val() == "" { // without a connection the client leaves commands without an error
			err = cmp.Or(failed, errNoAnswer)
		}
		switch {
		case err != nil && passing(err) && p.halt.Err() == nil:
			again = append(again, m)
		case err == nil && acks != nil:
			m.done <- enough(acks, p.replicas)
		default:
			m.done <- err
		}
	}
	if list {
		p.announce()
	}
	return again
}

// enough says how many replicas have a message.
func enough(acks *redis.Cmd, want int) error {
	have, err := acks.Int()
	if err == nil && have < want {
		err = fmt.Errorf("%d of %d replicas have the message within %v", have, want, waitFor)
	}
	return err
}

func (p *publisher) entry(m *pending) *redis.XAddArgs {
	a := &redis.XAddArgs{Stream: m.stream, Values: m.values, MaxLen: p.maxLen, Approx: p.maxLen > 0}
	if m.stream == replies {
		a.MaxLen, a.Approx = keptReplies, true
	}
	return a
}
