package memory

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/brokertest"
)

func TestPromises(t *testing.T) {
	b := New()
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	brokertest.Run(t, brokertest.Features{Keeps: true, Redelivers: true, Durable: true}, func(*testing.T) broker.Broker { return b })
}

// Publish waits when nobody takes messages, rather than filling the memory.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New()
		b.limit = 2
		for range 2 {
			if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		full := make(chan error)
		go func() { full <- b.Publish(ctx, &broker.Message{Address: "a"}) }()
		synctest.Wait()
		cancel()
		if err := <-full; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		go func() { full <- b.Publish(t.Context(), &broker.Message{Address: "a", Body: []byte("third")}) }()
		synctest.Wait()
		got := make(chan string, 3)
		sctx, stop := context.WithCancel(t.Context())
		go func() {
			full <- b.Subscribe(sctx, broker.Subscription{Address: "a"}, func(_ context.Context, m *broker.Message) error {
				got <- string(m.Body)
				return nil
			})
		}()
		<-got
		if err := <-full; err != nil {
			t.Errorf("the waiting message was refused: %v", err)
		}
		<-got
		if m := <-got; m != "third" {
			t.Errorf("got %q", m)
		}
		stop()
		<-full
	})
}

func TestClosed(t *testing.T) {
	b := New()
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); !errors.Is(err, ErrClosed) {
		t.Errorf("publish: %v", err)
	}
	if err := b.Subscribe(t.Context(), broker.Subscription{Address: "a"}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("subscribe: %v", err)
	}
}
