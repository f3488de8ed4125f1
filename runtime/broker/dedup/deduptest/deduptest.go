// Package deduptest holds every store of dedup to the same promises: Run is the suite that
// each store's own tests call, and that a store of your own may call, too.
//
// It imports runtime/broker, runtime/broker/dedup, runtime/broker/memory and the standard
// library.
package deduptest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// Run holds the stores that open returns, which all must share what they remember.
func Run(t *testing.T, open func(t *testing.T) dedup.Store) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) dedup.Store){
		"TwoSteps": twoSteps, "Release": release, "Lease": lease, "Keep": keep, "OneWins": oneWins, "Messages": messages,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func fresh() (a, b dedup.Claim) {
	key := rand.Text() + rand.Text()[:17]
	return dedup.Claim{Key: key, Owner: rand.Text()}, dedup.Claim{Key: key, Owner: rand.Text()}
}

func claim(t *testing.T, s dedup.Store, c dedup.Claim, lease time.Duration, want dedup.State) {
	t.Helper()
	if got, err := s.Claim(t.Context(), c, lease); got != want || err != nil {
		t.Fatalf("claimed: %d, %v, want %d", got, err, want)
	}
}

func twoSteps(t *testing.T, open func(*testing.T) dedup.Store) {
	s, other := open(t), open(t)
	a, b := fresh()
	claim(t, s, a, time.Minute, dedup.Claimed)
	claim(t, s, a, time.Minute, dedup.Claimed) // again, where the first answer was lost
	claim(t, other, b, time.Minute, dedup.Busy)
	if err := other.Done(t.Context(), b, time.Minute); !errors.Is(err, dedup.ErrLost) {
		t.Errorf("one without a claim is done: %v", err)
	}
	if err := other.Extend(t.Context(), b, time.Minute); !errors.Is(err, dedup.ErrLost) {
		t.Errorf("one without a claim extends: %v", err)
	}
	if err := errors.Join(s.Extend(t.Context(), a, time.Minute), s.Done(t.Context(), a, time.Minute), s.Done(t.Context(), a, time.Minute)); err != nil {
		t.Error(err)
	}
	claim(t, other, b, time.Minute, dedup.Done)
	claim(t, s, a, time.Minute, dedup.Done)
	if err := errors.Join(s.Release(t.Context(), a), other.Release(t.Context(), b)); err != nil {
		t.Error(err)
	}
	claim(t, other, b, time.Minute, dedup.Done) // what is done stays so
}

func release(t *testing.T, open func(*testing.T) dedup.Store) {
	s := open(t)
	a, b := fresh()
	claim(t, s, a, time.Minute, dedup.Claimed)
	if err := s.Release(t.Context(), b); err != nil {
		t.Error(err)
	}
	claim(t, s, b, time.Minute, dedup.Busy)
	if err := errors.Join(s.Release(t.Context(), a), s.Release(t.Context(), a)); err != nil {
		t.Error(err)
	}
	claim(t, s, b, time.Minute, dedup.Claimed)
}

// A claim whose program died ends by itself, and then it is another's.
func lease(t *testing.T, open func(*testing.T) dedup.Store) {
	s := open(t)
	a, b := fresh()
	claim(t, s, a, 200*time.Millisecond, dedup.Claimed)
	until(t, func() bool {
		got, err := s.Claim(t.Context(), b, time.Minute)
		return err == nil && got == dedup.Claimed
	})
	if err := s.Extend(t.Context(), a, time.Minute); !errors.Is(err, dedup.ErrLost) {
		t.Errorf("extended a lost claim: %v", err)
	}
	if err := s.Done(t.Context(), a, time.Minute); !errors.Is(err, dedup.ErrLost) {
		t.Errorf("a lost claim is done: %v", err)
	}
	if err := errors.Join(s.Release(t.Context(), a), s.Done(t.Context(), b, time.Minute)); err != nil {
		t.Error(err)
	}
}

// What was handled is forgotten in the end.
func keep(t *testing.T, open func(*testing.T) dedup.Store) {
	s := open(t)
	a, b := fresh()
	claim(t, s, a, time.Minute, dedup.Claimed)
	if err := s.Done(t.Context(), a, 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		got, err := s.Claim(t.Context(), b, time.Minute)
		return err == nil && got == dedup.Claimed
	})
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came to that")
		}
	}
}

func oneWins(t *testing.T, open func(*testing.T) dedup.Store) {
	const n = 16
	s := open(t)
	a, _ := fresh()
	var won atomic.Int32
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			got, err := s.Claim(t.Context(), dedup.Claim{Key: a.Key, Owner: rand.Text()}, time.Minute)
			if err != nil {
				t.Error(err)
			}
			if err == nil && got == dedup.Claimed {
				won.Add(1)
			}
		})
	}
	if all.Wait(); won.Load() != 1 {
		t.Errorf("%d have the claim", won.Load())
	}
}

// Two subscribers of one group get every message three times, some fail at first: each has
// its effect once.
func messages(t *testing.T, open func(*testing.T) dedup.Store) {
	const n = 40
	b := memory.New()
	group := rand.Text()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	effects, failed := map[string]int{}, map[string]bool{}
	all := make(chan struct{}, 3*n)
	var live sync.WaitGroup
	for range 2 {
		p := broker.Policy{Backoff: time.Millisecond, Around: dedup.Around(open(t), dedup.Options{})}
		live.Go(func() {
			s := broker.Subscription{Address: "effects/{id}", Group: group, Concurrency: 8}
			err := broker.Consume(ctx, b, s, p, func(_ context.Context, m *broker.Message) error {
				mu.Lock()
				defer mu.Unlock()
				if !failed[m.ID] && m.ID[0] == '1' {
					failed[m.ID] = true
					return errors.New("not now")
				}
				effects[m.ID]++
				all <- struct{}{}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 3 * n {
		id := fmt.Sprint(i % n)
		if err := b.Publish(ctx, &broker.Message{Address: "effects/" + id, ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		select {
		case <-all:
		case <-time.After(patience):
			t.Fatal("not all were handled")
		}
	}
	cancel()
	live.Wait()
	if len(effects) != n || len(all) > 0 {
		t.Errorf("%d messages, %d effects too many", len(effects), len(all))
	}
}
