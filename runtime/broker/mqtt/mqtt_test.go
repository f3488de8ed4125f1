package mqtt_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/brokertest"
	"github.com/concordat-dev/concordat/runtime/broker/mqtt"
	"github.com/concordat-dev/concordat/runtime/broker/mqtt/mqttembed"
)

func start(t *testing.T, o mqttembed.Options) *mqttembed.Server {
	t.Helper()
	s, err := mqttembed.Start(o)
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

func open(t *testing.T, url string, opts ...mqtt.Option) *mqtt.Broker {
	t.Helper()
	b, err := mqtt.New(url, append([]mqtt.Option{mqtt.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
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
	s := start(t, mqttembed.Options{})
	brokertest.Run(t, brokertest.Features{Redelivers: true}, func(t *testing.T) broker.Broker { return open(t, s.URL()) })
}

// The same promises, held by Mosquitto.
func TestPromisesMosquitto(t *testing.T) {
	m := mosquitto(t, "allow_anonymous true")
	brokertest.Run(t, brokertest.Features{Redelivers: true}, func(t *testing.T) broker.Broker { return open(t, "mqtt://"+m.addr) })
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"localhost:1883":               "no server's address",
		"nats://localhost":             "no server's address",
		"amqp://user:secret@localhost": "no server's address",
	} {
		_, err := mqtt.New(target)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", target, err)
		}
	}
	if _, err := mqtt.New("mqtt://localhost", mqtt.WithQoS(3)); err == nil {
		t.Error("quality of service 3 was taken")
	}
}

func TestErrorsNameServerAndRemedy(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	down := open(t, "mqtt://user:secret@127.0.0.1:1")
	err := down.Publish(ctx, &broker.Message{Address: "a"})
	if err == nil || !strings.Contains(err.Error(), "mqtt://127.0.0.1:1") || !strings.Contains(err.Error(), "is the server running") ||
		!strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "secret") {
		t.Errorf("server down: %v", err)
	}
	s := start(t, mqttembed.Options{User: map[string]string{"ann": "right"}})
	wrong := open(t, s.URL(), mqtt.WithCredentials("ann", "wrong"))
	// No deadline: the server's word is final.
	err = wrong.Publish(t.Context(), &broker.Message{Address: "a"})
	if err == nil || !strings.Contains(err.Error(), "check the user name and the password") {
		t.Errorf("wrong password: %v", err)
	}
	err = wrong.Subscribe(t.Context(), broker.Subscription{Address: "a"}, nil)
	if err == nil || !strings.Contains(err.Error(), "check the user name and the password") {
		t.Errorf("wrong password: %v", err)
	}
	right := open(t, s.URL(), mqtt.WithCredentials("ann", "right"))
	if err := right.Publish(t.Context(), &broker.Message{Address: "a"}); err != nil {
		t.Error(err)
	}
	for _, set := range []broker.Setting{{Protocol: "mqtt", Name: "qos", Value: "3"}, {Protocol: "mqtt", Name: "retain", Value: "perhaps"}} {
		m := &broker.Message{Address: "a", Settings: []broker.Setting{set}}
		if err := right.Publish(t.Context(), m); err == nil || !strings.Contains(err.Error(), set.Name) {
			t.Errorf("%v: got %v", set, err)
		}
	}
	if err := right.Publish(t.Context(), &broker.Message{}); err == nil {
		t.Error("an empty address was published")
	}
}

// Real contracts have settings that we do nothing with: that is told, once, and no more.
func TestUnknownSettings(t *testing.T) {
	s := start(t, mqttembed.Options{})
	var out locked
	b := open(t, s.URL(), mqtt.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	set := []broker.Setting{{Protocol: "mqtt", Name: "clientId", Value: "guest"}, {Protocol: "mqtt", Name: "lastWill.topic", Value: "wills"},
		{Protocol: "mqtt", Name: "qos", Value: "1"}, {Protocol: "mqtt", Name: "retain", Value: "true"}, {Protocol: "mqtt", Name: "bindingVersion", Value: "0.2.0"}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 2 {
		if err := b.Publish(ctx, &broker.Message{Address: "un/known", Body: []byte("x"), Settings: set}); err != nil {
			t.Fatal(err)
		}
	}
	err := b.Subscribe(ctx, broker.Subscription{Address: "un/known", Settings: set}, func(context.Context, *broker.Message) error { cancel(); return nil })
	if got := out.String(); err != nil || strings.Count(got, `settings="clientId, lastWill.topic"`) != 2 || strings.Count(got, "level=WARN") != 2 {
		t.Errorf("%v, logged %s", err, got)
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

// A retained message reaches those who subscribe later, as the contract's setting asks.
func TestRetain(t *testing.T) {
	s := start(t, mqttembed.Options{})
	b := open(t, s.URL())
	m := &broker.Message{Address: "state/{x}", Body: []byte("on"), Settings: []broker.Setting{{Protocol: "mqtt", Name: "retain", Value: "true"}}}
	m.Address = "state/1"
	if err := b.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := ""
	err := b.Subscribe(ctx, broker.Subscription{Address: "state/{id}"}, func(_ context.Context, m *broker.Message) error {
		got = string(m.Body)
		cancel()
		return nil
	})
	if err != nil || got != "on" {
		t.Errorf("got %q, %v", got, err)
	}
}

// The server goes and comes back: the subscription is made again by itself.
func TestReconnect(t *testing.T) {
	first, err := mqttembed.Start(mqttembed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(first.URL(), "mqtt://")
	b := open(t, first.URL())
	got := make(chan string, 256)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- b.Subscribe(ctx, broker.Subscription{Address: "back"}, func(_ context.Context, m *broker.Message) error {
			got <- string(m.Body)
			return nil
		})
	}()
	until(t, b, got, "before")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, mqttembed.Options{Addr: addr})
	until(t, b, got, "after")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// until publishes body until it arrives.
func until(t *testing.T, b *mqtt.Broker, got <-chan string, body string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_ = b.Publish(ctx, &broker.Message{Address: "back", Body: []byte(body)}) // it may be away
		cancel()
		select {
		case b := <-got:
			if b == body {
				return
			}
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not arrive", body)
}
