package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// transactionKey finds the transaction that a handler is part of in its context.
type transactionKey struct{}

// A transaction is one batch of messages.
type transaction struct {
	broker *Broker
	client *kgo.Client
}

// transact receives until ctx is done, a batch in each transaction.
func (s *subscription) transact(ctx context.Context) error {
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := s.topics.prepare(ctx, c); err != nil {
		return err
	}
	// Each member has a transactional id of its own; the group's generation keeps one that
	// was thought dead from committing (KIP-447).
	id := s.transaction + "." + s.Group + "." + rand.Text()
	how := append(s.common(), s.producing()...)
	session, err := kgo.NewGroupTransactSession(s.options(append(how,
		kgo.TransactionalID(id), kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.topics.names()...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { s.upOnce.Do(func() { close(s.up) }) }))...)...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer session.Close()
	s.client = session.Client()
	watch, cancel := context.WithCancel(ctx)
	defer s.retries.Wait()
	defer cancel()
	s.retries.Go(func() { s.topics.watch(watch) })
	return s.batches(ctx, session)
}

func (s *subscription) batches(ctx context.Context, session *kgo.GroupTransactSession) error {
	if len(s.topics.names()) == 0 {
		s.upOnce.Do(func() { close(s.up) })
	}
	go func() {
		select {
		case <-s.up:
			s.Confirm()
		case <-ctx.Done():
		}
	}()
	for {
		fetched := session.PollRecords(ctx, max(64, 8*s.Concurrency))
		if ctx.Err() != nil || fetched.IsClientClosed() {
			return nil
		}
		if err := s.faults(fetched.Errors()); err != nil {
			return err
		}
		if records := fetched.Records(); len(records) > 0 {
			if err := s.batch(ctx, session, records); err != nil {
				return s.explain(fmt.Sprintf("handle %s (group %q) in a transaction on", s.Address, s.Group), err)
			}
		}
	}
}

// batch handles records in one transaction, which is undone when one of them fails: then
// all of them come again.
func (s *subscription) batch(ctx context.Context, session *kgo.GroupTransactSession, records []*kgo.Record) error {
	if err := session.Begin(); err != nil {
		return err
	}
	inFlight := context.WithValue(context.WithoutCancel(ctx), transactionKey{}, &transaction{s.Broker, session.Client()})
	var failed atomic.Bool
	for _, r := range records {
		a := arrived(r, s.fallback)
		if s.strange(a) {
			continue
		}
		begun := s.lanes.Go(ctx, a.Key, func() {
			if wait := time.Until(a.due); !a.due.IsZero() && wait > 0 && !pause(ctx, wait) || failed.Load() || s.handle(inFlight, a.Message) != nil {
				failed.Store(true)
			}
		})
		if !begun {
			failed.Store(true)
		}
	}
	s.lanes.Wait()
	committed, err := session.End(context.WithoutCancel(ctx), kgo.TransactionEndTry(!failed.Load()))
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		return err
	case !committed && failed.Load():
		pause(ctx, retryAfter)
	}
	return nil
}
