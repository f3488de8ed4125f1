// Package brokertest holds every broker to the same promises: Run is the suite that each
// broker's own tests call, and that a broker of your own may call, too.
//
// It imports runtime/broker and the standard library.
package brokertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Features says what a broker can do, beyond what all can.
type Features struct {
	// Keeps says that messages published before a group's first subscription reach it.
	Keeps bool
	// Redelivers says that a message comes again, without a reconnect, when its handler
	// fails.
	Redelivers bool
	// Durable says that a group keeps its place, and messages wait for it, while none of its
	// members is there.
	Durable bool
	// Disrupt, if set, breaks the connections of everybody, or the broker, and returns when
	// it is there again.
	Disrupt func(t *testing.T)
}

const patience = 20 * time.Second

// Run holds the brokers that open returns to the promises of broker.Broker. Each call of
// open connects anew to the same broker.
func Run(t *testing.T, f Features, open func(t *testing.T) broker.Broker) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) broker.Broker){
		"RoundTrip": roundTrip, "Group": group, "Fanout": fanout, "Order": order, "Drain": drain, "Concurrency": concurrency,
		"ConcurrentSubscribe": concurrentSubscribe, "Isolation": isolation, "Bodies": bodies, "Waits": waits, "Closed": closed,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
	if f.Keeps {
		t.Run("Keeps", func(t *testing.T) { keeps(t, open) })
	}
	if f.Redelivers {
		t.Run("Redelivers", func(t *testing.T) { redelivers(t, open) })
		t.Run("ContinuesAfterErrors", func(t *testing.T) { continuesAfterErrors(t, open) })
	}
	if f.Durable {
		t.Run("OldMessages", func(t *testing.T) { oldMessages(t, open) })
		t.Run("ContinuesAfterClose", func(t *testing.T) { continuesAfterClose(t, open) })
		t.Run("NotAcknowledged", func(t *testing.T) { notAcknowledged(t, open) })
		t.Run("DeadLetters", func(t *testing.T) { deadLetters(t, open) })
	}
	if f.Disrupt != nil {
		t.Run("Reconnects", func(t *testing.T) { reconnects(t, open, f.Disrupt) })
	}
}

// address makes one that no other test uses.
func address(t *testing.T, tail string) string {
	return fmt.Sprintf("bt%d/%s", time.Now().UnixNano(), tail)
}

func publish(t *testing.T, b broker.Broker, m *broker.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := b.Publish(ctx, m); err != nil {
		t.Fatalf("publish to %s: %v", m.Address, err)
	}
}

// subscribe starts a subscription and returns what ends it and waits for it.
func subscribe(t *testing.T, b broker.Broker, s broker.Subscription, h broker.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Subscribe(ctx, s, h) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("subscription to %s ended with %v", s.Address, err)
			}
		case <-time.After(patience):
			t.Errorf("subscription to %s does not end", s.Address)
		}
	})
	t.Cleanup(stop)
	return stop
}

// ready subscribes and waits until the broker has confirmed that.
func ready(t *testing.T, b broker.Broker, s broker.Subscription, h broker.Handler) (stop func()) {
	t.Helper()
	up := make(chan struct{})
	s.Ready = func() { close(up) } // which panics the second time
	stop = subscribe(t, b, s, h)
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatalf("the subscription to %s is not confirmed", s.Address)
	}
	return stop
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}

func roundTrip(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "")
	got := make(chan *broker.Message, 8)
	ready(t, b, broker.Subscription{Address: base + "{id}/x"}, func(_ context.Context, m *broker.Message) error {
		got <- m
		return nil
	})
	sent := &broker.Message{
		Address: base + "a.b c*>é%/x", Key: "k1", Media: "application/json", ID: "id-1", ReplyTo: base + "reply", CorrelationID: "c-1",
		Headers: map[string]string{"trace-id": "t", "X-Mixed": "Ünï, code"}, Body: []byte(`{"a":1}`),
	}
	publish(t, b, sent)
	m := receive(t, got)
	if m.Address != sent.Address || m.Key != sent.Key || m.Media != sent.Media || m.ID != sent.ID || m.ReplyTo != sent.ReplyTo ||
		m.CorrelationID != sent.CorrelationID || string(m.Body) != string(sent.Body) {
		t.Errorf("got  %+v\nsent %+v", m, sent)
	}
	for k, v := range sent.Headers {
		if m.Headers[k] != v {
			t.Errorf("header %s: got %q, sent %q", k, m.Headers[k], v)
		}
	}
}

// Members of a group share the messages: each is handled once.
func group(t *testing.T, open func(*testing.T) broker.Broker) {
	base, n := address(t, "g"), 60
	got := make(chan string, 4*n)
	h := func(_ context.Context, m *broker.Message) error { got <- string(m.Body); return nil }
	s := broker.Subscription{Address: base, Group: "workers"}
	b1, b2 := open(t), open(t)
	ready(t, b1, s, h)
	ready(t, b2, s, h)
	for i := range n {
		publish(t, b1, &broker.Message{Address: base, Body: []byte(strconv.Itoa(i))})
	}
	seen := map[string]int{}
	for len(seen) < n {
		seen[receive(t, got)]++
	}
	for k, times := range seen {
		if times != 1 {
			t.Errorf("message %s was handled %d times", k, times)
		}
	}
}

// Subscriptions without a group each get every message.
func fanout(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "f")
	var chans []chan string
	for range 2 {
		c := make(chan string, 8)
		chans = append(chans, c)
		ready(t, b, broker.Subscription{Address: base}, func(_ context.Context, m *broker.Message) error {
			c <- string(m.Body)
			return nil
		})
	}
	publish(t, b, &broker.Message{Address: base, Body: []byte("x")})
	for _, c := range chans {
		if got := receive(t, c); got != "x" {
			t.Errorf("got %q", got)
		}
	}
}

// Messages of one key are handled in order, under concurrency.
func order(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "o")
	const keys, each = 3, 30
	var mu sync.Mutex
	seen, all := map[string][]int{}, make(chan struct{}, keys*each)
	ready(t, b, broker.Subscription{Address: base, Group: "g", Concurrency: 8}, func(_ context.Context, m *broker.Message) error {
		n, err := strconv.Atoi(string(m.Body))
		if err != nil {
			return err
		}
		mu.Lock()
		seen[m.Key] = append(seen[m.Key], n)
		mu.Unlock()
		all <- struct{}{}
		return nil
	})
	for i := range keys * each {
		publish(t, b, &broker.Message{Address: base, Key: "k" + strconv.Itoa(i%keys), Body: []byte(strconv.Itoa(i))})
	}
	for range keys * each {
		receive(t, all)
	}
	mu.Lock()
	defer mu.Unlock()
	for k, ns := range seen {
		if !slices.IsSorted(ns) {
			t.Errorf("key %s came as %v", k, ns)
		}
	}
}

// A subscription that ends lets its handlers finish, and acknowledges what they did.
func drain(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "d")
	started, release, finished := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	stop := ready(t, b, broker.Subscription{Address: base, Group: "g"}, func(ctx context.Context, _ *broker.Message) error {
		close(started)
		<-release
		finished <- ctx.Err()
		return nil
	})
	publish(t, b, &broker.Message{Address: base, Body: []byte("slow")})
	receive(t, started)
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("the subscription ended before its handler")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	receive(t, stopped)
	if err := receive(t, finished); err != nil {
		t.Errorf("the handler's context was %v", err)
	}
}

// As many handlers run as were asked for, and no more.
func concurrency(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "c")
	const n = 4
	running, release := make(chan struct{}, 2*n), make(chan struct{})
	ready(t, b, broker.Subscription{Address: base, Group: "g", Concurrency: n}, func(context.Context, *broker.Message) error {
		running <- struct{}{}
		<-release
		return nil
	})
	for range 2 * n {
		publish(t, b, &broker.Message{Address: base, Body: []byte("x")})
	}
	for range n {
		receive(t, running)
	}
	select {
	case <-running:
		t.Errorf("more than %d handlers run", n)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	for range n {
		receive(t, running)
	}
}

func keeps(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "k")
	for i := range 5 {
		publish(t, b, &broker.Message{Address: base, Body: []byte(strconv.Itoa(i))})
	}
	got := make(chan string, 8)
	subscribe(t, b, broker.Subscription{Address: base, Group: "late"}, func(_ context.Context, m *broker.Message) error {
		got <- string(m.Body)
		return nil
	})
	for i := range 5 {
		if m := receive(t, got); m != strconv.Itoa(i) {
			t.Errorf("got %s in place of %d", m, i)
		}
	}
}

func redelivers(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "r")
	got := make(chan string, 8)
	failed := false
	ready(t, b, broker.Subscription{Address: base, Group: "g"}, func(_ context.Context, m *broker.Message) error {
		if !failed {
			failed = true
			return errors.New("not now")
		}
		got <- string(m.Body)
		return nil
	})
	publish(t, b, &broker.Message{Address: base, Body: []byte("again")})
	if m := receive(t, got); m != "again" {
		t.Errorf("got %s", m)
	}
}
