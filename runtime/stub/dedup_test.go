package stub_test

import (
	"context"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	dedupmemory "github.com/concordat-dev/concordat/runtime/broker/dedup/memory"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// A stutter is a broker that delivers everything three times, as one may that was not told
// in time what was handled.
type stutter struct{ broker.Broker }

func (s stutter) Publish(ctx context.Context, m *broker.Message) error {
	for range 3 {
		if err := s.Broker.Publish(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// With dedup a message has its effect once, and a message that cannot be handled makes one
// dead letter; each published value is a message of its own, though equal to another.
func TestDedup(t *testing.T) {
	b, event := memory.New(), lightMeasuredEvent()
	dead := make(chan *broker.Message, 10)
	effects := make(chan int64, 20)
	conn := lights(t, stutter{b}, func(s *concordat.Server) {
		stub.Consume(s, event, func(_ context.Context, m *LightMeasured) error {
			if m.Payload.Lumens == 13 {
				return concordat.Errorf(concordat.InvalidArgument, "unlucky")
			}
			effects <- m.Payload.Lumens
			return nil
		})
		s.Background("dead letters", func(ctx context.Context) error {
			return b.Subscribe(ctx, broker.Subscription{Address: "lights/{id}/dead", Group: "d"}, func(_ context.Context, m *broker.Message) error {
				dead <- m
				return nil
			})
		})
	}, concordat.WithDedup(dedupmemory.New(0), dedup.Options{}))
	for _, lumens := range []int64{1, 1, 13, 2} { // of one key, so in order
		if err := stub.Publish(t.Context(), conn, event, &LightMeasured{StreetlightID: "7", Payload: Lumens{Lumens: lumens}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int64{1, 1, 2} {
		if got := <-effects; got != want {
			t.Errorf("the effect of %d came in place of %d", got, want)
		}
	}
	first := <-dead // the stutter published its dead letter three times, and nobody else did
	for range 2 {
		if again := <-dead; again.ID != first.ID {
			t.Error("a duplicate made a dead letter of its own")
		}
	}
	if len(dead) > 0 || len(effects) > 0 {
		t.Errorf("%d dead letters and %d effects too many", len(dead), len(effects))
	}
}

func TestDedupIsMisused(t *testing.T) {
	for want, opt := range map[string]concordat.ServerOption{
		"is nil":         concordat.WithDedup(nil),
		"at most one":    concordat.WithDedup(dedupmemory.New(1), dedup.Options{}, dedup.Options{}),
		"no certificate": concordat.WithDedup(dedupmemory.New(1)),
	} {
		if err := concordat.NewServer(opt).Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
