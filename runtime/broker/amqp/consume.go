package amqp

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// retryAfter is the pause before a message whose handler failed goes back to its queue.
const retryAfter = 500 * time.Millisecond

// Subscribe hands messages to handle, each acknowledged when it was handled. Members of a
// group share a queue, which keeps messages while they are away; without a group, messages
// are seen from now on. When the connection is lost or the queue deleted, all is declared
// anew. When ctx is done, handlers finish, and what was not begun goes back. The order of a
// key holds within one member; with the contract's setting
// queue.arguments.x-single-active-consumer it holds for the group.
func (b *Broker) Subscribe(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	sub, err := b.newSubscription(s, handle)
	if err != nil {
		return err
	}
	ctx, leave, err := b.life.Enter(ctx)
	if err != nil {
		return fmt.Errorf("amqp: %w", err)
	}
	defer leave()
	defer sub.lanes.Wait()
	for n := 0; ; n++ {
		began := time.Now()
		err := sub.session(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !sub.again(err):
			return err
		case time.Since(began) > time.Second:
			n = 0
		}
		b.log.Warn("subscription to broker interrupted", "broker", "amqp", "address", s.Address, "queue", sub.place.name, "error", err)
		if !pause(ctx, backoff(n)) {
			return nil
		}
	}
}

// A subscription is a queue and its handlers, for as many connections as it takes.
type subscription struct {
	*Broker
	broker.Subscription
	set      *settings
	place    *place
	dead     *place // nil: none to make
	handle   broker.Handler
	pattern  broker.Pattern
	lanes    *broker.Lanes
	prefetch int
	origin   []broker.Setting
	live     bool // it was there once
}

func (b *Broker) newSubscription(s broker.Subscription, handle broker.Handler) (*subscription, error) {
	set, err := b.parse(s.Settings, s.Address)
	if err != nil {
		return nil, err
	}
	p, err := b.place(s, set)
	if err != nil {
		return nil, err
	}
	sub := &subscription{
		Broker: b, Subscription: s, set: set, place: p, handle: handle, pattern: broker.ParsePattern(s.Address), lanes: broker.NewLanes(s.Concurrency),
		origin: []broker.Setting{{Protocol: "amqp", Name: originSetting, Value: p.name}}, prefetch: set.prefetch,
	}
	if sub.prefetch == 0 {
		sub.prefetch = b.prefetch
	}
	if sub.prefetch == 0 {
		sub.prefetch = max(DefaultPrefetch, 4*s.Concurrency)
	}
	if s.DeadLetter != "" && s.DeadLetter != s.Address {
		sub.dead = b.deadPlace(s.DeadLetter, set)
	}
	return sub, nil
}

// session is one connection's worth. It returns why it ended.
func (s *subscription) session(ctx context.Context) error {
	conn, err := s.consume.get(ctx)
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return s.interrupted("open a channel to", err, conn)
	}
	defer func() { _ = ch.Close() }() // what is not acknowledged comes again
	over := ch.NotifyClose(make(chan *amqp091.Error, 1))
	tag := "concordat." + randomName()
	in, err := s.open(ch, tag)
	if err != nil {
		return s.interrupted("subscribe to "+s.Address+" (queue "+s.place.name+") on", err, conn)
	}
	s.live = true
	s.Confirm()
	s.pump(ctx, ch, in)
	why := errDeleted
	select {
	case e := <-over:
		if why = errInterrupted; e != nil {
			why = errors.Join(why, e)
		}
	default:
	}
	return s.Broker.explain("go on receiving "+s.Address+" from", why)
}

// Why a session ends that may be begun again.
var (
	errDeleted     = errors.New("the server ended the subscription: was the queue deleted, or its node stopped?")
	errInterrupted = errors.New("the channel was closed, or the connection lost")
)

// interrupted tells a lost connection from a refusal.
func (s *subscription) interrupted(doing string, err error, conn *amqp091.Connection) error {
	if conn.IsClosed() && !forGood(err) {
		err = errors.Join(errInterrupted, err)
	}
	return s.Broker.explain(doing, err)
}

// again says whether another session may do better. One that once went well is given up
// only when the server refuses what it had allowed; a queue that is missing may come back
// with its node.
func (s *subscription) again(err error) bool {
	switch {
	case errors.Is(err, errInterrupted), errors.Is(err, errDeleted):
		return true
	case !s.live:
		return false
	}
	var e *amqp091.Error
	missing := errors.As(err, &e) && e.Code == amqp091.NotFound
	return !forGood(err) || missing && s.declare
}

// open declares what the subscription needs and begins to consume.
func (s *subscription) open(ch *amqp091.Channel, tag string) (<-chan amqp091.Delivery, error) {
	if s.dead != nil && s.declare {
		if err := s.dead.declare(ch, true); err != nil {
			return nil, fmt.Errorf("dead letters, queue %s: %w", s.dead.name, err)
		}
	}
	if err := s.place.declare(ch, s.declare); err != nil {
		return nil, err
	}
	if err := ch.Qos(s.prefetch, 0, false); err != nil {
		return nil, err
	}
	return ch.Consume(s.place.name, tag, s.set.noAck, false, false, false, nil)
}

// pump hands messages on until ctx is done, which it then drains, or until there are none.
func (s *subscription) pump(ctx context.Context, ch *amqp091.Channel, in <-chan amqp091.Delivery) {
	a := newAcks(ch, s.prefetch, func(err error) {
		s.log.Warn("acknowledgement not sent; the message will come again", "broker", "amqp", "error", err)
	})
	for {
		select {
		case d, ok := <-in:
			if !ok {
				return
			}
			if s.take(ctx, a, &d) {
				continue
			}
		case <-ctx.Done():
		}
		s.lanes.Wait()
		a.flush()
		// What was not begun goes back when the channel is closed, in order. To end the
		// consumer first, and give back one by one, costs a quorum queue its order.
		return
	}
}

// take begins one message; false says that ctx was done first.
func (s *subscription) take(ctx context.Context, a *acks, d *amqp091.Delivery) bool {
	tag := d.DeliveryTag
	if !s.set.noAck {
		a.arrived(tag)
	}
	m := message(d, s.Address)
	m.Settings = s.origin
	if s.strange(m) {
		s.finish(a, tag, true)
		return true
	}
	inFlight := context.WithoutCancel(ctx)
	return ctx.Err() == nil && s.lanes.Go(ctx, m.Key, func() {
		err := s.handle(inFlight, m)
		if err != nil && !s.set.noAck {
			pause(ctx, retryAfter)
		}
		s.finish(a, tag, err == nil)
	})
}

// strange says of a message that it is for another address: a * stands for more than a part
// of a segment. What came by a queue is for whoever has the queue.
func (s *subscription) strange(m *broker.Message) bool {
	return !s.set.isQueue && s.place.exchange.kind == topic && s.Group != broker.ReplayGroup && m.Headers[headerQueue] == "" && !s.pattern.Match(m.Address)
}

func (s *subscription) finish(a *acks, tag uint64, ok bool) {
	switch {
	case s.set.noAck:
	case ok:
		a.done(tag)
	default:
		a.again(tag)
	}
}

// Delay implements broker.Delayer by a queue from which messages go back to that of s when
// their time has come.
func (b *Broker) Delay(ctx context.Context, s broker.Subscription, m *broker.Message, d time.Duration) error {
	set, err := b.parse(s.Settings, s.Address)
	if err != nil {
		return err
	}
	to, err := b.place(s, set)
	if err != nil {
		return err
	}
	later := *m
	later.Settings = nil
	e, err := b.envelope(&later)
	if err != nil {
		return err
	}
	e.Headers[headerAddress] = m.Address
	e.queue = b.delayPlace(to.name, d)
	e.exchange, e.key, e.mandatory = e.queue.exchange, e.queue.name, true
	o, err := b.publish.post(ctx, e)
	if err != nil {
		return err
	}
	return b.publish.wait(ctx, o)
}
