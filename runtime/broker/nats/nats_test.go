package nats_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/brokertest"
	"github.com/concordat-dev/concordat/runtime/broker/nats"
	"github.com/concordat-dev/concordat/runtime/broker/nats/natsembed"
)

func start(t *testing.T, o natsembed.Options) *natsembed.Server {
	t.Helper()
	s, err := natsembed.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func open(t *testing.T, url string, opts ...nats.Option) *nats.Broker {
	t.Helper()
	b, err := nats.New(url, append([]nats.Option{nats.WithPlaintext(), nats.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestPromises(t *testing.T) {
	s := start(t, natsembed.Options{})
	brokertest.Run(t, brokertest.Features{Keeps: true, Redelivers: true, Durable: true}, func(t *testing.T) broker.Broker { return open(t, s.URL()) })
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"nats://localhost:4222":        "without TLS",
		"localhost:4222":               "is no server's address",
		"mqtt://localhost":             "is no server's address",
		"amqp://user:secret@localhost": "is no server's address",
		"":                             "is no server's address",
	} {
		_, err := nats.New(target)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", target, err)
		}
	}
	if _, err := nats.New("tls://localhost:4222", nats.WithAckWait(0)); err == nil {
		t.Error("no time to acknowledge was taken")
	}
	if _, err := nats.New("tls://localhost:4222"); err != nil {
		t.Error(err)
	}
}

func TestErrorsNameServerAndRemedy(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	down := open(t, "nats://127.0.0.1:1")
	err := down.Publish(ctx, &broker.Message{Address: "a.b"})
	if err == nil || !strings.Contains(err.Error(), "nats://127.0.0.1:1") || !strings.Contains(err.Error(), "is the server running") {
		t.Errorf("server down: %v", err)
	}
	s := start(t, natsembed.Options{})
	strict := open(t, s.URL(), nats.WithoutDeclare())
	err = strict.Publish(ctx, &broker.Message{Address: "nobody/listens"})
	if err == nil || !strings.Contains(err.Error(), "nats.WithStream") {
		t.Errorf("unroutable: %v", err)
	}
	for _, address := range []string{"", "a b", "a.*", "a//b"} {
		if err := strict.Publish(ctx, &broker.Message{Address: address}); err == nil {
			t.Errorf("%q was published", address)
		}
	}
}

// Real contracts have settings that we do nothing with: that is told, once, and no more.
func TestUnknownSettings(t *testing.T) {
	s := start(t, natsembed.Options{})
	var out locked
	b := open(t, s.URL(), nats.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	set := []broker.Setting{{Protocol: "nats", Name: "queue", Value: "q"}, {Protocol: "nats", Name: "stream.name", Value: "S"}, {Protocol: "mqtt", Name: "qos", Value: "9"}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, body := range []string{"1", "2"} {
		if err := b.Publish(ctx, &broker.Message{Address: "un/known", Body: []byte(body), Settings: set}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	err := b.Subscribe(ctx, broker.Subscription{Address: "un/known", Settings: set}, func(context.Context, *broker.Message) error {
		if n++; n == 2 {
			cancel()
		}
		return nil
	})
	if got := out.String(); err != nil || n != 2 || strings.Count(got, "settings=stream.name") != 2 || strings.Count(got, "level=WARN") != 2 {
		t.Errorf("%v, %d messages, logged %s", err, n, got)
	}
}

// A locked buffer takes a log from several goroutines.
type locked struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The server goes and comes back: the subscription goes on by itself.
func TestReconnect(t *testing.T) {
	dir := t.TempDir()
	first, err := natsembed.Start(natsembed.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, first.URL())
	got := make(chan string, 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- b.Subscribe(ctx, broker.Subscription{Address: "back/{id}", Group: "g"}, func(_ context.Context, m *broker.Message) error {
			got <- string(m.Body)
			return nil
		})
	}()
	publish(t, b, "", "before")
	want(t, got, "before")
	port := first.Port()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, natsembed.Options{Dir: dir, Port: port})
	if second.URL() != first.URL() {
		t.Fatalf("came back at %s", second.URL())
	}
	publish(t, b, "", "after")
	want(t, got, "after")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// publish tries until the broker confirms: a confirmation that never came says nothing.
func publish(t *testing.T, b *nats.Broker, key, body string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := b.Publish(ctx, &broker.Message{Address: "back/1", Key: key, ID: body, Body: []byte(body)})
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func want(t *testing.T, got <-chan string, body string) {
	t.Helper()
	select {
	case b := <-got:
		if b != body {
			t.Fatalf("got %s in place of %s", b, body)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not arrive", body)
	}
}
