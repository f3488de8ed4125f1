package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/concordat-dev/concordat/runtime/outbox"
)

// maxBatch is how many bytes of bodies are read at a time, unless one alone has more.
const maxBatch = 16 << 20

// due says which rows of table o may be published: those that are not given up and wait
// for nothing, and have no earlier one of their key that waits.
func (s *Store) due() string {
	return `o.dead_at IS NULL AND o.next_at <= clock_timestamp() AND (o.key = '' OR NOT EXISTS (SELECT FROM ` + s.table + ` w
WHERE w.key = o.key AND w.seq < o.seq AND w.dead_at IS NULL AND w.attempts > 0 AND w.next_at > clock_timestamp()))`
}

// Batch implements outbox.Store. The lane's lock ends with the transaction, and so with the
// relay's connection; one that hangs loses it after a minute.
func (s *Store) Batch(ctx context.Context, limit int, send func(context.Context, []*outbox.Item)) (n int, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		lane, ok, err := s.lock(ctx, tx)
		if err != nil || !ok {
			return err
		}
		items, broken, err := s.read(ctx, tx, lane, limit)
		if err != nil {
			return err
		}
		n = len(items) + len(broken)
		send(ctx, items)
		return s.note(ctx, tx, append(items, broken...))
	})
	return n, explain(err)
}

// lock takes a lane that has something due and that nobody else works on.
func (s *Store) lock(ctx context.Context, tx pgx.Tx) (lane int16, ok bool, err error) {
	if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = '60s'`); err != nil {
		return 0, false, err
	}
	rows, err := tx.Query(ctx, `SELECT l.lane FROM `+s.lanes+` l WHERE EXISTS (SELECT FROM `+s.table+` o WHERE o.lane = l.lane AND `+s.due()+`)
ORDER BY random() LIMIT 1 FOR UPDATE OF l SKIP LOCKED`)
	if err != nil {
		return 0, false, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int16])
	if err != nil || len(found) == 0 {
		return 0, false, err
	}
	return found[0], true, nil
}

// read returns what is due in a lane. What cannot be read is given up, or it would stand in
// the way for ever.
func (s *Store) read(ctx context.Context, tx pgx.Tx, lane int16, limit int) (items, broken []*outbox.Item, err error) {
	rows, err := tx.Query(ctx, `SELECT seq, key, address, message_id, rest, body, attempts, error FROM (
	SELECT o.*, sum(octet_length(body)) OVER (ORDER BY seq) AS bytes, row_number() OVER (ORDER BY seq) AS n
	FROM (SELECT * FROM `+s.table+` o WHERE o.lane = $1 AND `+s.due()+` ORDER BY seq LIMIT $2) o) o
WHERE bytes <= $3 OR n = 1 ORDER BY seq`, lane, limit, maxBatch)
	if err != nil {
		return nil, nil, err
	}
	return scan(rows)
}

func scan(rows pgx.Rows) (items, broken []*outbox.Item, err error) {
	defer rows.Close()
	for rows.Next() {
		it, row := new(outbox.Item), outbox.Row{}
		if err := rows.Scan(&it.Seq, &row.Key, &row.Address, &row.ID, &row.Rest, &row.Body, &it.Attempts, &it.Error); err != nil {
			return nil, nil, err
		}
		if it.Message, err = row.Message(); err != nil {
			it.Outcome, it.Error = outbox.Dead, err.Error()
			broken = append(broken, it)
			continue
		}
		items = append(items, it)
	}
	return items, broken, rows.Err()
}

// note writes down what became of items.
func (s *Store) note(ctx context.Context, tx pgx.Tx, items []*outbox.Item) error {
	var sent []int64
	var b pgx.Batch
	for _, it := range items {
		switch it.Outcome {
		case outbox.Sent:
			sent = append(sent, it.Seq)
		case outbox.Later:
			b.Queue(`UPDATE `+s.table+` SET attempts = $2, error = $3, next_at = clock_timestamp() + $4 WHERE seq = $1`, it.Seq, it.Attempts, it.Error, it.After)
		case outbox.Dead:
			b.Queue(`UPDATE `+s.table+` SET attempts = $2, error = $3, dead_at = clock_timestamp() WHERE seq = $1`, it.Seq, it.Attempts, it.Error)
		}
	}
	if len(sent) > 0 {
		b.Queue(`DELETE FROM `+s.table+` WHERE seq = ANY($1)`, sent)
	}
	return tx.SendBatch(ctx, &b).Close()
}

// Backlog implements outbox.Store.
func (s *Store) Backlog(ctx context.Context) (due, dead int64, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FILTER (WHERE dead_at IS NULL), count(*) FILTER (WHERE dead_at IS NOT NULL) FROM `+s.table).Scan(&due, &dead)
	return due, dead, explain(err)
}

// Dead implements outbox.Store.
func (s *Store) Dead(ctx context.Context, limit int) ([]*outbox.Item, error) {
	rows, err := s.pool.Query(ctx, `SELECT seq, key, address, message_id, rest, body, attempts, error FROM `+s.table+`
WHERE dead_at IS NOT NULL ORDER BY seq LIMIT $1`, limit)
	if err != nil {
		return nil, explain(err)
	}
	items, broken, err := scan(rows)
	if err != nil {
		return nil, explain(err)
	}
	return append(items, broken...), nil
}

// Revive implements outbox.Store.
func (s *Store) Revive(ctx context.Context, seq ...int64) (int64, error) {
	tag, err := s.pool.Exec(ctx, `WITH gone AS (DELETE FROM `+s.table+` WHERE dead_at IS NOT NULL AND ($1::bigint[] IS NULL OR seq = ANY($1)) RETURNING *),
told AS (SELECT pg_notify($2, ''))
INSERT INTO `+s.table+` (lane, key, address, message_id, rest, body, written_at)
SELECT lane, key, address, message_id, rest, body, written_at FROM gone, told ORDER BY seq`, seq, s.channel)
	return tag.RowsAffected(), explain(err)
}

// ears listen for what is written, on a connection of their own.
type ears struct {
	mu   sync.Mutex
	conn *pgx.Conn // nil: none
}

// Wait implements outbox.Store, by LISTEN on a connection of its own, which Rest closes.
// Where several relays share the store one of them listens; the others poll.
func (s *Store) Wait(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if !s.ears.mu.TryLock() {
		<-ctx.Done()
		return
	}
	defer s.ears.mu.Unlock()
	if s.ears.conn == nil {
		if s.listen(ctx) != nil {
			<-ctx.Done()
		}
		return // what was written before one listened is found at once
	}
	if _, err := s.ears.conn.WaitForNotification(ctx); err != nil && ctx.Err() == nil {
		s.deafen() // the connection is broken; the next Wait makes another
	}
}

func (s *Store) listen(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	s.ears.conn = conn.Hijack() // or the pool could not be closed
	if _, err := s.ears.conn.Exec(ctx, `LISTEN `+pgx.Identifier{s.channel}.Sanitize()); err != nil {
		s.deafen()
		return err
	}
	return nil
}

func (s *Store) deafen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.ears.conn.Close(ctx) // it has nothing to lose
	s.ears.conn = nil
}

// Rest implements outbox.Store.
func (s *Store) Rest() {
	if !s.ears.mu.TryLock() {
		return // another relay listens
	}
	defer s.ears.mu.Unlock()
	if s.ears.conn != nil {
		s.deafen()
	}
}
