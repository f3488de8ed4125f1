package natskv_test

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/deduptest"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/natskv"
	"github.com/concordat-dev/concordat/runtime/broker/nats/natsembed"
)

func TestPromises(t *testing.T) {
	s, err := natsembed.Start(natsembed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	conn, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	deduptest.Run(t, func(t *testing.T) dedup.Store {
		s, err := natskv.Open(t.Context(), js, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
