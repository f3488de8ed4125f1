package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// DefaultAckWait is what WithAckWait changes.
const DefaultAckWait = time.Minute

// retryAfter is the server's pause before a message that failed comes again.
const retryAfter = time.Second

// Subscribe hands messages to handle, each acknowledged when it was handled. Members of a
// group share a durable consumer, which keeps its place while they are away and begins
// with the oldest message; without a group, messages are seen from now on. The contract's
// setting nats.queue is the group where the subscription names none. The order of a key
// holds within one member.
func (b *Broker) Subscribe(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	ctx, leave, err := b.life.Enter(ctx)
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	defer leave()
	b.unknown.Warn(b.log, s.Settings, "nats", s.Address, "queue")
	if b.core {
		return b.subscribeCore(ctx, s, handle)
	}
	messages, err := b.open(ctx, s)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.Confirm()
	return b.pump(ctx, s, messages, handle)
}

// open makes the consumer of s and begins to pull.
func (b *Broker) open(ctx context.Context, s broker.Subscription) (jetstream.MessagesContext, error) {
	js, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	subject := filterOf(s.Address)
	if err := b.ensure(ctx, js, subject); err != nil {
		return nil, b.explain("find a stream for "+s.Address+" on", err)
	}
	stream, err := js.StreamNameBySubject(ctx, subject)
	if err != nil {
		return nil, b.explain("find a stream for "+s.Address+" on", err)
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, stream, b.consumerOf(s, subject))
	if err != nil {
		return nil, b.explain("subscribe to "+s.Address+" on", err)
	}
	// What is pulled and waits must be handled within AckWait, so little is.
	return consumer.Messages(jetstream.PullMaxMessages(max(8, 2*s.Concurrency)))
}

func (b *Broker) consumerOf(s broker.Subscription, subject string) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{FilterSubject: subject, AckPolicy: jetstream.AckExplicitPolicy, AckWait: b.ackWait}
	if group := groupOf(s); group != "" {
		c.Durable = consumerName(group, subject)
		c.DeliverPolicy = jetstream.DeliverAllPolicy
	} else {
		c.DeliverPolicy = jetstream.DeliverNewPolicy
		c.InactiveThreshold = time.Minute
	}
	return c
}

// pump hands messages on until ctx is done, and gives back those it has not begun.
func (b *Broker) pump(ctx context.Context, s broker.Subscription, messages jetstream.MessagesContext, handle broker.Handler) error {
	stop := context.AfterFunc(ctx, messages.Drain)
	defer stop()
	lanes := broker.NewLanes(s.Concurrency)
	defer lanes.Wait()
	inFlight := context.WithoutCancel(ctx)
	for {
		in, err := messages.Next()
		switch {
		case errors.Is(err, jetstream.ErrMsgIteratorClosed):
			return nil
		case errors.Is(err, jetstream.ErrConsumerDeleted), errors.Is(err, jetstream.ErrConsumerNotFound):
			return b.explain("go on receiving "+s.Address+" from", err)
		case err != nil: // a missed heartbeat: the client reconnects by itself
			b.log.Warn("waiting for messages", "broker", "nats", "address", s.Address, "error", err)
			continue
		case ctx.Err() != nil:
			b.settle(in.Nak())
			continue
		}
		m := fromMsg(in, s.Address)
		if !lanes.Go(ctx, m.Key, func() { b.deliver(inFlight, in, m, handle) }) {
			b.settle(in.Nak())
		}
	}
}

func (b *Broker) deliver(ctx context.Context, in jetstream.Msg, m *broker.Message, handle broker.Handler) {
	stop := b.keepAlive(in)
	err := handle(ctx, m)
	stop()
	if err != nil {
		b.settle(in.NakWithDelay(retryAfter))
		return
	}
	b.settle(in.Ack())
}

// keepAlive tells the server that a slow handler is still at work.
func (b *Broker) keepAlive(in jetstream.Msg) (stop func()) {
	done := make(chan struct{})
	go func() {
		t := time.NewTicker(b.ackWait / 4)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				b.settle(in.InProgress())
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// settle reports an acknowledgement that could not be sent: the message comes again.
func (b *Broker) settle(err error) {
	if err != nil {
		b.log.Warn("acknowledgement not sent; the message will come again", "broker", "nats", "error", err)
	}
}
