// Package postgres is an outbox in PostgreSQL: messages are written by the caller's
// transaction of pgx, and relays are told of them by NOTIFY.
//
// It imports runtime/broker, runtime/outbox and pgx.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/outbox"
)

// DefaultTable is where a store keeps its messages, unless said.
const DefaultTable = "concordat_outbox"

// A Store implements outbox.Store.
type Store struct {
	pool    *pgxpool.Pool
	table   string // quoted
	lanes   string // quoted
	channel string // of NOTIFY
	ears    ears
}

// New returns a store in the named table, which may have a schema before a dot; "" is
// DefaultTable. Migrate makes it. The caller closes pool.
func New(pool *pgxpool.Pool, table string) *Store {
	n := namesOf(table)
	return &Store{pool: pool, table: n.table, lanes: n.lanes, channel: n.channel}
}

// names are those that a table gives rise to.
type names struct{ table, lanes, due, failed, channel string }

func namesOf(table string) names {
	if table == "" {
		table = DefaultTable
	}
	schema, name, found := strings.Cut(table, ".")
	if !found {
		schema, name = "", table
	}
	in := func(name string) string {
		if schema == "" {
			return pgx.Identifier{name}.Sanitize()
		}
		return pgx.Identifier{schema, name}.Sanitize()
	}
	index := func(what string) string { return pgx.Identifier{name + what}.Sanitize() }
	return names{in(name), in(name + "_lane"), index("_due"), index("_failed"), table}
}

// Schema returns the SQL that makes what a store needs, where it is not there, for who
// migrates by tools of their own.
func Schema(table string) string {
	n := namesOf(table)
	return fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %[1]s (
	seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	lane       smallint NOT NULL,
	key        text NOT NULL,
	address    text NOT NULL,
	message_id text NOT NULL,
	rest       jsonb NOT NULL,
	body       bytea NOT NULL,
	written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	attempts   integer NOT NULL DEFAULT 0,
	error      text NOT NULL DEFAULT '',
	next_at    timestamptz NOT NULL DEFAULT '-infinity',
	dead_at    timestamptz
);
CREATE INDEX IF NOT EXISTS %[3]s ON %[1]s (lane, seq) WHERE dead_at IS NULL;
CREATE INDEX IF NOT EXISTS %[4]s ON %[1]s (key, seq) WHERE dead_at IS NULL AND attempts > 0;
CREATE TABLE IF NOT EXISTS %[2]s (lane smallint PRIMARY KEY);
INSERT INTO %[2]s SELECT generate_series(0, %[5]d) ON CONFLICT DO NOTHING;
`, n.table, n.lanes, n.due, n.failed, outbox.Lanes-1)
}

// Migrate makes what a store needs, where it is not there. Several programs may do so at a
// time.
func Migrate(ctx context.Context, pool *pgxpool.Pool, table string) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// IF NOT EXISTS does not keep two at a time from failing.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('concordat outbox'))`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, Schema(table))
		return err
	})
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
	return fmt.Errorf("outbox in PostgreSQL: %w%s", err, help)
}

// A Tx is what an outbox needs of a transaction: a pgx.Tx is one.
type Tx interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

type txKey struct{}

// In returns a context in which what a store's Broker publishes is written by tx.
func In(ctx context.Context, tx Tx) context.Context { return context.WithValue(ctx, txKey{}, tx) }

// Broker returns what a connection publishes to (concordat.NewBrokerConn) so that messages
// are written by the transaction that In puts into the context. Without one it fails: the
// message would not be tied to anything.
func (s *Store) Broker() broker.Broker {
	return outbox.NewBroker(func(ctx context.Context, r outbox.Row) error {
		tx, ok := ctx.Value(txKey{}).(Tx)
		if !ok {
			return errors.New("outbox in PostgreSQL: no transaction to write the message in; publish with postgres.In(ctx, tx)")
		}
		return s.write(ctx, tx, r)
	})
}

// BrokerOf returns what a connection publishes to that lives as long as one transaction.
func (s *Store) BrokerOf(tx Tx) broker.Broker {
	return outbox.NewBroker(func(ctx context.Context, r outbox.Row) error { return s.write(ctx, tx, r) })
}

// write adds a row, and tells relays of it when the transaction commits.
func (s *Store) write(ctx context.Context, tx Tx, r outbox.Row) error {
	_, err := tx.Exec(ctx, `WITH told AS (SELECT pg_notify($7, ''))
INSERT INTO `+s.table+` (lane, key, address, message_id, rest, body) SELECT $1, $2, $3, $4, $5, $6 FROM told`,
		r.Lane, r.Key, r.Address, r.ID, r.Rest, r.Body, s.channel)
	return explain(err)
}
