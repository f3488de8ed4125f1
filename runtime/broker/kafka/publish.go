package kafka

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Publish returns when all replicas in sync have m. What is sent again, since a server was
// away, is stored once. In a handler of WithExactlyOnce it takes part in the transaction.
func (b *Broker) Publish(ctx context.Context, m *broker.Message) error {
	wait, err := b.PublishAsync(ctx, m)
	if err != nil {
		return err
	}
	return wait(ctx)
}

// PublishAsync implements broker.AsyncPublisher. Messages of one key go out in order.
func (b *Broker) PublishAsync(ctx context.Context, m *broker.Message) (func(context.Context) error, error) {
	c, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	topic, set, err := b.topicOf(m)
	if err != nil {
		return nil, err
	}
	if err := b.ensure(ctx, c, topic, set); err != nil {
		return nil, err
	}
	if t, ok := ctx.Value(transactionKey{}).(*transaction); ok && t.broker == b {
		c = t.client
	}
	p := produce(ctx, c, record(m, topic))
	return func(ctx context.Context) error {
		err := p.wait(ctx)
		for n := 0; deleted(err) && b.declare && n < againAfterDelete; n++ {
			b.forget(topic)
			c.PurgeTopicsFromProducing(topic)
			if err := b.ensure(ctx, c, topic, set); err != nil {
				return err
			}
			if err = produce(ctx, c, record(m, topic)).wait(ctx); err != nil {
				pause(ctx, backoff(n))
			}
		}
		if err != nil {
			b.forget(topic)
			return b.explain("publish to "+m.Address+" (topic "+topic+") on", err)
		}
		return nil
	}, nil
}

// againAfterDelete is how often a message is sent to a topic that was made again: the
// cluster's servers learn of it one after the other.
const againAfterDelete = 8

// deleted says that a topic is not there, or another of its name.
func deleted(err error) bool {
	return errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID)
}

// A promise is a record on its way.
type promise chan error

func produce(ctx context.Context, c *kgo.Client, r *kgo.Record) promise {
	p := make(promise, 1)
	c.Produce(ctx, r, func(_ *kgo.Record, err error) { p <- err })
	return p
}

func (p promise) wait(ctx context.Context) error {
	select {
	case err := <-p:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
