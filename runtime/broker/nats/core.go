package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/concordat-dev/concordat/runtime/broker"
)

const (
	// answerTime is how long a server may take to say that it has what we sent.
	answerTime = 10 * time.Second
	// What may wait here for a handler; what comes beyond it is dropped, and told.
	maxPending      = 65_536
	maxPendingBytes = 64 << 20
)

// trouble logs what goes wrong beside calls: of a subscription that is too slow, the client
// drops messages.
func (b *Broker) trouble(_ *nats.Conn, s *nats.Subscription, err error) {
	subject := ""
	if s != nil {
		subject = s.Subject
	}
	b.log.Warn("trouble with the broker", "broker", "nats", "subject", subject, "lost", errors.Is(err, nats.ErrSlowConsumer), "error", err)
}

// publishCore returns when the server has m. Whether anybody receives it, nobody knows.
func (b *Broker) publishCore(ctx context.Context, m *broker.Message, subject string) error {
	out := &nats.Msg{Subject: subject, Data: m.Body, Header: toHeader(m)}
	if m.ReplyTo != "" { // for those who answer in NATS' own way
		reply, err := subjectOf(m.ReplyTo)
		if err != nil {
			return err
		}
		out.Reply = reply
	}
	err := b.conn.PublishMsg(out)
	if err == nil {
		err = b.flush(ctx)
	}
	if err != nil {
		return b.explain("publish to "+m.Address+" on", err)
	}
	return nil
}

func (b *Broker) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return b.conn.FlushWithContext(ctx)
}

// subscribeCore hands messages to handle until ctx is done, and then those that are here.
func (b *Broker) subscribeCore(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	if _, err := b.connect(ctx); err != nil {
		return orNil(ctx, err)
	}
	in, err := b.conn.QueueSubscribeSync(filterOf(s.Address), groupOf(s))
	if err == nil {
		err = errors.Join(in.SetPendingLimits(maxPending, maxPendingBytes), b.flush(ctx))
	}
	if err != nil {
		return orNil(ctx, b.explain("subscribe to "+s.Address+" on", err))
	}
	s.Confirm()
	stop := context.AfterFunc(ctx, func() { _ = in.Drain() })
	defer stop()
	lanes := broker.NewLanes(s.Concurrency)
	defer lanes.Wait()
	inFlight := context.WithoutCancel(ctx)
	for {
		msg, err := in.NextMsgWithContext(inFlight)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case errors.Is(err, nats.ErrSlowConsumer):
			continue // which trouble told
		case err != nil:
			return b.explain("go on receiving "+s.Address+" from", err)
		}
		m := message(msg.Header, msg.Subject, msg.Data, s.Address)
		if m.ReplyTo == "" && msg.Reply != "" {
			m.ReplyTo = msg.Reply
		}
		lanes.Go(inFlight, m.Key, func() { b.once(inFlight, m, handle) })
	}
}

// once handles a message that will not come again.
func (b *Broker) once(ctx context.Context, m *broker.Message, handle broker.Handler) {
	if err := handle(ctx, m); err != nil {
		b.log.Warn("a message is lost: its handling failed, and core NATS does not bring it again", "broker", "nats", "address", m.Address, "id", m.ID, "error", err)
	}
}

func orNil(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%w", err)
}
