package dedup_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/memory"
)

var quiet = slog.New(slog.DiscardHandler)

// once returns what handles messages of one group once.
func once(ctx context.Context, s dedup.Store, o dedup.Options, h broker.Handler) broker.Handler {
	o.Log = quiet
	return dedup.Around(s, o)(ctx, broker.Subscription{Group: "g"}, h)
}

func TestWhatIsADuplicate(t *testing.T) {
	n := 0
	h := once(t.Context(), memory.New(0), dedup.Options{}, func(context.Context, *broker.Message) error { n++; return nil })
	for _, c := range []struct {
		m    broker.Message
		want int
	}{
		{broker.Message{Address: "a", ID: "1"}, 1},
		{broker.Message{Address: "a", ID: "1"}, 1},
		{broker.Message{Address: "b", ID: "1"}, 2},
		{broker.Message{Address: "a", ID: "2"}, 3},
		{broker.Message{Address: "a"}, 4},
		{broker.Message{Address: "a"}, 5}, // without an ID nothing tells
		{broker.Message{Address: "a", ID: "1", Headers: map[string]string{broker.HeaderDelays: "1"}}, 6},
		{broker.Message{Address: "a", ID: "1", Headers: map[string]string{broker.HeaderReplays: "1"}}, 7},
		{broker.Message{Address: "a", ID: "1", Headers: map[string]string{"x": "y"}}, 7},
	} {
		if err := h(t.Context(), &c.m); err != nil || n != c.want {
			t.Errorf("%+v: handled %d times, %v, want %d", c.m, n, err, c.want)
		}
	}
}

// A duplicate that comes while the original is handled waits, and is handled if that fails.
func TestConcurrentDuplicates(t *testing.T) {
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			release, n := make(chan error), 0
			h := once(t.Context(), memory.New(0), dedup.Options{}, func(context.Context, *broker.Message) error {
				if n++; n == 1 {
					return <-release
				}
				return nil
			})
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { first <- h(t.Context(), &broker.Message{ID: "1"}) }()
			synctest.Wait()
			go func() { second <- h(t.Context(), &broker.Message{ID: "1"}) }()
			time.Sleep(5 * dedup.DefaultLease) // which the first renews
			if n != 1 {
				t.Fatal("both are handled at a time")
			}
			var cause error
			want := 1
			if fails {
				cause, want = errors.New("no"), 2
			}
			release <- cause
			if err := <-first; !errors.Is(err, cause) {
				t.Errorf("first: %v", err)
			}
			if err := <-second; err != nil || n != want {
				t.Errorf("second: %v, handled %d times", err, n)
			}
		})
	}
}

// What waits goes back to the broker when the subscription ends.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(0)
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		h := once(ctx, s, dedup.Options{}, func(context.Context, *broker.Message) error { <-release; return nil })
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- h(t.Context(), &broker.Message{ID: "1"}) }()
		synctest.Wait()
		go func() { second <- h(t.Context(), &broker.Message{ID: "1"}) }()
		synctest.Wait()
		cancel()
		if err := <-second; err == nil {
			t.Error("a message was acknowledged that nobody has handled yet")
		}
		close(release)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// A broken store fails as often as it is told to.
type broken struct {
	dedup.Store
	claims, dones int
	lost          bool
}

func (b *broken) Claim(ctx context.Context, c dedup.Claim, d time.Duration) (dedup.State, error) {
	if b.claims--; b.claims >= 0 {
		return 0, errors.New("away")
	}
	return b.Store.Claim(ctx, c, d)
}

func (b *broken) Done(ctx context.Context, c dedup.Claim, d time.Duration) error {
	if b.dones--; b.dones >= 0 {
		return errors.New("away")
	}
	return b.Store.Done(ctx, c, d)
}

func (b *broken) Extend(ctx context.Context, c dedup.Claim, d time.Duration) error {
	if b.lost {
		return dedup.ErrLost
	}
	return b.Store.Extend(ctx, c, d)
}

// While the store is away nothing is handled, and nothing lost.
func TestStoreComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := &broken{Store: memory.New(0), claims: 3, dones: 3}, 0
		h := once(t.Context(), s, dedup.Options{}, func(context.Context, *broker.Message) error {
			if n++; s.claims >= 0 {
				t.Error("handled without a claim")
			}
			return nil
		})
		for range 2 {
			if err := h(t.Context(), &broker.Message{ID: "1"}); err != nil || n != 1 {
				t.Errorf("%v, handled %d times", err, n)
			}
		}
	})
}

// Who lost the claim is told, so that it can stop.
func TestLostClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := once(t.Context(), &broken{Store: memory.New(0), lost: true}, dedup.Options{}, func(ctx context.Context, _ *broker.Message) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		if err := h(t.Context(), &broker.Message{ID: "1"}); !errors.Is(err, dedup.ErrLost) {
			t.Errorf("got %v", err)
		}
	})
}

// A handler that panics gives the message back.
func TestPanic(t *testing.T) {
	s, n := memory.New(0), 0
	h := once(t.Context(), s, dedup.Options{}, func(context.Context, *broker.Message) error {
		if n++; n == 1 {
			panic("oh")
		}
		return nil
	})
	func() {
		defer func() { _ = recover() }()
		_ = h(t.Context(), &broker.Message{ID: "1"})
	}()
	if err := h(t.Context(), &broker.Message{ID: "1"}); err != nil || n != 2 {
		t.Errorf("%v, handled %d times", err, n)
	}
}
