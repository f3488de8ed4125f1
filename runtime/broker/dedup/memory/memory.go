// Package memory remembers handled messages inside one process: duplicates that a broker
// delivers to it while it runs are recognised, those after a restart or at other processes
// are not.
//
// It imports runtime/broker/dedup and the standard library.
package memory

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker/dedup"
)

// DefaultLimit is how many messages a store remembers, unless said: about 25 MB.
const DefaultLimit = 100_000

// A Store implements dedup.Store.
type Store struct {
	limit int

	mu    sync.Mutex
	known map[string]*list.Element // of *entry
	done  list.List                // the oldest first; claims are in no list that forgets
}

// An entry is one message.
type entry struct {
	key, owner string
	done       bool
	until      time.Time
}

// New returns a store of at most limit messages; 0 is DefaultLimit. When it is full the
// oldest that was handled is forgotten first.
func New(limit int) *Store {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Store{limit: limit, known: map[string]*list.Element{}}
}

// Claim implements dedup.Store.
func (s *Store) Claim(_ context.Context, c dedup.Claim, lease time.Duration) (dedup.State, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.find(c.Key, now); e != nil {
		switch {
		case e.done:
			return dedup.Done, nil
		case e.owner != c.Owner:
			return dedup.Busy, nil
		}
		e.until = now.Add(lease)
		return dedup.Claimed, nil
	}
	if !s.room(now) {
		return 0, fmt.Errorf("dedup: all %d places of the store are taken by messages being handled; give memory.New a higher limit", s.limit)
	}
	s.known[c.Key] = &list.Element{Value: &entry{key: c.Key, owner: c.Owner, until: now.Add(lease)}}
	return dedup.Claimed, nil
}

// find returns what is known of key and not out of date.
func (s *Store) find(key string, now time.Time) *entry {
	el := s.known[key]
	if el == nil {
		return nil
	}
	e := el.Value.(*entry)
	if now.Before(e.until) {
		return e
	}
	s.forget(el)
	return nil
}

func (s *Store) forget(el *list.Element) {
	e := el.Value.(*entry)
	delete(s.known, e.key)
	if e.done {
		s.done.Remove(el)
	}
}

// room forgets what is out of date, and one message more where the store is full.
func (s *Store) room(now time.Time) bool {
	for el := s.done.Front(); el != nil; el = s.done.Front() {
		if now.Before(el.Value.(*entry).until) {
			break
		}
		s.forget(el)
	}
	if len(s.known) < s.limit {
		return true
	}
	if el := s.done.Front(); el != nil {
		s.forget(el)
		return true
	}
	for _, el := range s.known { // claims of handlers that were never settled
		if !now.Before(el.Value.(*entry).until) {
			s.forget(el)
			return true
		}
	}
	return false
}

// Extend implements dedup.Store.
func (s *Store) Extend(_ context.Context, c dedup.Claim, lease time.Duration) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(c.Key, now)
	if e == nil || e.owner != c.Owner || e.done {
		return dedup.ErrLost
	}
	e.until = now.Add(lease)
	return nil
}

// Done implements dedup.Store.
func (s *Store) Done(_ context.Context, c dedup.Claim, keep time.Duration) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(c.Key, now)
	switch {
	case e == nil || e.owner != c.Owner && !e.done:
		return dedup.ErrLost
	case e.done:
		return nil
	}
	e.done, e.until = true, now.Add(keep)
	s.known[c.Key] = s.done.PushBack(e)
	return nil
}

// Release implements dedup.Store.
func (s *Store) Release(_ context.Context, c dedup.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if el := s.known[c.Key]; el != nil {
		if e := el.Value.(*entry); e.owner == c.Owner && !e.done {
			s.forget(el)
		}
	}
	return nil
}

// Len returns how many messages are remembered.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.known)
}
