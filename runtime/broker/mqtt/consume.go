package mqtt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// retryAfter is the pause before a message whose handler failed is handed over again.
const retryAfter = 500 * time.Millisecond

// prefetch is how many messages may wait for a handler: the server sends no more than
// that unacknowledged (Receive Maximum, MQTT 5, 4.9), so that nothing blocks the
// connection and memory is bounded.
const prefetch = 256

// keepSession is how long the server keeps messages for a session with a name.
const keepSession = time.Hour

// Subscribe hands messages to handle, each acknowledged when it was handled. Members of a
// group share a subscription ($share). The contract's setting mqtt.qos is the most that
// is asked for. When ctx is done, messages that have arrived are still handled.
func (b *Broker) Subscribe(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	set, err := parse(s.Settings, b.qos)
	if err != nil {
		return err
	}
	b.unknown.Warn(b.log, s.Settings, "mqtt", s.Address, settingNames...)
	ctx, leave, err := b.life.Enter(ctx)
	if err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	defer leave()
	return b.newSubscription(s, set, handle).run(ctx)
}

// A subscription is one session and its handlers.
type subscription struct {
	*Broker
	broker.Subscription
	set     settings
	pattern broker.Pattern
	handle  broker.Handler
	filter  string
	arrived chan paho.PublishReceived
	up      chan error // the outcome of the first SUBSCRIBE
	ctx     context.Context
}

func (b *Broker) newSubscription(s broker.Subscription, set settings, handle broker.Handler) *subscription {
	return &subscription{
		Broker: b, Subscription: s, set: set, handle: handle, pattern: broker.ParsePattern(s.Address), filter: filterOf(s.Address, s.Group),
		arrived: make(chan paho.PublishReceived, max(prefetch, 2*s.Concurrency)),
		up:      make(chan error, 1),
	}
}

func (s *subscription) run(ctx context.Context) error {
	s.ctx = ctx
	l, err := s.dial(session{
		id: s.id(s.part()), keep: s.keep(), receive: uint16(min(cap(s.arrived), 65535)), onUp: s.subscribe, onMsg: s.take,
	})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }() // what is acknowledged is; the rest comes again
	if err := l.await(ctx); err != nil {
		if ctx.Err() != nil && l.reason() == nil {
			return nil
		}
		return s.explain("subscribe to "+s.Address+" on", err)
	}
	lanes := broker.NewLanes(s.Concurrency)
	for {
		select {
		case p := <-s.arrived:
			s.dispatch(lanes, p)
		case err := <-s.up:
			if err != nil {
				lanes.Wait()
				return s.explain("subscribe to "+s.Address+" on", err)
			}
			s.Confirm()
		case <-ctx.Done():
			s.drain(l, lanes)
			return nil
		}
	}
}

// part names the session of this subscription among those of the program.
func (s *subscription) part() string {
	sum := sha256.Sum256([]byte(s.filter))
	return hex.EncodeToString(sum[:6])
}

func (s *subscription) keep() uint32 {
	if s.clientID == "" {
		return 0
	}
	return uint32(keepSession / time.Second)
}

// subscribe runs for every connection that comes up: the server may have forgotten.
func (s *subscription) subscribe(c *autopaho.ConnectionManager) {
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	_, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: s.filter, QoS: s.set.qos}}})
	if err != nil && s.ctx.Err() != nil {
		return
	}
	select {
	case s.up <- err:
	default:
	}
}

func (s *subscription) take(p paho.PublishReceived) {
	select {
	case s.arrived <- p:
	case <-s.life.Ended():
	}
}

func (s *subscription) dispatch(lanes *broker.Lanes, p paho.PublishReceived) {
	m := fromPublish(p.Packet)
	if !s.pattern.Match(m.Address) { // a + stands for more than a part of a segment
		s.ack(p)
		return
	}
	ctx := context.WithoutCancel(s.ctx)
	lanes.Go(ctx, m.Key, func() {
		if s.until(ctx, m) {
			s.ack(p)
		}
	})
}

// until hands m over until it is handled; false says that the subscription ended first.
func (s *subscription) until(ctx context.Context, m *broker.Message) bool {
	for {
		if s.handle(ctx, m) == nil {
			return true
		}
		select {
		case <-time.After(retryAfter):
		case <-s.ctx.Done():
			return false
		}
	}
}

func (s *subscription) ack(p paho.PublishReceived) {
	if err := p.Client.Ack(p.Packet); err != nil {
		s.log.Warn("acknowledgement not sent; the message will come again", "broker", "mqtt", "error", err)
	}
}

// drain stops the flow, handles what has arrived, and lets the last acknowledgements go.
func (s *subscription) drain(l *link, lanes *broker.Lanes) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if s.clientID == "" {
		_, _ = l.conn.Unsubscribe(ctx, &paho.Unsubscribe{Topics: []string{s.filter}}) // the session ends anyway
	}
	for {
		select {
		case p := <-s.arrived:
			s.dispatch(lanes, p)
			continue
		default:
		}
		break
	}
	lanes.Wait()
	time.Sleep(5 * ackEvery)
}
