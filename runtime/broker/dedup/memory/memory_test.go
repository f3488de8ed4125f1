package memory_test

import (
	"crypto/rand"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/deduptest"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/memory"
)

func TestPromises(t *testing.T) {
	shared := map[string]*memory.Store{}
	deduptest.Run(t, func(t *testing.T) dedup.Store {
		if shared[t.Name()] == nil {
			shared[t.Name()] = memory.New(0)
		}
		return shared[t.Name()]
	})
}

// A store forgets the oldest that was handled when it is full, never what is being handled,
// and whatever is out of date.
func TestBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(3)
		handle := func(key string, done bool) error {
			c := dedup.Claim{Key: key, Owner: rand.Text()}
			state, err := s.Claim(t.Context(), c, time.Minute)
			if err == nil && state == dedup.Claimed && done {
				err = s.Done(t.Context(), c, time.Hour)
			}
			return err
		}
		for _, key := range []string{"a", "b", "c", "d"} {
			if err := handle(key, true); err != nil {
				t.Fatal(err)
			}
		}
		if state, err := s.Claim(t.Context(), dedup.Claim{Key: "b"}, time.Minute); state != dedup.Done || err != nil || s.Len() != 3 {
			t.Errorf("b is %d, %v, %d are remembered", state, err, s.Len())
		}
		for _, key := range []string{"x", "y", "z"} {
			if err := handle(key, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := handle("more", false); err == nil {
			t.Error("a claim was forgotten, or more are remembered than may be")
		}
		time.Sleep(2 * time.Minute)
		if err := handle("more", false); err != nil {
			t.Errorf("claims that ran out take places: %v", err)
		}
	})
}
