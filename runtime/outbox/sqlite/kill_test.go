package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/concordat-dev/concordat/internal/outboxkill"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/outbox"
	"github.com/concordat-dev/concordat/runtime/outbox/sqlite"
)

// TestRelayProcess is what TestKill starts and kills.
func TestRelayProcess(t *testing.T) {
	outboxkill.Relay(t, func(path string) (outbox.Store, error) {
		db, err := sqlite.Open(path)
		return sqlite.New(db, ""), err
	})
}

// Relays of two processes are killed again and again: nothing is lost, what comes twice has
// one effect, and the order of a key holds.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := sqlite.Migrate(t.Context(), db, ""); err != nil {
		t.Fatal(err)
	}
	store := sqlite.New(db, "")
	outboxkill.Run(t, path, 4, 2, func(ctx context.Context, batch []*broker.Message) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, m := range batch {
			if err := store.BrokerOf(tx).Publish(ctx, m); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}
