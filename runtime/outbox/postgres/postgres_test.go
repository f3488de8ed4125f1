//go:build unix

package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	server "github.com/concordat-dev/concordat/internal/postgres"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/outbox/outboxtest"
	"github.com/concordat-dev/concordat/runtime/outbox/postgres"
)

func open(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestPromises(t *testing.T) {
	url := server.Start(t)
	pool, n := open(t, url), 0
	if _, err := pool.Exec(t.Context(), `CREATE SCHEMA "Odd one"`); err != nil {
		t.Fatal(err)
	}
	outboxtest.Run(t, func(t *testing.T) outboxtest.Harness {
		n++
		table := fmt.Sprintf(`Odd one.out"box%d`, n)
		return harness(t, open(t, url), table, `"Odd one"."out""box`+fmt.Sprint(n)+`"`)
	})
}

func harness(t *testing.T, pool *pgxpool.Pool, table, quoted string) outboxtest.Harness {
	t.Helper()
	store := postgres.New(pool, table)
	if _, _, err := store.Backlog(t.Context()); err == nil || !strings.Contains(err.Error(), "postgres.Migrate") {
		t.Errorf("a table that is missing: %v", err)
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := postgres.Migrate(t.Context(), pool, table); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return outboxtest.Harness{Store: store, Broker: store.Broker(),
		Tx: func(ctx context.Context, f func(context.Context) error) error {
			return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return f(postgres.In(ctx, tx)) })
		},
		Spoil: func(ctx context.Context, id string) error {
			_, err := pool.Exec(ctx, `UPDATE `+quoted+` SET rest = '[]' WHERE message_id = $1`, id)
			return err
		},
	}
}

func TestOneTransaction(t *testing.T) {
	pool := open(t, server.Start(t))
	if err := postgres.Migrate(t.Context(), pool, ""); err != nil {
		t.Fatal(err)
	}
	store := postgres.New(pool, "")
	if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return store.BrokerOf(tx).Publish(t.Context(), &broker.Message{Address: "a"})
	}); err != nil {
		t.Fatal(err)
	}
	if due, dead, err := store.Backlog(t.Context()); due != 1 || dead != 0 || err != nil {
		t.Errorf("%d due, %d dead, %v", due, dead, err)
	}
}
