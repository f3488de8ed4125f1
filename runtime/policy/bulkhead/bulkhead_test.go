package bulkhead

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestNeverMore(t *testing.T) {
	var b Bulkhead
	var inside, peak, refused atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				if !b.Enter(3) {
					refused.Add(1)
					continue
				}
				n := inside.Add(1)
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				inside.Add(-1)
				b.Leave()
			}
		})
	}
	wg.Wait()
	if peak.Load() > 3 || b.InFlight() != 0 {
		t.Errorf("%d at a time, %d left", peak.Load(), b.InFlight())
	}
}

func TestFullAndFreeAgain(t *testing.T) {
	var b Bulkhead
	if !b.Enter(1) || b.Enter(1) || b.Enter(1) {
		t.Error("one is one")
	}
	if b.Leave(); !b.Enter(1) {
		t.Error("free again")
	}
}
