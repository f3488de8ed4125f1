package kafka_test

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/brokertest"
	"github.com/concordat-dev/concordat/runtime/broker/kafka"
	"github.com/concordat-dev/concordat/runtime/broker/kafka/kafkaembed"
)

func start(t *testing.T, o kafkaembed.Options) *kafkaembed.Server {
	t.Helper()
	s, err := kafkaembed.Start(o)
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

func open(t *testing.T, url string, opts ...kafka.Option) *kafka.Broker {
	t.Helper()
	b, err := kafka.New(url, append([]kafka.Option{
		kafka.WithLogger(slog.New(slog.DiscardHandler)),
		kafka.WithOptions(kgo.HeartbeatInterval(100*time.Millisecond), kgo.FetchMaxWait(200*time.Millisecond)),
	}, opts...)...)
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
	dir := t.TempDir()
	s, err := kafkaembed.Start(kafkaembed.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	url := s.URL()
	f := brokertest.Features{Keeps: true, Redelivers: true, Durable: true, Disrupt: func(t *testing.T) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		port, err := strconv.Atoi(url[strings.LastIndex(url, ":")+1:])
		if err != nil {
			t.Fatal(err)
		}
		if s, err = kafkaembed.Start(kafkaembed.Options{Dir: dir, Port: port}); err != nil {
			t.Fatal(err)
		}
	}}
	brokertest.Run(t, f, func(t *testing.T) broker.Broker { return open(t, url) })
}
