package brokertest

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// collect is a handler that sends bodies to a channel.
func collect(n int) (chan string, broker.Handler) {
	got := make(chan string, n)
	return got, func(_ context.Context, m *broker.Message) error { got <- string(m.Body); return nil }
}

// all waits until every number below n has come, and returns how often each did.
func all(t *testing.T, got <-chan string, n int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for len(seen) < n {
		seen[receive(t, got)]++
	}
	return seen
}

func publishNumbers(t *testing.T, b broker.Broker, address string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		publish(t, b, &broker.Message{Address: address, ID: address + strconv.Itoa(i), Body: []byte(strconv.Itoa(i))})
	}
}

// Members of a group may come at one time; still each message is handled once.
func concurrentSubscribe(t *testing.T, open func(*testing.T) broker.Broker) {
	const members, n = 6, 60
	b, base := open(t), address(t, "cs/{id}")
	got, h := collect(4 * n)
	var up sync.WaitGroup
	for range members {
		up.Add(1)
		subscribe(t, b, broker.Subscription{Address: base, Group: "g", Ready: up.Done}, h)
	}
	up.Wait()
	publishNumbers(t, b, strings.Replace(base, "{id}", "1", 1), 0, n)
	for k, times := range all(t, got, n) {
		if times != 1 {
			t.Errorf("message %s was handled %d times", k, times)
		}
	}
}

// What goes to one address is seen at no other, however alike.
func isolation(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "")
	got := make(chan string, 32)
	alike := []string{"a", "a/b", "ab", "a/b/c", "{x}/d", "b{n}/e"}
	for _, a := range alike {
		ready(t, b, broker.Subscription{Address: base + a, Group: "iso"}, func(_ context.Context, m *broker.Message) error {
			got <- a + " got " + string(m.Body)
			return nil
		})
	}
	want := map[string]bool{}
	for _, m := range []struct{ to, by string }{{"a", "a"}, {"a/b", "a/b"}, {"ab", "ab"}, {"a/b/c", "a/b/c"}, {"q.r/d", "{x}/d"}, {"b7/e", "b{n}/e"}} {
		publish(t, b, &broker.Message{Address: base + m.to, Body: []byte(m.to)})
		want[m.by+" got "+m.to] = true
	}
	for range want {
		if m := receive(t, got); !want[m] {
			t.Errorf("%s", m)
		} else {
			delete(want, m)
		}
	}
}

// A body may be empty, large, or anything.
func bodies(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "b")
	got := make(chan []byte, 1)
	ready(t, b, broker.Subscription{Address: base}, func(_ context.Context, m *broker.Message) error { got <- m.Body; return nil })
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, body := range [][]byte{nil, every, bytes.Repeat(every, 2000)} {
		publish(t, b, &broker.Message{Address: base, Body: body})
		if m := receive(t, got); !bytes.Equal(m, body) {
			t.Errorf("%d bytes came as %d", len(body), len(m))
		}
	}
}

// While a handler is at work, and it may be one at a time, no other message comes.
func waits(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "w")
	began, release := make(chan string, 4), make(chan struct{})
	ready(t, b, broker.Subscription{Address: base, Group: "g"}, func(_ context.Context, m *broker.Message) error {
		began <- string(m.Body)
		<-release
		return nil
	})
	publishNumbers(t, b, base, 0, 2)
	if first := receive(t, began); first != "0" {
		t.Errorf("%s came first", first)
	}
	select {
	case m := <-began:
		t.Errorf("%s came before the first was handled", m)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	receive(t, began)
}

// After Close there is one error, for everything; closing again is none.
func closed(t *testing.T, open func(*testing.T) broker.Broker) {
	if open(t) == open(t) {
		t.Skip("all tests share this broker")
	}
	b, base := open(t), address(t, "closed")
	for range 2 {
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := b.Publish(t.Context(), &broker.Message{Address: base}); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("publish: %v", err)
	}
	if err := b.Subscribe(t.Context(), broker.Subscription{Address: base}, nil); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("subscribe: %v", err)
	}
}

// Failures of some messages keep none from being handled, those included.
func continuesAfterErrors(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "ce")
	const n = 20
	got, h := collect(4 * n)
	var failed sync.Map
	ready(t, b, broker.Subscription{Address: base, Group: "g", Concurrency: 8}, func(ctx context.Context, m *broker.Message) error {
		if _, again := failed.LoadOrStore(string(m.Body), true); !again && len(m.Body) == 1 {
			return errors.New("not now")
		}
		return h(ctx, m)
	})
	publishNumbers(t, b, base, 0, n)
	all(t, got, n)
}

// A group that went away finds what came meanwhile, in order.
func oldMessages(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "om/{id}")
	s := broker.Subscription{Address: base, Group: "away"}
	_, ignore := collect(1)
	ready(t, b, s, ignore)()
	at := strings.Replace(base, "{id}", "1", 1)
	publishNumbers(t, b, at, 0, 10)
	got, h := collect(20)
	subscribe(t, open(t), s, h)
	for i := range 10 {
		if m := receive(t, got); m != strconv.Itoa(i) {
			t.Errorf("%s came in place of %d", m, i)
		}
	}
}

// Subscriptions that come and go lose nothing between them.
func continuesAfterClose(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "cc")
	const rounds, each = 4, 15
	got, h := collect(rounds * each * 4)
	s := broker.Subscription{Address: base, Group: "g", Concurrency: 4}
	seen := map[string]int{}
	for r := range rounds {
		stop := ready(t, b, s, h)
		publishNumbers(t, b, base, r*each, (r+1)*each)
		seen[receive(t, got)]++ // some are handled, others wait
		stop()
	}
	subscribe(t, b, s, h)
	for len(seen) < rounds*each {
		seen[receive(t, got)]++
	}
}

// What a member could not handle before it went comes to another.
func notAcknowledged(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "na")
	s := broker.Subscription{Address: base, Group: "g"}
	began := make(chan struct{}, 8)
	stop := ready(t, b, s, func(context.Context, *broker.Message) error {
		select {
		case began <- struct{}{}:
		default:
		}
		return errors.New("never")
	})
	publishNumbers(t, b, base, 0, 3)
	receive(t, began)
	stop()
	got, h := collect(16)
	subscribe(t, open(t), s, h)
	all(t, got, 3)
}

// Poison goes to the dead letters and holds up nothing; from there it can come back.
func deadLetters(t *testing.T, open func(*testing.T) broker.Broker) {
	b, base := open(t), address(t, "dl/{id}")
	dead := strings.Replace(base, "/dl/{id}", "-dead", 1)
	at := strings.Replace(base, "{id}", "1", 1)
	got, h := collect(16)
	var healed sync.Map
	up := make(chan struct{})
	s := broker.Subscription{Address: base, Group: "g", Ready: func() { close(up) }}
	p := broker.Policy{Attempts: 2, Backoff: time.Millisecond, DeadLetter: dead}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- broker.Consume(ctx, b, s, p, func(ctx context.Context, m *broker.Message) error {
			if _, ok := healed.Load("yes"); !ok && string(m.Body) == "1" {
				return broker.Permanent(errors.New("poison"))
			}
			return h(ctx, m)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := receive(t, done); err != nil {
			t.Error(err)
		}
	})
	receive(t, up)
	publishNumbers(t, b, at, 0, 3)
	for _, want := range []string{"0", "2"} {
		if m := receive(t, got); m != want {
			t.Errorf("%s came in place of %s", m, want)
		}
	}
	healed.Store("yes", true)
	n, err := broker.Replay{From: dead, Limit: 1, Idle: patience}.Run(t.Context(), open(t))
	if n != 1 || err != nil {
		t.Fatalf("%d came back, %v", n, err)
	}
	if m := receive(t, got); m != "1" {
		t.Errorf("%s came back", m)
	}
}

// A broker that was away, or that broke off, costs no confirmed message.
func reconnects(t *testing.T, open func(*testing.T) broker.Broker, disrupt func(*testing.T)) {
	b, base := open(t), address(t, "rc/{id}")
	at := strings.Replace(base, "{id}", "1", 1)
	got, h := collect(1024)
	ready(t, b, broker.Subscription{Address: base, Group: "g", Concurrency: 4}, h)
	publishNumbers(t, b, at, 0, 10)
	disrupt(t)
	for i := 10; i < 20; i++ {
		m := &broker.Message{Address: at, ID: at + strconv.Itoa(i), Body: []byte(strconv.Itoa(i))}
		for end := time.Now().Add(3 * patience); b.Publish(t.Context(), m) != nil && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	all(t, got, 20)
}
