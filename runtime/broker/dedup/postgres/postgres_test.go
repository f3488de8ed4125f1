//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	server "github.com/concordat-dev/concordat/internal/postgres"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/deduptest"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/postgres"
)

func open(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), server.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestPostgres(t *testing.T) {
	pool := open(t)
	store := postgres.New(pool, "")
	if _, err := store.Claim(t.Context(), dedup.Claim{Key: "k", Owner: "o"}, time.Minute); err == nil || !strings.Contains(err.Error(), "postgres.Migrate") {
		t.Errorf("a table that is missing: %v", err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := postgres.Migrate(t.Context(), pool, ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	deduptest.Run(t, func(*testing.T) dedup.Store { return postgres.New(pool, "") })
	t.Run("Purge", func(t *testing.T) { purge(t, pool, store) })
	t.Run("InTx", func(t *testing.T) { inTx(t, pool, store) })
}

func purge(t *testing.T, pool *pgxpool.Pool, store *postgres.Store) {
	if _, err := pool.Exec(t.Context(), `INSERT INTO concordat_dedup SELECT 'old' || i, 'o', true, now() - interval '1 s' FROM generate_series(1, 10) i`); err != nil {
		t.Fatal(err)
	}
	if n, err := store.Purge(t.Context()); n < 10 || err != nil {
		t.Errorf("%d rows were deleted, %v", n, err)
	}
}

// An effect and its mark happen together, once, whatever goes wrong between them.
func inTx(t *testing.T, pool *pgxpool.Pool, store *postgres.Store) {
	if _, err := pool.Exec(t.Context(), `CREATE TABLE effects (id text)`); err != nil {
		t.Fatal(err)
	}
	effect := func(_ context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO effects VALUES ('x')`)
		return err
	}
	count := func(want int) {
		t.Helper()
		var n int
		if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM effects`).Scan(&n); err != nil || n != want {
			t.Errorf("%d effects, %v, want %d", n, err, want)
		}
	}
	if err := store.InTx(t.Context(), effect); err == nil {
		t.Error("an effect outside a handler")
	}
	m := &broker.Message{Address: "a", ID: "1"}
	around := dedup.Around(store, dedup.Options{Lease: time.Minute})
	handle := func(h broker.Handler) error {
		return around(t.Context(), broker.Subscription{Group: "tx"}, h)(t.Context(), m)
	}
	later := errors.New("later")
	if err := handle(func(ctx context.Context, _ *broker.Message) error {
		return store.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error { return errors.Join(effect(ctx, tx), later) })
	}); !errors.Is(err, later) {
		t.Errorf("got %v", err)
	}
	count(0)
	// It commits, but the handler fails behind that, and is asked again: as when a program
	// dies before it could acknowledge.
	if err := handle(func(ctx context.Context, _ *broker.Message) error { return errors.Join(store.InTx(ctx, effect), later) }); !errors.Is(err, later) {
		t.Errorf("got %v", err)
	}
	count(1)
	if err := handle(func(context.Context, *broker.Message) error { t.Error("handled again"); return nil }); err != nil {
		t.Error(err)
	}
	// Another takes the claim over, because this program slept: only the other's effect stays.
	m.ID = "2"
	if err := handle(func(ctx context.Context, _ *broker.Message) error {
		return store.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := pool.Exec(ctx, `UPDATE concordat_dedup SET owner = 'other' WHERE NOT done`); err != nil {
				return err
			}
			return effect(ctx, tx)
		})
	}); !errors.Is(err, dedup.ErrLost) {
		t.Errorf("got %v", err)
	}
	count(1)
}
