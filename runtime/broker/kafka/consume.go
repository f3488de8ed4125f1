package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/concordat-dev/concordat/runtime/broker"
)

const (
	// retryAfter is the pause before a message whose handler failed is handled again.
	retryAfter = 500 * time.Millisecond
	// commitEvery is how often offsets are committed.
	commitEvery = 200 * time.Millisecond
	// maxOpen is how many messages of a subscription may be here and not committed; no more
	// are taken until one before them is handled.
	maxOpen = 1024
	// fetchBytes bounds what is fetched ahead.
	fetchBytes = 8 << 20
)

// Subscribe hands messages to handle; their offsets are committed when they, and all before
// them in the partition, were handled. Members of a group share the partitions, cooperatively:
// one that has to give some up finishes what it has begun, and commits that, first. A group
// begins with the oldest message; without a group, messages are seen from now on. A message
// whose handler failed is handled again after a pause, by this member or, if it goes away,
// by the next owner of the partition. The order of a key holds in the group.
func (b *Broker) Subscribe(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	set, err := b.parse(s.Settings, s.Address)
	if err != nil {
		return err
	}
	ctx, leave, err := b.life.Enter(ctx)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer leave()
	sub := b.newSubscription(s, set, handle)
	if b.transaction != "" && s.Group != "" && s.Group != broker.ReplayGroup {
		err = sub.transact(ctx)
	} else {
		err = sub.run(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// A subscription is a member of a group, or a reader by itself.
type subscription struct {
	*Broker
	broker.Subscription
	set     *settings
	handle  broker.Handler
	pattern broker.Pattern
	topics  *topics
	lanes   *broker.Lanes
	client  *kgo.Client
	retries sync.WaitGroup
	up      chan struct{} // closed when there are partitions
	upOnce  sync.Once

	mu    sync.Mutex
	parts map[place]*partition
	open  int           // records here and not committed
	room  chan struct{} // has a value when open went down
}

// A place is a partition's name.
type place struct {
	topic string
	n     int32
}

func (b *Broker) newSubscription(s broker.Subscription, set *settings, handle broker.Handler) *subscription {
	sub := &subscription{
		Broker: b, Subscription: s, set: set, handle: handle, pattern: broker.ParsePattern(s.Address), lanes: broker.NewLanes(s.Concurrency),
		parts: map[place]*partition{}, room: make(chan struct{}, 1), up: make(chan struct{}),
	}
	sub.topics = newTopics(sub)
	return sub
}

// run receives until ctx is done, and finishes what it has begun.
func (s *subscription) run(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.retries.Go(func() { s.topics.watch(ctx) })
	return s.pump(ctx)
}

// start finds or makes the topics, and joins.
func (s *subscription) start(ctx context.Context) error {
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := s.topics.prepare(ctx, c); err != nil {
		return err
	}
	how := s.alone()
	if s.Group != "" {
		how = s.member()
	}
	s.client, err = kgo.NewClient(s.options(how...)...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	s.register(true)
	return nil
}

// common are the options of all who receive.
func (s *subscription) common() []kgo.Opt {
	o := []kgo.Opt{kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxWait(time.Second)}
	if s.set.clientID != "" {
		o = append(o, kgo.ClientID(s.set.clientID))
	}
	return o
}

// alone begins where the topics end now.
func (s *subscription) alone() []kgo.Opt {
	s.upOnce.Do(func() { close(s.up) })
	return append(s.common(), kgo.ConsumePartitions(s.topics.ends), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
}

func (s *subscription) member() []kgo.Opt {
	if len(s.topics.names()) == 0 {
		s.upOnce.Do(func() { close(s.up) }) // the oldest message of whatever comes is ours
	}
	return append(s.common(),
		kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.topics.names()...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.BlockRebalanceOnPoll(), kgo.AutoCommitMarks(), kgo.AutoCommitInterval(commitEvery),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
			s.upOnce.Do(func() { close(s.up) })
		}),
		kgo.OnPartitionsRevoked(s.revoked),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, which map[string][]int32) { s.drop(which) }))
}

// stop waits for handlers in flight, commits, and leaves.
func (s *subscription) stop() {
	s.register(false)
	s.lanes.Wait()
	s.retries.Wait()
	if s.Group != "" {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		if err := s.client.CommitMarkedOffsets(ctx); err != nil {
			s.log.Warn("offsets not committed; messages will come again", "broker", "kafka", "address", s.Address, "group", s.Group, "error", err)
		}
		cancel()
	}
	s.client.CloseAllowingRebalance()
}

func (b *Broker) register(s *subscription, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if on {
		b.subs[s] = true
	} else {
		delete(b.subs, s)
	}
}

func (s *subscription) register(on bool) { s.Broker.register(s, on) }

// revoked finishes what was begun of partitions that go to another member, and commits it.
func (s *subscription) revoked(ctx context.Context, c *kgo.Client, which map[string][]int32) {
	for _, p := range s.drop(which) {
		p.busy.Wait()
	}
	if err := c.CommitMarkedOffsets(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("offsets not committed; messages will come again", "broker", "kafka", "address", s.Address, "group", s.Group, "error", err)
	}
}

// drop gives partitions up.
func (s *subscription) drop(which map[string][]int32) (out []*partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, ns := range which {
		for _, n := range ns {
			if p := s.parts[place{topic, n}]; p != nil {
				s.free(p.leave())
				delete(s.parts, place{topic, n})
				out = append(out, p)
			}
		}
	}
	return out
}

// free says that n records are no longer here. The lock is held.
func (s *subscription) free(n int) {
	s.open -= n
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// accept notes what came. Until it returns no partition is given up.
func (s *subscription) accept(records []*kgo.Record) []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*entry, len(records))
	for i, r := range records {
		at := place{r.Topic, r.Partition}
		p := s.parts[at]
		if p == nil {
			var mark func(*kgo.Record)
			if s.Group != "" {
				mark = func(r *kgo.Record) { s.client.MarkCommitRecords(r) }
			}
			p = newPartition(mark)
			s.parts[at] = p
		}
		out[i] = p.add(r)
	}
	s.open += len(records)
	return out
}

// space waits until there is room for more records and says for how many.
func (s *subscription) space(ctx context.Context) int {
	for {
		s.mu.Lock()
		n := maxOpen - s.open
		s.mu.Unlock()
		if n > 0 {
			return min(n, max(16, 4*s.Concurrency))
		}
		select {
		case <-s.room:
		case <-ctx.Done():
			return 0
		}
	}
}

// pump hands messages on until ctx is done.
func (s *subscription) pump(ctx context.Context) error {
	go func() {
		select {
		case <-s.up:
			s.Confirm()
		case <-ctx.Done():
		}
	}()
	for {
		n := s.space(ctx)
		if n == 0 {
			return nil
		}
		fetched := s.client.PollRecords(ctx, n)
		if ctx.Err() != nil || fetched.IsClientClosed() {
			return nil
		}
		entries := s.accept(fetched.Records())
		s.client.AllowRebalance()
		if err := s.faults(fetched.Errors()); err != nil {
			return err
		}
		for _, e := range entries {
			s.take(ctx, e)
		}
	}
}

// faults reports what went wrong, and returns what will not get right by itself.
func (s *subscription) faults(all []kgo.FetchError) error {
	for _, f := range all {
		if errors.Is(f.Err, context.Canceled) {
			continue
		}
		if r, ok := errors.AsType[*kerr.Error](f.Err); ok && refused[r.Code] {
			return s.explain(fmt.Sprintf("receive %s (group %q) from", s.Address, s.Group), f.Err)
		}
		if f.Topic != "" && deleted(f.Err) {
			s.client.PurgeTopicsFromConsuming(f.Topic)
			s.topics.lose(f.Topic)
		}
		s.log.Warn("waiting for messages", "broker", "kafka", "address", s.Address, "group", s.Group, "topic", f.Topic, "error", f.Err)
	}
	return nil
}

// refused are the errors that end a subscription.
var refused = map[int16]bool{
	kerr.TopicAuthorizationFailed.Code: true, kerr.GroupAuthorizationFailed.Code: true, kerr.ClusterAuthorizationFailed.Code: true,
	kerr.InconsistentGroupProtocol.Code: true, kerr.InvalidGroupID.Code: true, kerr.GroupMaxSizeReached.Code: true,
}

// take begins one message; one that is not due yet, when it is.
func (s *subscription) take(ctx context.Context, e *entry) {
	a := arrived(e.record, s.fallback)
	if s.strange(a) {
		s.finish(e)
		return
	}
	if wait := time.Until(a.due); !a.due.IsZero() && wait > 0 {
		s.later(ctx, e, a, wait)
		return
	}
	s.dispatch(ctx, e, a)
}

// fallback is the address of a message from a client that does not tell it.
func (s *subscription) fallback(topic string) string {
	if topic == s.set.topic || strings.HasPrefix(topic, s.topics.delays) {
		return s.Address
	}
	return addressOf(topic, s.Address)
}

// strange says of a message that it is for another address or group.
func (s *subscription) strange(a arrival) bool {
	return a.group != "" && a.group != s.Group || a.Address != s.Address && !s.pattern.Match(a.Address)
}

func (s *subscription) dispatch(ctx context.Context, e *entry, a arrival) {
	inFlight := context.WithoutCancel(ctx)
	s.lanes.Go(ctx, a.Key, func() {
		if !e.begin() {
			return
		}
		defer e.end()
		err := s.handle(inFlight, a.Message)
		if err != nil && s.Group == broker.ReplayGroup && ctx.Err() == nil {
			err = s.putBack(inFlight, e.record)
		}
		if err == nil {
			s.finish(e)
			return
		}
		s.later(ctx, e, a, retryAfter)
	})
}

// later begins a message after a while, unless its partition, or the subscription, goes first.
func (s *subscription) later(ctx context.Context, e *entry, a arrival, wait time.Duration) {
	s.retries.Go(func() {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
			s.dispatch(ctx, e, a)
		case <-e.gone:
		case <-ctx.Done():
		}
	})
}

func (s *subscription) finish(e *entry) {
	n := e.finish()
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(n)
}

// putBack appends a dead letter that stays to its topic again: an offset cannot leave one
// out.
func (s *subscription) putBack(ctx context.Context, r *kgo.Record) error {
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	again := &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers}
	return produce(ctx, c, again).wait(ctx)
}
