package amqp

import (
	"container/list"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Bounds of what is published and not confirmed yet: so many messages, or, where they are
// large, so many bytes.
const (
	maxInFlight = 1024
	slotBytes   = 32 << 10
)

func randomName() string { return strings.ToLower(rand.Text()) }

// A publisher sends messages over one channel and knows which are not confirmed. When the
// channel is lost it sends those again, in order, before any other: the server may have
// them twice, and consumers tell by the ID, but none is lost and none overtakes.
type publisher struct {
	*Broker
	link  link
	slots chan struct{}
	wide  chan struct{} // held by who takes several slots

	mu      sync.Mutex
	flight  list.List // of *outbound, in order
	ch      *amqp091.Channel
	returns chan amqp091.Return
	known   map[string]bool // exchanges and queues that are there, for this channel
	conn    *amqp091.Connection
	blocked string // why the server takes nothing, "" when it does
	tending bool
	denied  error
	changed chan struct{} // closed when any of these did
}

func (p *publisher) init(b *Broker) {
	p.Broker, p.slots, p.wide = b, make(chan struct{}, maxInFlight), make(chan struct{}, 1)
	p.changed = make(chan struct{})
	p.link.init(b, "publishing")
}

// An outbound is a message that is not confirmed yet. The publisher's lock guards it.
type outbound struct {
	*envelope
	slots    int
	at       *list.Element
	dc       *amqp091.DeferredConfirmation // nil: not on the wire
	ch       *amqp091.Channel
	moved    chan struct{} // closed when it was sent again
	returned *amqp091.Return
	failed   error // why it cannot be sent again
	given    bool  // nobody waits any more
}

// Publish returns when the server has confirmed m. A message that no queue takes is
// broker.ErrUnroutable, unless the contract or an option says that it may be dropped.
func (b *Broker) Publish(ctx context.Context, m *broker.Message) error {
	o, err := b.publish.send(ctx, m)
	if err != nil {
		return err
	}
	return b.publish.wait(ctx, o)
}

// PublishAsync implements broker.AsyncPublisher. The order of calls is that of the channel.
func (b *Broker) PublishAsync(ctx context.Context, m *broker.Message) (func(context.Context) error, error) {
	o, err := b.publish.send(ctx, m)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return b.publish.wait(ctx, o) }, nil
}

func (p *publisher) send(ctx context.Context, m *broker.Message) (*outbound, error) {
	e, err := p.envelope(m)
	if err != nil {
		return nil, err
	}
	return p.post(ctx, e)
}

// post puts e on the wire, when there is room and the server takes messages.
func (p *publisher) post(ctx context.Context, e *envelope) (*outbound, error) {
	if err := e.Headers.Validate(); err != nil {
		return nil, fmt.Errorf("amqp: headers: %w", err)
	}
	o := &outbound{envelope: e, slots: min(maxInFlight, 1+len(e.Body)/slotBytes), moved: make(chan struct{})}
	if err := p.take(ctx, o.slots); err != nil {
		return nil, p.stuck(err)
	}
	for {
		ch, err := p.ready(ctx, o)
		if err != nil {
			p.give(o.slots)
			return nil, err
		}
		p.mu.Lock()
		if p.ch == ch && p.blocked == "" {
			o.at = p.flight.PushBack(o)
			p.put(o)
			p.mu.Unlock()
			return o, nil
		}
		p.mu.Unlock()
	}
}

// put writes o to the channel. Where that fails, the channel is over, and o will be sent
// again. The lock is held.
func (p *publisher) put(o *outbound) {
	o.ch = p.ch
	o.dc, _ = p.ch.PublishWithDeferredConfirm(o.exchange.name, o.key, o.mandatory, false, o.Publishing)
}

// take waits for n slots. Who wants several waits for them alone, lest two hold half each.
func (p *publisher) take(ctx context.Context, n int) error {
	if n > 1 {
		select {
		case p.wide <- struct{}{}:
			defer func() { <-p.wide }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i := range n {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			p.give(i)
			return ctx.Err()
		}
	}
	return nil
}

func (p *publisher) give(n int) {
	for range n {
		<-p.slots
	}
}

// stuck explains why a message did not even leave in time.
func (p *publisher) stuck(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blocked != "" {
		return fmt.Errorf("amqp: %s has stopped those who publish (%s), and did not go on in time: %w; free memory or disk there", p.servers[0], p.blocked, err)
	}
	return p.explain(fmt.Sprintf("publish with %d messages unconfirmed to", maxInFlight), err)
}

// ready waits for a channel that takes messages, on which what o needs is declared.
func (p *publisher) ready(ctx context.Context, o *outbound) (*amqp091.Channel, error) {
	for {
		p.mu.Lock()
		ch, blocked, changed, denied := p.ch, p.blocked, p.changed, p.denied
		known := p.knows(o.envelope)
		p.tend()
		p.mu.Unlock()
		switch {
		case p.ctx.Err() != nil: // Close is over; while it waits, handlers may still publish
			return nil, fmt.Errorf("amqp: %w", broker.ErrClosed)
		case denied != nil:
			return nil, denied
		case ch != nil && blocked == "" && known:
			return ch, nil
		case ch != nil && blocked == "":
			if err := p.declareFor(ctx, o.envelope); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case <-changed:
		case <-p.ctx.Done():
		case <-ctx.Done():
			if blocked != "" {
				return nil, p.stuck(ctx.Err())
			}
			return nil, p.link.late(ctx)
		}
	}
}

func (e *envelope) names() (exchange, queue string) {
	exchange = "exchange " + e.exchange.name
	if e.queue != nil {
		queue = "queue " + e.queue.name
	}
	return exchange, queue
}

// knows says whether what e needs is there. The lock is held.
func (p *publisher) knows(e *envelope) bool {
	if e.queue == nil && e.exchange.given() {
		return true
	}
	x, q := e.names()
	return (e.exchange.given() || p.known[x]) && (e.queue == nil || p.known[q])
}

// declareFor makes what e needs, on a channel of its own, since an error ends the channel.
func (p *publisher) declareFor(ctx context.Context, e *envelope) error {
	conn, err := p.link.get(ctx)
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return p.explain("open a channel to", err)
	}
	defer func() { _ = ch.Close() }() // nothing is left to do on it
	x, q := e.names()
	if e.queue != nil {
		if err = e.queue.declare(ch, p.declare); err != nil {
			return p.explain("declare the queue "+e.queue.name+" on", err)
		}
	} else if err = e.exchange.declare(ch, p.declare); err != nil {
		return p.explain("declare the exchange "+e.exchange.name+" on", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[x] = true; q != "" {
		p.known[q] = true
	}
	return nil
}

// wait returns when o is confirmed, or will not be.
func (p *publisher) wait(ctx context.Context, o *outbound) error {
	for {
		p.mu.Lock()
		dc, ch, moved, failed := o.dc, o.ch, o.moved, o.failed
		p.mu.Unlock()
		if failed != nil {
			return failed
		}
		if dc != nil {
			select {
			case <-dc.Done():
				if dc.Acked() || !ch.IsClosed() {
					return p.settled(o, dc.Acked())
				}
			case <-ctx.Done():
				return p.abandon(o, ctx.Err())
			}
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return p.abandon(o, ctx.Err())
		case <-p.ctx.Done():
			return p.abandon(o, broker.ErrClosed)
		}
	}
}

// settled takes o off the list and says what the server said of it.
func (p *publisher) settled(o *outbound, acked bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sort()
	p.forget(o)
	switch {
	case o.returned != nil:
		if o.queue != nil { // it was deleted: declare it next time
			_, q := o.names()
			delete(p.known, q)
		}
		return p.unroutable(o)
	case !acked:
		return fmt.Errorf("amqp: %s refused the message for exchange %q, routing key %q: is a queue there full (x-max-length, reject-publish), or without a leader? It may have it all the same, if several queues were to", p.servers[0], o.exchange.name, o.key)
	}
	return nil
}

func (p *publisher) unroutable(o *outbound) error {
	r := o.returned
	if r.ReplyCode != amqp091.NoRoute {
		return fmt.Errorf("amqp: %s returned the message for exchange %q, routing key %q: %d %s", p.servers[0], o.exchange.name, o.key, r.ReplyCode, r.ReplyText)
	}
	if o.exchange.name == "" {
		return fmt.Errorf("amqp: %w: %s has no queue %q; start who receives there first, or declare it", broker.ErrUnroutable, p.servers[0], o.key)
	}
	return fmt.Errorf("amqp: %w: on %s no queue is bound to exchange %q for routing key %q; start a subscriber of it first, bind a queue, or say mandatory: false in the contract (amqp.WithoutMandatory) if it may be dropped",
		broker.ErrUnroutable, p.servers[0], o.exchange.name, o.key)
}

// sort gives messages that came back to those who wait for them: the server returns a
// message before it confirms it (RabbitMQ, Publisher Confirms). The lock is held.
func (p *publisher) sort() {
	for {
		select {
		case r, ok := <-p.returns:
			if !ok {
				return
			}
			for e := p.flight.Front(); e != nil; e = e.Next() {
				o, _ := e.Value.(*outbound)
				if o.returned == nil && o.MessageId == r.MessageId && o.key == r.RoutingKey && o.exchange.name == r.Exchange {
					o.returned = &r
					break
				}
			}
		default:
			return
		}
	}
}

// forget takes o off the list. The lock is held.
func (p *publisher) forget(o *outbound) {
	if o.at != nil {
		p.flight.Remove(o.at)
		o.at = nil
		p.give(o.slots)
		p.wake()
	}
}

// wake tells those who wait that something changed. The lock is held.
func (p *publisher) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// abandon is for a caller who waited long enough. The message may arrive yet, so it keeps
// its room until the server has spoken, or the channel is lost.
func (p *publisher) abandon(o *outbound, cause error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	o.given = true
	if o.dc == nil || o.ch != p.ch {
		p.forget(o)
	} else {
		dc := o.dc
		go func() {
			<-dc.Done()
			p.mu.Lock()
			defer p.mu.Unlock()
			p.sort()
			p.forget(o)
		}()
	}
	return fmt.Errorf("amqp: %s did not confirm the message for exchange %q, routing key %q in time, so it may have it or not: %w", p.servers[0], o.exchange.name, o.key, cause)
}

// drain waits until nothing is unconfirmed, and returns how much still is when ctx is done.
func (p *publisher) drain(ctx context.Context) int {
	for {
		p.mu.Lock()
		left, changed := p.flight.Len(), p.changed
		p.mu.Unlock()
		if left == 0 {
			return 0
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return left
		}
	}
}
