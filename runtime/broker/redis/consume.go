package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/broker"
)

const (
	// retryAfter is the pause before a message whose handler failed is handled again.
	retryAfter = 500 * time.Millisecond
	// block is how long the server waits for messages before it says that there are none,
	// and so how long a subscription takes to end.
	block = 250 * time.Millisecond
	// tendEvery is how often a subscription looks for messages that others left behind, for
	// streams that are new, and for those whose time has come.
	tendEvery = time.Second
)

// Subscribe hands messages to handle, each acknowledged when it was handled. Members of a
// group share the messages, and take over what one that went away did not acknowledge; a
// group begins with the oldest message. Without a group, messages are seen from now on. A
// stream, or a group, that was deleted is made again. The order of a key holds within one
// member.
func (b *Broker) Subscribe(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	ctx, leave, err := b.life.Enter(ctx)
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	defer leave()
	b.unknown.Warn(b.log, s.Settings, "redis", s.Address)
	client, err := b.connect(ctx)
	if err == nil {
		err = b.newSubscription(s, client, handle).run(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// A subscription is a consumer of a group, or a reader by itself.
type subscription struct {
	*Broker
	broker.Subscription
	client  redis.UniversalClient
	handle  broker.Handler
	pattern broker.Pattern
	fixed   string // stream; "" for a template
	me      string // consumer's name
	lanes   *broker.Lanes
	acks    *acks
	retries sync.WaitGroup

	streams map[string]string // with the id of the last entry seen, of one without a group
	tended  time.Time

	mu   sync.Mutex
	open map[entry]bool // here and not handled
	room chan struct{}  // has a value when open went down
}

// An entry is one message's place.
type entry struct{ stream, id string }

func (b *Broker) newSubscription(s broker.Subscription, c redis.UniversalClient, handle broker.Handler) *subscription {
	sub := &subscription{
		Broker: b, Subscription: s, client: c, handle: handle, pattern: broker.ParsePattern(s.Address), me: "concordat-" + rand.Text()[:12],
		lanes: broker.NewLanes(s.Concurrency), streams: map[string]string{}, open: map[entry]bool{}, room: make(chan struct{}, 1),
	}
	sub.acks = &acks{client: c, group: s.Group, warn: func(err error) {
		b.log.Warn("acknowledgements not sent; messages will come again", "broker", "redis", "address", s.Address, "group", s.Group, "error", err)
	}}
	if stream, own := b.place(s.Address); !own || !strings.Contains(s.Address, "{") {
		sub.fixed = stream
	}
	return sub
}

// run receives until ctx is done, and finishes what it has begun.
func (s *subscription) run(ctx context.Context) error {
	if s.fixed == "" && s.target.cluster() {
		return fmt.Errorf("redis: %s is a template, and a cluster cannot read its streams together: put them into one by redis.WithStream", s.Address)
	}
	if err := s.insist(ctx, func() error { return s.look(ctx, true) }); err != nil {
		return s.explain("subscribe to "+s.Address+" on", err)
	}
	s.Confirm()
	stop := s.keepAlive(ctx)
	err := s.pump(ctx)
	s.lanes.Wait()
	s.retries.Wait()
	stop()
	s.leave()
	return err
}

// insist tries until it works, is refused, or ctx is done.
func (s *subscription) insist(ctx context.Context, f func() error) error {
	for n := 0; ; n++ {
		err := f()
		if err == nil || !passing(err) || !pause(ctx, backoff(n)) {
			return err
		}
		s.log.Warn("waiting for the broker", "broker", "redis", "address", s.Address, "error", err)
	}
}

// look finds streams that are new. In those that are there when the subscription begins, one
// without a group reads on from the end.
func (s *subscription) look(ctx context.Context, first bool) error {
	names := []string{s.fixed}
	if s.fixed == "" {
		all, err := s.client.SMembers(ctx, listKey).Result()
		if err != nil {
			return err
		}
		names = all
	}
	for _, name := range names {
		if _, have := s.streams[name]; have || s.fixed == "" && !s.pattern.Match(name) {
			continue
		}
		from := "0-0"
		var err error
		if s.Group != "" {
			err = s.join(ctx, name)
		} else if first {
			from, err = s.end(ctx, name)
		}
		if err != nil {
			return err
		}
		s.streams[name] = from
	}
	return nil
}

// join makes the group of a stream, and the stream.
func (s *subscription) join(ctx context.Context, stream string) error {
	err := s.client.XGroupCreateMkStream(ctx, stream, s.Group, "0").Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return nil
	}
	return err
}

// end is the id of a stream's last entry.
func (s *subscription) end(ctx context.Context, stream string) (string, error) {
	info, err := s.client.XInfoStream(ctx, stream).Result()
	if err != nil {
		if strings.Contains(err.Error(), "no such key") {
			return "0-0", nil
		}
		return "", err
	}
	return info.LastGeneratedID, nil
}

// space waits until there is room for more messages and says for how many.
func (s *subscription) space(ctx context.Context) int64 {
	limit := max(64, 4*s.Concurrency)
	for {
		s.mu.Lock()
		n := limit - len(s.open)
		s.mu.Unlock()
		if n > 0 {
			return int64(n)
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
	news := s.news()
	for n := 0; ; n++ {
		room := s.space(ctx)
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-news:
			news, s.tended = s.news(), time.Time{}
		default:
		}
		err := s.tend(ctx, room)
		if room = s.space(ctx); err == nil && room > 0 {
			err = s.read(ctx, room)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			n = -1
		case missing(err):
			s.log.Warn("a stream or its group was deleted; it is made again", "broker", "redis", "address", s.Address, "group", s.Group)
			clear(s.streams)
			s.tended = time.Time{}
		case !passing(err):
			return s.explain("receive "+s.Address+" from", err)
		default:
			s.log.Warn("waiting for messages", "broker", "redis", "address", s.Address, "error", err)
			pause(ctx, backoff(max(n, 0)))
		}
	}
}

// missing says that a stream, or its group, is not there any more.
func missing(err error) bool {
	return strings.HasPrefix(err.Error(), "NOGROUP") || strings.HasPrefix(err.Error(), "UNBLOCKED")
}

// read waits for messages.
func (s *subscription) read(ctx context.Context, n int64) error {
	if len(s.streams) == 0 {
		pause(ctx, block/4)
		return nil
	}
	names, from := make([]string, 0, 2*len(s.streams)), make([]string, 0, len(s.streams))
	for name, last := range s.streams {
		if s.Group != "" {
			last = ">"
		}
		names, from = append(names, name), append(from, last)
	}
	names = append(names, from...)
	var got []redis.XStream
	var err error
	// What the server hands over must not get lost on the way: ctx does not end it.
	quiet, cancel := context.WithTimeout(context.WithoutCancel(ctx), silence)
	defer cancel()
	if s.Group != "" {
		got, err = s.client.XReadGroup(quiet, &redis.XReadGroupArgs{Group: s.Group, Consumer: s.me, Streams: names, Count: n, Block: block}).Result()
	} else {
		got, err = s.client.XRead(quiet, &redis.XReadArgs{Streams: names, Count: n, Block: block}).Result()
	}
	if err == redis.Nil { //nolint:errorlint // it is this value, always
		return nil
	}
	for _, stream := range got {
		for i := range stream.Messages {
			s.take(ctx, stream.Stream, &stream.Messages[i])
		}
	}
	return err
}

// tend looks now and then for what is new, for what others left, and for what is due.
func (s *subscription) tend(ctx context.Context, n int64) error {
	if time.Since(s.tended) < tendEvery {
		return nil
	}
	if s.fixed == "" || len(s.streams) == 0 {
		if err := s.look(ctx, false); err != nil {
			return err
		}
	}
	if s.Group != "" {
		for stream := range s.streams {
			if err := s.wake(ctx, stream); err != nil {
				return err
			}
			if err := s.takeOver(ctx, stream, n); err != nil {
				return err
			}
		}
	}
	s.tended = time.Now()
	return nil
}

// takeOver takes messages of which nothing was heard for too long.
func (s *subscription) takeOver(ctx context.Context, stream string, n int64) error {
	start := "0-0"
	for {
		quiet, cancel := context.WithTimeout(context.WithoutCancel(ctx), silence)
		left, next, err := s.client.XAutoClaim(quiet, &redis.XAutoClaimArgs{
			Stream: stream, Group: s.Group, Consumer: s.me, MinIdle: s.claim, Start: start, Count: min(n, 64),
		}).Result()
		cancel()
		if err != nil {
			return err
		}
		for i := range left {
			if left[i].Values != nil { // or it was trimmed meanwhile
				s.take(ctx, stream, &left[i])
			}
		}
		if start = next; next == "0-0" || len(left) > 0 && s.full() {
			return nil
		}
	}
}

func (s *subscription) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open) >= max(64, 4*s.Concurrency)
}

// take begins one message, unless it is here already.
func (s *subscription) take(ctx context.Context, stream string, x *redis.XMessage) {
	e := entry{stream, x.ID}
	if s.Group == "" {
		s.streams[stream] = x.ID
	}
	s.mu.Lock()
	known := s.open[e]
	s.open[e] = true
	s.mu.Unlock()
	if known {
		return
	}
	address := stream
	if s.fixed != "" {
		address = s.Address
	}
	a := arrived(x, stream, address)
	if a.group != "" && a.group != s.Group || a.Address != s.Address && !s.pattern.Match(a.Address) {
		s.finish(e)
		return
	}
	s.dispatch(ctx, e, a)
}

func (s *subscription) dispatch(ctx context.Context, e entry, a arrival) {
	inFlight := context.WithoutCancel(ctx)
	s.lanes.Go(ctx, a.Key, func() {
		if err := s.handle(inFlight, a.Message); err == nil {
			s.finish(e)
			return
		}
		s.retries.Go(func() {
			if pause(ctx, retryAfter) {
				s.dispatch(ctx, e, a)
			}
		})
	})
}

func (s *subscription) finish(e entry) {
	if s.Group != "" {
		s.acks.done(e.stream, e.id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, e)
	select {
	case s.room <- struct{}{}:
	default:
	}
}
