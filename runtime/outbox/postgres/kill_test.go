//go:build unix

package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/concordat-dev/concordat/internal/outboxkill"
	server "github.com/concordat-dev/concordat/internal/postgres"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/outbox"
	"github.com/concordat-dev/concordat/runtime/outbox/postgres"
)

// TestRelayProcess is what TestKill starts and kills.
func TestRelayProcess(t *testing.T) {
	outboxkill.Relay(t, func(url string) (outbox.Store, error) {
		pool, err := pgxpool.New(context.Background(), url)
		return postgres.New(pool, ""), err
	})
}

// Relays of three processes are killed again and again: nothing is lost, what comes twice
// has one effect, and the order of a key holds.
func TestKill(t *testing.T) {
	url := server.Start(t)
	pool := open(t, url)
	if err := postgres.Migrate(t.Context(), pool, ""); err != nil {
		t.Fatal(err)
	}
	store := postgres.New(pool, "")
	outboxkill.Run(t, url, 10, 3, func(ctx context.Context, batch []*broker.Message) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			for _, m := range batch {
				if err := store.BrokerOf(tx).Publish(ctx, m); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
