package eject

import (
	"math/rand/v2"
	"testing"
	"time"
)

func group(n int) (*Group, []*Host) {
	hosts := make([]*Host, n)
	for i := range hosts {
		hosts[i] = new(Host)
	}
	g := NewGroup(Default)
	g.Set(hosts)
	return g, hosts
}

func fail(g *Group, h *Host, now time.Duration, times int) (changed bool) {
	for range times {
		changed = g.Observe(h, now, false) || changed
	}
	return changed
}

func TestFiveInARowEject(t *testing.T) {
	g, h := group(3)
	for range 3 {
		if fail(g, h[0], 0, 4) {
			t.Fatal("four failures eject")
		}
		g.Observe(h[0], 0, true)
	}
	if !fail(g, h[0], 0, 5) || h[0].Live() {
		t.Fatal("five failures do not eject")
	}
	if fail(g, h[0], 0, 10) {
		t.Error("ejected twice")
	}
}

func TestEjectionsGrowAndAreForgiven(t *testing.T) {
	g, h := group(3)
	now := time.Duration(0)
	for n := 1; n <= 14; n++ {
		if !fail(g, h[0], now, 5) && n == 1 {
			t.Fatal("not ejected")
		}
		want := now + min(time.Duration(n)*5*time.Second, time.Minute)
		if g.Next() != want {
			t.Fatalf("ejection %d lasts until %v, want %v", n, g.Next(), want)
		}
		if due := g.Due(want - 1); len(due) != 0 {
			t.Fatal("due too early")
		}
		now = want
		if due := g.Due(now); len(due) != 1 || due[0] != h[0] || len(g.Due(now)) != 0 {
			t.Fatal("due once, when the time is over")
		}
		if g.Next() != Never {
			t.Error("a host that is being probed is due again")
		}
		g.Probed(h[0], now, n%2 == 0) // every second probe succeeds, and then two failures eject again
		if n%2 == 0 {
			if !h[0].Live() {
				t.Fatal("a probe that succeeds brings back")
			}
			if g.Observe(h[0], now, false) {
				t.Fatal("one failure on trial ejects")
			}
			g.Observe(h[0], now, true)
			if !g.Observe(h[0], now, false) {
				t.Fatal("two failures on trial do not eject")
			}
		}
	}
	g.Due(now + time.Hour)
	g.Probed(h[0], now, true)
	for range Default.Trial {
		g.Observe(h[0], now, true)
	}
	if fail(g, h[0], now, 4) {
		t.Error("after the trial it takes five failures again")
	}
	now += Default.Max + 1
	if !fail(g, h[0], now, 1) || g.Next() != now+5*time.Second {
		t.Errorf("old ejections are not forgiven: until %v", g.Next()-now)
	}
}

func TestAtMostHalf(t *testing.T) {
	for n, want := range map[int]int{1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 10: 5} {
		g, h := group(n)
		out := 0
		for i := range h {
			if fail(g, h[i], 0, 20) {
				out++
			}
		}
		if out != want {
			t.Errorf("%d of %d were ejected, want %d", out, n, want)
		}
		if g.Panic() {
			t.Errorf("%d of %d: panic", out, n)
		}
	}
}

func TestPanicWhenTheSetShrinks(t *testing.T) {
	g, h := group(4)
	fail(g, h[0], 0, 5)
	fail(g, h[1], 0, 5)
	g.Set(h[:3])
	if !g.Panic() {
		t.Error("one of three live is less than half")
	}
	g.Set(h[1:])
	if g.Panic() {
		t.Error("two of three live")
	}
	if h[1].Live() {
		t.Error("an update made the group forget")
	}
}

// Whatever happens in whatever order, the count of hosts that are out stays right.
func TestCountsStayRight(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	g, h := group(6)
	now := time.Duration(0)
	for range 20_000 {
		now += time.Duration(r.IntN(1000)) * time.Millisecond
		x := h[r.IntN(len(h))]
		switch r.IntN(4) {
		case 0:
			g.Observe(x, now, true)
		case 1:
			fail(g, x, now, 5)
		case 2:
			for _, d := range g.Due(now) {
				g.Probed(d, now, r.IntN(2) == 0)
			}
		case 3:
			g.Probed(x, now, true) // not asked for: must not count
		}
		out := 0
		for _, x := range h {
			if !x.Live() {
				out++
			}
		}
		if out != g.out || out > 3 {
			t.Fatalf("%d hosts are out, counted are %d", out, g.out)
		}
	}
}

// Every second call fails, so never five in a row: only the sweep notices.
func TestSweepNoticesTheGrey(t *testing.T) {
	for _, c := range []struct {
		fails, of, calls int
		out              bool
	}{
		{1, 2, 20, true}, {1, 2, 18, false}, {2, 5, 1000, false}, {3, 5, 25, true}, {0, 1, 1000, false},
	} {
		g, h := group(3)
		for i := range c.calls {
			g.Observe(h[0], 0, i%c.of >= c.fails)
		}
		if got := g.Sweep(time.Second); (len(got) == 1) != c.out || h[0].Live() == c.out {
			t.Errorf("%d of %d failed, %d calls: swept %d", c.fails, c.of, c.calls, len(got))
		}
	}
}

// What was counted is forgotten bit by bit, and what a host did before its ejection all
// at once.
func TestSweepForgets(t *testing.T) {
	g, h := group(3)
	for i := range 38 {
		g.Observe(h[0], 0, i%2 == 0)
		g.Observe(h[1], 0, i < 19)
	}
	fail(g, h[1], 0, 5)
	for _, x := range g.Due(time.Hour) {
		g.Probed(x, time.Hour, true)
	}
	if got := g.Sweep(time.Hour); len(got) != 1 || got[0] != h[0] {
		t.Errorf("swept %d hosts", len(got))
	}
	g, h = group(3)
	for i := range 18 {
		g.Observe(h[0], 0, i%2 == 0)
	}
	for n := range 10 {
		if len(g.Sweep(time.Duration(n)*time.Second)) > 0 {
			t.Fatal("too few samples eject")
		}
	}
	if v := h[0].window.Load(); v != 0 {
		t.Errorf("after ten sweeps %x is left", v)
	}
}

// Where nobody listens there is nothing to wait for.
func TestAbsentEjectsAtOnce(t *testing.T) {
	g, h := group(3)
	if !g.Absent(h[0], 0) || h[0].Live() {
		t.Error("a refused connection does not eject")
	}
	c := Default
	c.Absent = 2
	g = NewGroup(c)
	h = []*Host{new(Host), new(Host)}
	g.Set(h)
	for n := 1; n <= 3; n++ { // two, four, six
		if g.Absent(h[0], 0) != (n == 3) {
			t.Errorf("refused connection %d", n)
		}
	}
}

// An endpoint that left the set while it was probed is not counted any more.
func TestProbedAfterItLeft(t *testing.T) {
	g, h := group(4)
	fail(g, h[0], 0, 5)
	fail(g, h[1], 0, 5)
	g.Due(time.Hour)
	g.Set(h[1:])
	g.Probed(h[0], time.Hour, true)
	if g.out != 1 {
		t.Errorf("%d are counted as out, one is", g.out)
	}
}

// Of three hosts one may be out. When the second one fails, too, the first is asked at
// once whether it is well again.
func TestAFullHouseIsAskedEarly(t *testing.T) {
	g := NewGroup(Default)
	a, b, c := new(Host), new(Host), new(Host)
	g.Set([]*Host{a, b, c})
	if !g.Absent(a, 0) {
		t.Fatal("not ejected")
	}
	if g.Absent(b, 100*time.Millisecond) || g.Recalled() {
		t.Error("recalled sooner than Recall")
	}
	if g.Absent(b, 300*time.Millisecond) || !g.Recalled() || g.Next() != 300*time.Millisecond {
		t.Error("not recalled")
	}
	due := g.Due(300 * time.Millisecond)
	if len(due) != 1 || due[0] != a {
		t.Fatalf("%v", due)
	}
	g.Probed(a, 310*time.Millisecond, false)
	if got, want := g.Next(), 310*time.Millisecond+Default.Base; got != want {
		t.Errorf("in vain, it is out until %v, want %v: not for longer than before", got, want)
	}
	g.Absent(b, 600*time.Millisecond)
	g.Due(600 * time.Millisecond)
	g.Probed(a, 610*time.Millisecond, true)
	if !a.Live() || !g.Absent(b, 620*time.Millisecond) || b.Live() {
		t.Error("b takes the place that a left")
	}
}
