//go:build unix

package amqp_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/internal/rabbit"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/amqp"
	"github.com/concordat-dev/concordat/runtime/broker/brokertest"
)

// shared is the server of all tests that do not harm it.
var shared rabbit.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	shared.Close()
	os.Exit(code)
}

func open(t *testing.T, url string, opts ...amqp.Option) *amqp.Broker {
	t.Helper()
	b, err := amqp.New(url, append([]amqp.Option{amqp.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
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
	url := shared.URL(t)
	brokertest.Run(t, brokertest.Features{Redelivers: true, Durable: true}, func(t *testing.T) broker.Broker { return open(t, url) })
}
