package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/outbox/outboxtest"
	"github.com/concordat-dev/concordat/runtime/outbox/sqlite"
)

func TestPromises(t *testing.T) {
	outboxtest.Run(t, func(t *testing.T) outboxtest.Harness {
		db, err := sqlite.Open(filepath.Join(t.TempDir(), "a file? of #me.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if err := sqlite.Migrate(t.Context(), db, ""); err != nil {
			t.Fatal(err)
		}
		store := sqlite.New(db, "")
		return outboxtest.Harness{Store: store, Broker: store.Broker(),
			Tx: func(ctx context.Context, f func(context.Context) error) error {
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				if err := f(sqlite.In(ctx, tx)); err != nil {
					_ = tx.Rollback()
					return err
				}
				return tx.Commit()
			},
			Spoil: func(ctx context.Context, id string) error {
				_, err := db.ExecContext(ctx, `UPDATE concordat_outbox SET rest = 'x' WHERE message_id = ?`, id)
				return err
			},
		}
	})
}

func TestMissingTable(t *testing.T) {
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := sqlite.New(db, `odd "name`)
	if _, err := store.Dead(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "sqlite.Migrate") {
		t.Errorf("got %v", err)
	}
	for range 2 {
		if err := sqlite.Migrate(t.Context(), db, `odd "name`); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := store.BrokerOf(tx).Publish(t.Context(), &broker.Message{Address: "a"}); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if due, _, err := store.Backlog(t.Context()); due != 1 || err != nil {
		t.Errorf("%d are due, %v", due, err)
	}
}
