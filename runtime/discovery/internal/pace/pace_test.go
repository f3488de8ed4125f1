package pace

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoff(t *testing.T) {
	b := Backoff{First: time.Second, Last: 10 * time.Second}
	for round := range 2 {
		for i, full := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second} {
			if d := b.Next(); d < full/2 || d > full {
				t.Errorf("round %d, failure %d: %v", round, i+1, d)
			}
		}
		b.Reset()
	}
	for range 200 { // shifting must not overflow
		if d := b.Next(); d <= 0 || d > b.Last {
			t.Fatal(d)
		}
	}
}

func TestJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := Jitter(time.Second)
		if d < 900*time.Millisecond || d > 1100*time.Millisecond {
			t.Fatal(d)
		}
		seen[d] = true
	}
	if len(seen) < 50 || Jitter(0) != 0 {
		t.Error(len(seen))
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		if !Sleep(ctx, time.Minute) || Sleep(ctx, time.Minute) || Sleep(ctx, 0) {
			t.Error("a pause is whole, or says that it was not")
		}
	})
}
