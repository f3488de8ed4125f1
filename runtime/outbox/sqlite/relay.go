package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/outbox"
)

// lease is how long the messages of a relay that died wait; one that lives renews it.
const lease = 3 * time.Second

// maxBatch is how many bytes of bodies are read at a time, unless one alone has more.
const maxBatch = 16 << 20

// Batch implements outbox.Store. One relay works at a time.
func (s *Store) Batch(ctx context.Context, limit int, send func(context.Context, []*outbox.Item)) (int, error) {
	var some bool // asked first, since looking costs nothing and taking the lease a write
	if err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+s.table+` WHERE dead_at IS NULL AND next_at <= ?1)`, now()).Scan(&some); err != nil || !some {
		return 0, explain(err)
	}
	mine, err := s.take(ctx)
	if err != nil || !mine {
		return 0, explain(err)
	}
	defer s.release(ctx)
	items, broken, err := s.read(ctx, limit)
	if err != nil || len(items)+len(broken) == 0 {
		return 0, explain(err)
	}
	if len(items) > 0 {
		held, stop := s.hold(ctx)
		send(held, items)
		stop()
	}
	items = append(items, broken...)
	return len(items), explain(s.note(ctx, items))
}

// take makes this store's relay the one that works, for as long as the lease is.
func (s *Store) take(ctx context.Context) (bool, error) {
	t := now()
	r, err := s.db.ExecContext(ctx, `UPDATE `+s.lease+` SET owner = ?1, until = ?2 WHERE one = 1 AND (owner = '' OR until <= ?3)`, s.owner, t+lease.Milliseconds(), t)
	return touched(r, err)
}

func touched(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// hold renews the lease; the context ends when it is lost, and no message is begun then.
func (s *Store) hold(ctx context.Context) (held context.Context, stop func()) {
	held, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(lease / 4)
		defer t.Stop()
		for last := time.Now(); ; {
			select {
			case <-held.Done():
				return
			case <-t.C:
			}
			r, err := s.db.ExecContext(held, `UPDATE `+s.lease+` SET until = ?2 WHERE one = 1 AND owner = ?1`, s.owner, now()+lease.Milliseconds())
			ok, err := touched(r, err)
			switch {
			case err == nil && ok:
				last = time.Now()
			case err == nil || time.Since(last) > lease/2:
				cancel()
				return
			}
		}
	}()
	return held, func() { cancel(); <-ended }
}

// release lets others work. One that cannot be told waits for the lease to end.
func (s *Store) release(ctx context.Context) {
	_, _ = s.db.ExecContext(ctx, `UPDATE `+s.lease+` SET owner = '' WHERE one = 1 AND owner = ?1`, s.owner)
}

// read returns what is due. What cannot be read is given up, or it would stand in the way
// for ever.
func (s *Store) read(ctx context.Context, limit int) (items, broken []*outbox.Item, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT seq, key, address, message_id, rest, body, attempts, error FROM `+s.table+` o
WHERE o.dead_at IS NULL AND o.next_at <= ?1 AND (o.key = '' OR NOT EXISTS (SELECT 1 FROM `+s.table+` w
	WHERE w.key = o.key AND w.seq < o.seq AND w.dead_at IS NULL AND w.attempts > 0 AND w.next_at > ?1))
ORDER BY o.seq LIMIT ?2`, now(), limit)
	if err != nil {
		return nil, nil, err
	}
	return scan(rows, maxBatch)
}

// scan reads rows until their bodies have room bytes.
func scan(rows *sql.Rows, room int) (items, broken []*outbox.Item, err error) {
	defer rows.Close()
	for room > 0 && rows.Next() {
		it, row, rest := new(outbox.Item), outbox.Row{}, ""
		if err := rows.Scan(&it.Seq, &row.Key, &row.Address, &row.ID, &rest, &row.Body, &it.Attempts, &it.Error); err != nil {
			return nil, nil, err
		}
		row.Rest = []byte(rest)
		room -= len(row.Body)
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
func (s *Store) note(ctx context.Context, items []*outbox.Item) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var sent []string
	for _, it := range items {
		switch it.Outcome {
		case outbox.Sent:
			sent = append(sent, fmt.Sprint(it.Seq))
		case outbox.Later:
			_, err = tx.ExecContext(ctx, `UPDATE `+s.table+` SET attempts = ?2, error = ?3, next_at = ?4 WHERE seq = ?1`,
				it.Seq, it.Attempts, it.Error, now()+it.After.Milliseconds())
		case outbox.Dead:
			_, err = tx.ExecContext(ctx, `UPDATE `+s.table+` SET attempts = ?2, error = ?3, dead_at = ?4 WHERE seq = ?1`, it.Seq, it.Attempts, it.Error, now())
		}
		if err != nil {
			return err
		}
	}
	if len(sent) > 0 {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+s.table+` WHERE seq IN (`+strings.Join(sent, ",")+`)`); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// look is how often a relay looks for new messages, since SQLite tells nobody of them.
const look = 50 * time.Millisecond

// Wait implements outbox.Store. SQLite tells nobody of what is written, so it only waits, briefly.
func (s *Store) Wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(min(d, look))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Rest implements outbox.Store.
func (s *Store) Rest() {}

// Backlog implements outbox.Store.
func (s *Store) Backlog(ctx context.Context) (due, dead int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE dead_at IS NULL), count(*) FILTER (WHERE dead_at IS NOT NULL) FROM `+s.table).Scan(&due, &dead)
	return due, dead, explain(err)
}

// Dead implements outbox.Store.
func (s *Store) Dead(ctx context.Context, limit int) ([]*outbox.Item, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT seq, key, address, message_id, rest, body, attempts, error FROM `+s.table+`
WHERE dead_at IS NOT NULL ORDER BY seq LIMIT ?1`, limit)
	if err != nil {
		return nil, explain(err)
	}
	items, broken, err := scan(rows, maxBatch)
	if err != nil {
		return nil, explain(err)
	}
	return append(items, broken...), nil
}

// Revive implements outbox.Store.
func (s *Store) Revive(ctx context.Context, seq ...int64) (n int64, err error) {
	which := `dead_at IS NOT NULL`
	if len(seq) > 0 {
		which += ` AND seq IN (` + strings.Trim(strings.ReplaceAll(fmt.Sprint(seq), " ", ","), "[]") + `)`
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, explain(err)
	}
	defer func() { _ = tx.Rollback() }()
	r, err := tx.ExecContext(ctx, `INSERT INTO `+s.table+` (key, address, message_id, rest, body, written_at)
SELECT key, address, message_id, rest, body, written_at FROM `+s.table+` WHERE `+which+` ORDER BY seq`)
	if err == nil {
		n, err = r.RowsAffected()
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM `+s.table+` WHERE `+which)
	}
	if err == nil {
		err = tx.Commit()
	}
	return n, explain(err)
}
