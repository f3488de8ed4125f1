package nats_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/brokertest"
	"github.com/concordat-dev/concordat/runtime/broker/nats"
	"github.com/concordat-dev/concordat/runtime/broker/nats/natsembed"
)

func coreURL(s *natsembed.Server) string {
	return strings.Replace(s.URL(), "nats://", "nats+core://", 1)
}

func TestCorePromises(t *testing.T) {
	s := start(t, natsembed.Options{})
	brokertest.Run(t, brokertest.Features{}, func(t *testing.T) broker.Broker { return open(t, coreURL(s)) })
}

// What fails is lost, and told: core NATS does not bring it again.
func TestCoreLosesAloud(t *testing.T) {
	s := start(t, natsembed.Options{})
	var out locked
	b := open(t, s.URL(), nats.WithCore(), nats.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	up, got := make(chan struct{}), make(chan string, 4)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- b.Subscribe(ctx, broker.Subscription{Address: "loud/{id}", Ready: func() { close(up) }}, func(_ context.Context, m *broker.Message) error {
			got <- m.ID
			return errors.New("no")
		})
	}()
	<-up
	for _, id := range []string{"1", "2"} {
		if err := b.Publish(ctx, &broker.Message{Address: "loud/x", ID: id}); err != nil {
			t.Fatal(err)
		}
		want(t, got, id)
	}
	cancel()
	if err := <-done; err != nil || strings.Count(out.String(), "a message is lost") != 2 {
		t.Errorf("%v; logged %s", err, out.String())
	}
}

// Those who speak core NATS only ask us and answer us.
func TestCoreWithPlainClients(t *testing.T) {
	s := start(t, natsembed.Options{})
	b := open(t, coreURL(s))
	plain, err := natsgo.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	up := make(chan struct{})
	go func() {
		_ = b.Subscribe(t.Context(), broker.Subscription{Address: "ask/{id}", Group: "g", Ready: func() { close(up) }}, func(ctx context.Context, m *broker.Message) error {
			return b.Publish(ctx, &broker.Message{Address: m.ReplyTo, Body: append([]byte("answer to "), m.Body...)})
		})
	}()
	<-up
	reply, err := plain.Request("ask.1", []byte("us"), 10*time.Second)
	if err != nil || string(reply.Data) != "answer to us" {
		t.Fatalf("%v, %v", reply, err)
	}
	if _, err := plain.Subscribe("theirs.*", func(m *natsgo.Msg) { _ = m.Respond([]byte("from them")) }); err != nil {
		t.Fatal(err)
	}
	if err := plain.Flush(); err != nil {
		t.Fatal(err)
	}
	box, got := make(chan struct{}), make(chan string, 1)
	go func() {
		_ = b.Subscribe(t.Context(), broker.Subscription{Address: broker.Inbox + "me", Ready: func() { close(box) }}, func(_ context.Context, m *broker.Message) error {
			got <- string(m.Body)
			return nil
		})
	}()
	<-box
	if err := b.Publish(t.Context(), &broker.Message{Address: "theirs/1", ReplyTo: broker.Inbox + "me"}); err != nil {
		t.Fatal(err)
	}
	want(t, got, "from them")
}
