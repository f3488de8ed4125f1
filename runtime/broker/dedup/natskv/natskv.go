// Package natskv remembers handled messages in a key-value bucket of NATS, so that all
// programs of a group share what was handled.
//
// It imports runtime/broker/dedup and nats.go.
package natskv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/concordat-dev/concordat/runtime/broker/dedup"
)

// DefaultBucket is the bucket of a store, unless said.
const DefaultBucket = "concordat-dedup"

// A Store implements dedup.Store. An entry is "by", its owner and the lease, or "done" and
// the time until which that counts. Whether a lease ran out is told by who waits, whose own
// clock saw the entry unchanged for as long: the clocks of programs need not agree.
type Store struct {
	kv jetstream.KeyValue

	mu   sync.Mutex
	seen map[string]sight
}

// A sight is when a claim of somebody else was seen first.
type sight struct {
	revision uint64
	at       time.Time
	lease    time.Duration
}

// Open returns a store in the named bucket, which it makes where it is not there, to forget
// entries after keep: no duplicate is recognised after that, whatever dedup.Options say. ""
// is DefaultBucket, 0 is dedup.DefaultKeep.
func Open(ctx context.Context, js jetstream.JetStream, bucket string, keep time.Duration) (*Store, error) {
	if bucket == "" {
		bucket = DefaultBucket
	}
	if keep <= 0 {
		keep = dedup.DefaultKeep
	}
	kv, err := js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucket, TTL: keep, History: 1, Storage: jetstream.FileStorage, Description: "messages that were handled; made by concordat",
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // somebody else was as quick
			kv, err = js.KeyValue(ctx, bucket)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("dedup in NATS: bucket %s: %w", bucket, err)
	}
	return New(kv), nil
}

// New returns a store in a bucket that is there, whose TTL bounds what is remembered.
func New(kv jetstream.KeyValue) *Store { return &Store{kv: kv, seen: map[string]sight{}} }

// Claim implements dedup.Store.
func (s *Store) Claim(ctx context.Context, c dedup.Claim, lease time.Duration) (dedup.State, error) {
	value := claimed(c, lease)
	_, err := s.kv.Create(ctx, c.Key, value)
	if err == nil {
		s.forget(c.Key)
		return dedup.Claimed, nil
	}
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return 0, explain(err)
	}
	e, err := s.kv.Get(ctx, c.Key)
	if errors.Is(err, jetstream.ErrKeyNotFound) { // given back just now
		return dedup.Busy, nil
	}
	if err != nil {
		return 0, explain(err)
	}
	kind, owner, d := parse(e.Value())
	switch {
	case kind == "done" && time.Now().UnixMilli() < d:
		s.forget(c.Key)
		return dedup.Done, nil
	case kind == "by" && owner != c.Owner && !s.expired(e, time.Duration(d)*time.Millisecond):
		return dedup.Busy, nil
	}
	return s.take(ctx, e, value)
}

// take replaces what is out of date, or our own, unless somebody else is quicker.
func (s *Store) take(ctx context.Context, e jetstream.KeyValueEntry, value []byte) (dedup.State, error) {
	if _, err := s.kv.Update(ctx, e.Key(), value, e.Revision()); changed(err) {
		return dedup.Busy, nil
	} else if err != nil {
		return 0, explain(err)
	}
	s.forget(e.Key())
	return dedup.Claimed, nil
}

func claimed(c dedup.Claim, lease time.Duration) []byte {
	return fmt.Appendf(nil, "by %s %d", c.Owner, lease.Milliseconds())
}

// parse takes an entry apart; what it does not know is out of date.
func parse(value []byte) (kind, owner string, ms int64) {
	f := strings.Fields(string(value))
	if len(f) != 3 {
		return "", "", 0
	}
	ms, _ = strconv.ParseInt(f[2], 10, 64)
	return f[0], f[1], ms
}

// maxSeen bounds how many claims of others are watched at a time.
const maxSeen = 10_000

// expired says whether this program has seen a claim unchanged for as long as it lasts.
func (s *Store) expired(e jetstream.KeyValueEntry, lease time.Duration) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	first, ok := s.seen[e.Key()]
	if ok && first.revision == e.Revision() {
		return now.Sub(first.at) >= lease
	}
	if len(s.seen) >= maxSeen {
		for k, v := range s.seen {
			if now.Sub(v.at) > 2*v.lease || len(s.seen) >= maxSeen {
				delete(s.seen, k)
			}
		}
	}
	s.seen[e.Key()] = sight{e.Revision(), now, lease}
	return false
}

func (s *Store) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, key)
}

// changed says that an entry is not as it was read.
func changed(err error) bool {
	if errors.Is(err, jetstream.ErrKeyExists) {
		return true
	}
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

func explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("dedup in NATS: %w", err)
}

// change replaces c's entry by value; done says what to return where it is done.
func (s *Store) change(ctx context.Context, c dedup.Claim, value []byte, done error) error {
	e, err := s.kv.Get(ctx, c.Key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return dedup.ErrLost
	}
	if err != nil {
		return explain(err)
	}
	kind, owner, _ := parse(e.Value())
	switch {
	case kind == "done":
		return done
	case owner != c.Owner:
		return dedup.ErrLost
	case value == nil:
		err = s.kv.Delete(ctx, c.Key, jetstream.LastRevision(e.Revision()))
	default:
		_, err = s.kv.Update(ctx, c.Key, value, e.Revision())
	}
	if changed(err) {
		return dedup.ErrLost
	}
	return explain(err)
}

// Extend implements dedup.Store.
func (s *Store) Extend(ctx context.Context, c dedup.Claim, lease time.Duration) error {
	return s.change(ctx, c, claimed(c, lease), dedup.ErrLost)
}

// Done implements dedup.Store.
func (s *Store) Done(ctx context.Context, c dedup.Claim, keep time.Duration) error {
	return s.change(ctx, c, fmt.Appendf(nil, "done %s %d", c.Owner, time.Now().Add(keep).UnixMilli()), nil)
}

// Release implements dedup.Store.
func (s *Store) Release(ctx context.Context, c dedup.Claim) error {
	if err := s.change(ctx, c, nil, nil); err != nil && !errors.Is(err, dedup.ErrLost) {
		return err
	}
	return nil
}
