package budget

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTotalFailure(t *testing.T) {
	b := New(0)
	const calls = 10_000
	spent := 0
	for i := range calls {
		now := time.Duration(i) * time.Millisecond
		b.Call()
		for range 2 {
			if b.Spend(now) {
				spent++
			}
		}
	}
	if most := calls * 2 / 10; spent > most || spent < calls*15/100 {
		t.Errorf("%d retries of %d calls in ten seconds, want %d at most", spent, calls, most)
	}
}

func TestFewCallsMayBeRepeated(t *testing.T) {
	b := New(0)
	for b.Spend(0) { // empty it
	}
	for s := 1; s <= 5; s++ {
		now := time.Duration(s) * time.Second
		if !b.Spend(now) || b.Spend(now) {
			t.Fatalf("second %d: want exactly one", s)
		}
	}
	if b.Spend(5*time.Second + 999*time.Millisecond) {
		t.Error("one per second, no sooner")
	}
}

func TestQuietTimesSaveLittle(t *testing.T) {
	b := New(0)
	for range 1000 {
		b.Call()
	}
	n := 0
	for b.Spend(time.Hour) {
		n++
	}
	if n != Most/1000 {
		t.Errorf("%d saved, want %d", n, Most/1000)
	}
}

func TestManyAtOnce(t *testing.T) {
	b := New(0)
	var got atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if b.Spend(0) {
					got.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got.Load() != Start/1000 {
		t.Errorf("%d spent of %d", got.Load(), Start/1000)
	}
}

func TestARetryAfterARefusalCostsMore(t *testing.T) {
	b := New(0)
	n := 0
	for b.SpendRefused(0) {
		n++
	}
	if want := Start / 1000 / Refused; n != want {
		t.Errorf("%d retries after refusals, want %d", n, want)
	}
}
