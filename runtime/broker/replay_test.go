package broker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
)

// Those that are picked come back as they were; the others stay for the next time.
func TestReplayPicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		for _, id := range []string{"a", "b"} {
			dead := &broker.Message{Address: broker.DefaultDeadLetter, ID: id + ".dead", Headers: map[string]string{
				"own": "x", broker.HeaderReason: broker.ReasonRefused, broker.HeaderOriginalAddress: "orders/1", broker.HeaderError: "why", broker.HeaderDelays: "2"}}
			if err := b.Publish(t.Context(), dead); err != nil {
				t.Fatal(err)
			}
		}
		got := make(chan *broker.Message, 8)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- b.Subscribe(ctx, broker.Subscription{Address: "orders/{id}"}, func(_ context.Context, m *broker.Message) error {
				got <- m
				return nil
			})
		}()
		n, err := broker.Replay{Pick: func(m *broker.Message) bool { return m.ID == "a.dead" }}.Run(t.Context(), b)
		if m := <-got; n != 1 || err != nil || m.ID != "a.replay1" || m.Headers["own"] != "x" || m.Headers[broker.HeaderReplays] != "1" || len(m.Headers) != 2 {
			t.Errorf("%d, %v: %+v", n, err, m)
		}
		n, err = broker.Replay{}.Run(t.Context(), b)
		if m := <-got; n != 1 || err != nil || m.ID != "b.replay1" {
			t.Errorf("%d, %v: %+v", n, err, m)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A broker without pipelining of its own has each message published beside the others, those
// of a key in order; what fails is told.
func TestPipelineOverAnyBroker(t *testing.T) {
	b := memory.New()
	p := broker.NewPipeline(b, 4)
	got := make(chan byte, 100)
	for i := range 100 {
		if err := p.Publish(t.Context(), &broker.Message{Address: "a", Key: "k", Body: []byte{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := p.Flush(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- b.Subscribe(ctx, broker.Subscription{Address: "a"}, func(_ context.Context, m *broker.Message) error {
			got <- m.Body[0]
			return nil
		})
	}()
	for i := range 100 {
		if n := <-got; int(n) != i {
			t.Fatalf("%d came in place of %d", n, i)
		}
	}
	cancel()
	if err := errors.Join(<-done, b.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if err := p.Publish(t.Context(), &broker.Message{Address: "a"}); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Flush(); n != 1 || !errors.Is(err, broker.ErrClosed) {
		t.Errorf("%d failed: %v", n, err)
	}
}
