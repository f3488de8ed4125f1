// Package redis remembers handled messages in Redis, or what speaks its protocol, so that
// all programs of a group share what was handled. Redis forgets with the disk settings it
// has: with appendfsync everysec the last second may be lost with a machine, and a replica
// that takes over may not know the latest.
//
// It imports runtime/broker/dedup and go-redis.
package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/broker/dedup"
)

// DefaultPrefix begins the keys of a store, unless said.
const DefaultPrefix = "concordat:dedup:"

// A Store implements dedup.Store.
type Store struct {
	client redis.Scripter
	prefix string
}

// New returns a store that keeps its keys, which begin with prefix, by client: a Client, a
// ClusterClient or a Ring, which the caller configures and closes. An empty prefix is
// DefaultPrefix.
func New(client redis.Scripter, prefix string) *Store {
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return &Store{client, prefix}
}

// A key's value is "done", or "by " and the owner of the claim; Redis forgets it when its
// time is over. Each script looks and acts in one step, on one key, as a cluster needs it.
var (
	claim = redis.NewScript(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local v = redis.call('GET', KEYS[1])
if v == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 0 end
if v == 'done' then return 2 end
return 1`)
	extend = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)
	done = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
if v == 'done' then return 1 end
if v ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
return 1`)
	release = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)
)

func (s *Store) run(ctx context.Context, script *redis.Script, c dedup.Claim, d time.Duration) (int64, error) {
	n, err := script.Run(ctx, s.client, []string{s.prefix + c.Key}, "by "+c.Owner, max(1, d.Milliseconds())).Int64()
	if err != nil {
		return 0, fmt.Errorf("dedup in Redis: %w", err)
	}
	return n, nil
}

// Claim implements dedup.Store.
func (s *Store) Claim(ctx context.Context, c dedup.Claim, lease time.Duration) (dedup.State, error) {
	n, err := s.run(ctx, claim, c, lease)
	return dedup.State(n), err
}

// Extend implements dedup.Store.
func (s *Store) Extend(ctx context.Context, c dedup.Claim, lease time.Duration) error {
	return kept(s.run(ctx, extend, c, lease))
}

// Done implements dedup.Store.
func (s *Store) Done(ctx context.Context, c dedup.Claim, keep time.Duration) error {
	return kept(s.run(ctx, done, c, keep))
}

func kept(n int64, err error) error {
	if err == nil && n == 0 {
		return dedup.ErrLost
	}
	return err
}

// Release implements dedup.Store.
func (s *Store) Release(ctx context.Context, c dedup.Claim) error {
	_, err := s.run(ctx, release, c, 0)
	return err
}
