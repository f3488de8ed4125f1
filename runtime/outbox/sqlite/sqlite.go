// Package sqlite is an outbox in SQLite, for programs on one machine: messages are written
// by the caller's transaction of database/sql, and relays, one at a time, look for them.
//
// It imports runtime/broker, runtime/outbox and modernc.org/sqlite.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/outbox"
)

// DefaultTable is where a store keeps its messages, unless said.
const DefaultTable = "concordat_outbox"

// Open opens a database as an outbox needs it: with a write-ahead log, so that reading and
// writing go side by side, every commit on disk before it is over, and with patience for
// other writers. Programs may open theirs themselves, with the driver "sqlite".
func Open(path string) (*sql.DB, error) {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("outbox in SQLite: %w", err)
	}
	return db, nil
}

// A Store implements outbox.Store.
type Store struct {
	db    *sql.DB
	table string // quoted
	lease string // quoted
	owner string
}

// New returns a store in the named table; "" is DefaultTable. Migrate makes it. The caller
// closes db.
func New(db *sql.DB, table string) *Store {
	if table == "" {
		table = DefaultTable
	}
	return &Store{db: db, table: quote(table), lease: quote(table + "_relay"), owner: rand.Text()}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Schema returns the SQL that makes what a store needs, where it is not there, for who
// migrates by tools of their own.
func Schema(table string) string {
	if table == "" {
		table = DefaultTable
	}
	return fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %[1]s (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	key        TEXT NOT NULL,
	address    TEXT NOT NULL,
	message_id TEXT NOT NULL,
	rest       TEXT NOT NULL,
	body       BLOB NOT NULL,
	written_at INTEGER NOT NULL,
	attempts   INTEGER NOT NULL DEFAULT 0,
	error      TEXT NOT NULL DEFAULT '',
	next_at    INTEGER NOT NULL DEFAULT 0,
	dead_at    INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS %[3]s ON %[1]s (seq) WHERE dead_at IS NULL;
CREATE INDEX IF NOT EXISTS %[4]s ON %[1]s (key, seq) WHERE dead_at IS NULL AND attempts > 0;
CREATE TABLE IF NOT EXISTS %[2]s (one INTEGER PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
INSERT INTO %[2]s VALUES (1, '', 0) ON CONFLICT DO NOTHING;
`, quote(table), quote(table+"_relay"), quote(table+"_due"), quote(table+"_failed"))
}

// Migrate makes what a store needs, where it is not there.
func Migrate(ctx context.Context, db *sql.DB, table string) error {
	_, err := db.ExecContext(ctx, Schema(table))
	return explain(err)
}

// explain says what would help.
func explain(err error) error {
	if err == nil {
		return nil
	}
	help := ""
	switch text := err.Error(); {
	case strings.Contains(text, "no such table"):
		help = "; make the table by sqlite.Migrate, or by what sqlite.Schema returns"
	case strings.Contains(text, "SQLITE_BUSY"):
		help = "; another writer took too long: open the database by sqlite.Open, or give it a busy_timeout"
	}
	return fmt.Errorf("outbox in SQLite: %w%s", err, help)
}

// A Tx is what an outbox needs of a transaction: a *sql.Tx is one.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
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
			return errors.New("outbox in SQLite: no transaction to write the message in; publish with sqlite.In(ctx, tx)")
		}
		return s.write(ctx, tx, r)
	})
}

// BrokerOf returns what a connection publishes to that lives as long as one transaction.
func (s *Store) BrokerOf(tx Tx) broker.Broker {
	return outbox.NewBroker(func(ctx context.Context, r outbox.Row) error { return s.write(ctx, tx, r) })
}

func (s *Store) write(ctx context.Context, tx Tx, r outbox.Row) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO `+s.table+` (key, address, message_id, rest, body, written_at) VALUES (?, ?, ?, ?, ?, ?)`,
		r.Key, r.Address, r.ID, string(r.Rest), r.Body, now())
	return explain(err)
}

// now is the time as rows have it: milliseconds since 1970. All relays are on this machine.
func now() int64 { return time.Now().UnixMilli() }
