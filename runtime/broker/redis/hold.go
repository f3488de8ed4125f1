package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// waiting returns the ids of what is here and not handled, by stream.
func (s *subscription) waiting() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]string{}
	for e := range s.open {
		out[e.stream] = append(out[e.stream], e.id)
	}
	return out
}

// keepAlive tells the server that what is here is at work, so that nobody takes it over.
func (s *subscription) keepAlive(ctx context.Context) (stop func()) {
	if s.Group == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause(ctx, s.claim/4) {
			if err := s.idle(ctx, 0); err != nil && ctx.Err() == nil {
				s.log.Warn("the broker does not hear that messages are at work", "broker", "redis", "address", s.Address, "error", err)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// idle says for how long nothing was heard of what is here.
func (s *subscription) idle(ctx context.Context, d time.Duration) error {
	pipe := s.client.Pipeline()
	for stream, ids := range s.waiting() {
		args := []any{"XCLAIM", stream, s.Group, s.me, 0}
		for _, id := range ids {
			args = append(args, id)
		}
		pipe.Do(ctx, append(args, "IDLE", d.Milliseconds(), "JUSTID")...)
	}
	if pipe.Len() == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	return err
}

// leave acknowledges what was handled, lets others take over the rest at once, and takes the
// consumer's name away where nothing is left in it.
func (s *subscription) leave() {
	if s.Group == "" {
		return
	}
	s.acks.end()
	ctx, cancel := context.WithTimeout(context.Background(), silence)
	defer cancel()
	if err := s.idle(ctx, 2*s.claim+time.Hour); err != nil && !missing(err) {
		s.log.Warn("messages come again only after a while", "broker", "redis", "address", s.Address, "after", s.claim, "error", err)
	}
	for stream := range s.streams {
		consumers, err := s.client.XInfoConsumers(ctx, stream, s.Group).Result()
		if err != nil {
			continue
		}
		for _, c := range consumers {
			if c.Name == s.me && c.Pending == 0 {
				_ = s.client.XGroupDelConsumer(ctx, stream, s.Group, s.me).Err() // an idle name does no harm
			}
		}
	}
}

// delays is the key of a sorted set of messages that were put off, by when they are due. The
// braces keep it beside its stream in a cluster.
func delays(stream, group string) string { return "concordat:delayed:{" + stream + "}:" + group }

// A delayed message as it waits: names and values of its fields.
type delayed struct {
	Nonce  int64    `json:"n"` // two alike are two
	Fields [][]byte `json:"f"`
}

// Delay implements broker.Delayer by a sorted set, from which any member of the group moves
// messages back to the stream when they are due, for this group alone.
func (b *Broker) Delay(ctx context.Context, s broker.Subscription, m *broker.Message, d time.Duration) error {
	client, err := b.connect(ctx)
	if err != nil {
		return err
	}
	again := *m
	again.Settings = []broker.Setting{{Protocol: "concordat", Name: "group", Value: s.Group}}
	stream, _ := b.place(m.Address)
	w := delayed{Nonce: time.Now().UnixNano()}
	for _, v := range fields(&again, stream) {
		switch v := v.(type) {
		case string:
			w.Fields = append(w.Fields, []byte(v))
		case []byte:
			w.Fields = append(w.Fields, v)
		}
	}
	packed, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	due := float64(time.Now().Add(d).UnixMilli())
	if err := client.ZAdd(ctx, delays(stream, s.Group), redis.Z{Score: due, Member: packed}).Err(); err != nil {
		return b.explain("put off a message to "+m.Address+" on", err)
	}
	return nil
}

// move puts a message back into its stream, unless another member did.
var move = redis.NewScript(`
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
return 1`)

// wake moves what is due back into its stream.
func (s *subscription) wake(ctx context.Context, stream string) error {
	key := delays(stream, s.Group)
	due, err := s.client.ZRangeByScore(ctx, key, &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(time.Now().UnixMilli(), 10), Count: maxBatch}).Result()
	if err != nil {
		return err
	}
	for _, packed := range due {
		var w delayed
		if err := json.Unmarshal([]byte(packed), &w); err != nil {
			return fmt.Errorf("%s holds what we did not write: %w", key, err)
		}
		args := []any{packed}
		for _, f := range w.Fields {
			args = append(args, f)
		}
		if err := move.Run(ctx, s.client, []string{key, stream}, args...).Err(); err != nil {
			return err
		}
	}
	return nil
}
