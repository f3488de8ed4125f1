package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
)

// consume runs Consume in a bubble, whose time passes when all wait, and returns once
// the messages were handled or moved.
func consume(t *testing.T, b broker.Broker, p broker.Policy, handle broker.Handler, messages ...*broker.Message) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- broker.Consume(ctx, b, broker.Subscription{Address: "lights/{id}/on", Group: "g", Concurrency: 4}, p, handle)
	}()
	for _, m := range messages {
		if err := b.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("consume: %v", err)
	}
}

// letters returns what lies at address.
func letters(t *testing.T, b broker.Broker, address string) []*broker.Message {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var got []*broker.Message
	ended := make(chan error, 1)
	go func() {
		ended <- b.Subscribe(ctx, broker.Subscription{Address: address, Group: "letters"}, func(_ context.Context, m *broker.Message) error {
			got = append(got, m)
			return nil
		})
	}()
	synctest.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return got
}

func TestRetryThenDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		var at []time.Duration
		begin := time.Now()
		var next []string
		p := broker.Policy{DeadLetter: "lights/{id}/dead", Report: func(_ *broker.Message, _ int, n string, _ error) { next = append(next, n) }}
		consume(t, b, p, func(context.Context, *broker.Message) error {
			at = append(at, time.Since(begin))
			return errors.New("lamp\r\nis broken")
		}, &broker.Message{Address: "lights/7/on", ID: "m1", Key: "7", Headers: map[string]string{"x": "y"}, Body: []byte("b")})
		if len(at) != 5 || fmt.Sprint(next) != "[retry retry retry retry dead-letter]" {
			t.Fatalf("handled %d times: %v", len(at), next)
		}
		for i := 1; i < len(at); i++ {
			if bound := 100 * time.Millisecond << (i - 1); at[i]-at[i-1] > bound+time.Millisecond {
				t.Errorf("waited %v before attempt %d", at[i]-at[i-1], i+1)
			}
		}
		dead := letters(t, b, "lights/{id}/dead")
		if len(dead) != 1 {
			t.Fatalf("%d dead letters", len(dead))
		}
		m := dead[0]
		want := map[string]string{"x": "y", broker.HeaderReason: broker.ReasonExhausted, broker.HeaderError: "lamp  is broken",
			broker.HeaderAttempts: "5", broker.HeaderOriginalAddress: "lights/7/on", broker.HeaderGroup: "g"}
		if m.Address != "lights/7/dead" || m.Key != "7" || string(m.Body) != "b" || m.ID == "m1" || fmt.Sprint(m.Headers) != fmt.Sprint(want) {
			t.Errorf("got %+v", m)
		}
	})
}

func TestPermanentIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		n := 0
		cause := errors.New(strings.Repeat("ü", 2000))
		consume(t, b, broker.Policy{}, func(context.Context, *broker.Message) error {
			n++
			return fmt.Errorf("handler: %w", broker.Permanent(cause))
		}, &broker.Message{Address: "lights/7/on"})
		dead := letters(t, b, broker.DefaultDeadLetter)
		if n != 1 || len(dead) != 1 || dead[0].Headers[broker.HeaderReason] != broker.ReasonRefused || len(dead[0].Headers[broker.HeaderError]) > 1024 {
			t.Errorf("handled %d times, %v", n, dead)
		}
		if broker.Permanent(nil) != nil || !errors.Is(broker.Permanent(cause), cause) || broker.IsPermanent(cause) {
			t.Error("Permanent hides or invents errors")
		}
	})
}

// While one message waits for its next attempt, those of other keys go on, and those of
// its own stand behind it.
func TestOrderOverRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		var mu sync.Mutex
		var order []string
		failed := false
		consume(t, b, broker.Policy{}, func(_ context.Context, m *broker.Message) error {
			mu.Lock()
			defer mu.Unlock()
			if m.ID == "a1" && !failed {
				failed = true
				return errors.New("not yet")
			}
			order = append(order, m.ID)
			return nil
		}, &broker.Message{Address: "lights/1/on", Key: "a", ID: "a1"}, &broker.Message{Address: "lights/1/on", Key: "a", ID: "a2"},
			&broker.Message{Address: "lights/2/on", Key: "b", ID: "b1"})
		if !slices.Equal(order, []string{"b1", "a1", "a2"}) {
			t.Errorf("handled in order %v", order)
		}
	})
}

// If the dead letter cannot be sent, or the program ends meanwhile, the broker keeps the
// message.
func TestNothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &refusing{Broker: memory.New()}
		n := 0
		consume(t, b, broker.Policy{Attempts: 1}, func(context.Context, *broker.Message) error {
			if n++; n == 3 {
				b.open = true
			}
			return errors.New("broken")
		}, &broker.Message{Address: "lights/7/on"})
		if dead := letters(t, b, broker.DefaultDeadLetter); len(dead) != 1 || n != 3 {
			t.Errorf("%d dead letters after %d attempts", len(dead), n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		ctx, cancel := context.WithCancel(t.Context())
		s := broker.Subscription{Address: "lights/{id}/on", Group: "g"}
		if err := b.Publish(ctx, &broker.Message{Address: "lights/1/on", ID: "kept"}); err != nil {
			t.Fatal(err)
		}
		err := broker.Consume(ctx, b, s, broker.Policy{Backoff: time.Hour, MaxBackoff: time.Hour}, func(context.Context, *broker.Message) error {
			cancel() // the program ends while the message waits for its next attempt
			return errors.New("broken")
		})
		if err != nil {
			t.Fatal(err)
		}
		again := ""
		consume(t, b, broker.Policy{}, func(_ context.Context, m *broker.Message) error { again = m.ID; return nil })
		if again != "kept" {
			t.Error("the message is lost")
		}
	})
}

// A refusing broker takes no dead letters until it is opened.
type refusing struct {
	broker.Broker
	open bool
}

func (r *refusing) Publish(ctx context.Context, m *broker.Message) error {
	if m.Address == broker.DefaultDeadLetter && !r.open {
		return errors.New("no such queue")
	}
	return r.Broker.Publish(ctx, m)
}

func TestValuesAndRefill(t *testing.T) {
	for _, c := range []struct{ template, address, want string }{
		{"a/{x}/b", "a/1/b", "1"},
		{"a/{x}/{y}", "a/1/2", "1,2"},
		{"a.{x}.b", "a.1.b", "1"},
		{"a.{x}", "a.1", "1"},
		{"{x}", "q", "q"},
		{"a/{x}-{y}", "a/1-2", "1,2"},
		{"a/v{x}", "a/v1", "1"},
		{"a/b", "a/b", ""},
		{"a/{x}/b", "a/1/2/b", "none"},
		{"a/{x}", "a/", "none"},
		{"a/{x}", "b/1", "none"},
		{"a/{x", "a/1", "none"},
		{"a/b", "a/b/c", "none"},
		{"{x}{y}", "ab", "none"},
		{"a.{x}", "a.1.2", "none"},
		{"a/{x}.{y}", "a/1.2", "1,2"},
		{"a/{x}s", "a/ss", "s"},
		{"a/{x}", "a", "none"},
	} {
		values, ok := broker.ParsePattern(c.template).Values(c.address)
		got := strings.Join(values, ",")
		if !ok {
			got = "none"
		}
		if got != c.want {
			t.Errorf("%s in %s: %s, want %s", c.template, c.address, got, c.want)
		}
	}
	for _, c := range []struct{ template, from, address, want string }{
		{"dead/{id}", "a/{id}/b", "a/7/b", "dead/7"},
		{"dead/{other}", "a/{id}", "a/7", "dead/{other}"},
		{"dead", "a/{id}", "a/7", "dead"},
		{"dead/{id}", "a/{id}", "b/7", "dead/{id}"},
	} {
		if got := broker.Refill(c.template, c.from, c.address); got != c.want {
			t.Errorf("%s from %s: %s, want %s", c.template, c.address, got, c.want)
		}
	}
}
