// Package postgres remembers handled messages in PostgreSQL, and marks them in the
// transaction of a handler's own effect: then nothing can come between the two, not even
// the end of the program.
//
// It imports runtime/broker/dedup and pgx.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/concordat-dev/concordat/runtime/broker/dedup"
)

// DefaultTable is where a store keeps its rows, unless said.
const DefaultTable = "concordat_dedup"

// A DB is what a store needs of a *pgxpool.Pool, which is what programs have.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// A Store implements dedup.Store.
type Store struct {
	db      DB
	table   string
	settled atomic.Uint64
}

// New returns a store in the named table, which may have a schema before a dot; "" is
// DefaultTable. Migrate makes the table. The caller closes db.
func New(db DB, table string) *Store { return &Store{db: db, table: quote(table)} }

func quote(table string) string {
	if table == "" {
		table = DefaultTable
	}
	return pgx.Identifier(splitName(table)).Sanitize()
}

func splitName(name string) []string {
	for i := range name {
		if name[i] == '.' {
			return []string{name[:i], name[i+1:]}
		}
	}
	return []string{name}
}

// Schema returns the SQL that makes the table, where it is not there, for who migrates by
// tools of their own.
func Schema(table string) string {
	return fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %[1]s (
	key   text PRIMARY KEY,
	owner text NOT NULL,
	done  boolean NOT NULL,
	until timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS %[2]s ON %[1]s (until);
`, quote(table), pgx.Identifier{splitName(unqualified(table))[0] + "_until"}.Sanitize())
}

func unqualified(table string) string {
	if table == "" {
		table = DefaultTable
	}
	parts := splitName(table)
	return parts[len(parts)-1]
}

// Migrate makes the table where it is not there. Several programs may do so at a time.
func Migrate(ctx context.Context, db DB, table string) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("dedup in PostgreSQL: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	// IF NOT EXISTS does not keep two at a time from failing.
	if _, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('concordat dedup'))`); err == nil {
		_, err = tx.Exec(ctx, Schema(table))
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	return explain(err)
}

// explain says what would help.
func explain(err error) error {
	if err == nil {
		return nil
	}
	help := ""
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42P01" {
		help = "; make the table by postgres.Migrate, or by what postgres.Schema returns"
	}
	return fmt.Errorf("dedup in PostgreSQL: %w%s", err, help)
}

// Claim implements dedup.Store.
func (s *Store) Claim(ctx context.Context, c dedup.Claim, lease time.Duration) (dedup.State, error) {
	tag, err := s.db.Exec(ctx, `INSERT INTO `+s.table+` AS d (key, owner, done, until)
VALUES ($1, $2, false, clock_timestamp() + $3) ON CONFLICT (key) DO UPDATE
SET owner = EXCLUDED.owner, done = false, until = EXCLUDED.until
WHERE d.until <= clock_timestamp() OR d.owner = EXCLUDED.owner AND NOT d.done`, c.Key, c.Owner, lease)
	if err != nil || tag.RowsAffected() > 0 {
		return dedup.Claimed, explain(err)
	}
	var done bool
	err = s.db.QueryRow(ctx, `SELECT done FROM `+s.table+` WHERE key = $1`, c.Key).Scan(&done)
	if done {
		return dedup.Done, nil
	}
	if errors.Is(err, pgx.ErrNoRows) { // given back just now
		err = nil
	}
	return dedup.Busy, explain(err)
}

// Extend implements dedup.Store. What InTx has marked meanwhile needs no extension.
func (s *Store) Extend(ctx context.Context, c dedup.Claim, lease time.Duration) error {
	return s.own(s.db.Exec(ctx, `UPDATE `+s.table+` SET until = CASE WHEN done THEN until ELSE clock_timestamp() + $3 END
WHERE key = $1 AND owner = $2`, c.Key, c.Owner, lease))
}

// Done implements dedup.Store.
func (s *Store) Done(ctx context.Context, c dedup.Claim, keep time.Duration) error {
	err := s.own(s.db.Exec(ctx, `UPDATE `+s.table+` SET done = true, until = CASE WHEN done THEN until ELSE clock_timestamp() + $3 END
WHERE key = $1 AND (owner = $2 OR done)`, c.Key, c.Owner, keep))
	if err == nil && s.settled.Add(1)%purgeEvery == 0 {
		_, _ = s.Purge(ctx) // else the next one will
	}
	return err
}

func (s *Store) own(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return dedup.ErrLost
	}
	return explain(err)
}

// Release implements dedup.Store.
func (s *Store) Release(ctx context.Context, c dedup.Claim) error {
	_, err := s.db.Exec(ctx, `DELETE FROM `+s.table+` WHERE key = $1 AND owner = $2 AND NOT done`, c.Key, c.Owner)
	return explain(err)
}

// A store deletes up to purgeAtMost rows that are out of date for every purgeEvery that it
// marks, so that the table does not grow.
const (
	purgeEvery  = 500
	purgeAtMost = 2000
)

// Purge deletes some rows that are out of date, and returns how many. Done calls it now and
// then, so programs need not.
func (s *Store) Purge(ctx context.Context) (int64, error) {
	tag, err := s.db.Exec(ctx, `DELETE FROM `+s.table+` WHERE key IN (SELECT key FROM `+s.table+`
WHERE until <= clock_timestamp() LIMIT $1 FOR UPDATE SKIP LOCKED)`, purgeAtMost)
	return tag.RowsAffected(), explain(err)
}

// InTx runs effect in a transaction that also marks the message being handled as handled:
// both happen, or neither. Its ctx is the handler's, and the server has WithDedup with this
// store. Where the message was marked before, in an attempt whose transaction did commit, it
// does nothing and returns nil; where the claim was lost to another program it rolls back
// and returns dedup.ErrLost, so that no effect comes twice, however slow a program is.
func (s *Store) InTx(ctx context.Context, effect func(ctx context.Context, tx pgx.Tx) error) error {
	c, keep, by, ok := dedup.ClaimOf(ctx)
	if !ok || by != dedup.Store(s) {
		return errors.New("dedup in PostgreSQL: InTx is called outside a handler whose server has WithDedup with this store, or for a message without an ID")
	}
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return explain(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var done bool
	err = tx.QueryRow(ctx, `SELECT done FROM `+s.table+` WHERE key = $1 AND (owner = $2 OR done)`, c.Key, c.Owner).Scan(&done)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return dedup.ErrLost
	case err != nil || done:
		return explain(err)
	}
	if err := effect(ctx, tx); err != nil {
		return err
	}
	// Last, so that the renewal of the claim does not wait for the effect.
	if err := s.own(tx.Exec(ctx, `UPDATE `+s.table+` SET done = true, until = clock_timestamp() + $3
WHERE key = $1 AND owner = $2 AND NOT done`, c.Key, c.Owner, keep)); err != nil {
		return err
	}
	return explain(tx.Commit(ctx))
}
