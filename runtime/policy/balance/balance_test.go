package balance

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// hosts returns hosts by address; "b@west" is in zone west.
func hosts(addrs ...string) (all []*Host) {
	for _, a := range addrs {
		h := &Host{Addr: a[:1]}
		if len(a) > 2 {
			h.Zone = a[2:]
		}
		all = append(all, h)
	}
	return all
}

func group(c Config, addrs ...string) *Group {
	g := New(c)
	g.Update(0, hosts(addrs...))
	return g
}

// share makes n calls that take so long by address, one at a time, and returns the shares.
func share(g *Group, now *time.Duration, n int, key uint64, took func(addr string) (time.Duration, Outcome)) map[string]float64 {
	r, hits := rand.New(rand.NewPCG(1, 2)), map[string]float64{}
	for range n {
		h := g.Set().Pick(*now, nil, r.Uint64(), key)
		d, o := took(h.Addr)
		*now += d
		g.Done(*now, h, d, o)
		hits[h.Addr] += 1 / float64(n)
	}
	return hits
}

func even(string) (time.Duration, Outcome) { return ms, Good }

func TestUpdateKeepsWhatIsKnown(t *testing.T) {
	g := group(Default, "a", "b")
	a := g.Set().All[0]
	a.Load.Seed(0, time.Minute)
	for range 5 {
		g.Done(0, g.Set().All[1], ms, Bad)
	}
	g.Update(0, hosts("c", "b", "a"))
	s := g.Set()
	if s.All[2].State != a.State {
		t.Error("the state of an endpoint that stayed is lost")
	}
	if s.All[0].Load.Latency(0) < 10*time.Second {
		t.Error("a new endpoint starts as if it were faster than all others")
	}
	if len(s.Live) != 2 || slices.Contains(s.Live, s.All[1]) {
		t.Error("an update brings back what was ejected")
	}
	g.Close()
	g.Update(0, hosts("d"))
	if g.Set() != nil {
		t.Error("a closed group came back")
	}
}

func TestRejectionsDoNotEject(t *testing.T) {
	g := group(Default, "a", "b", "c")
	now := time.Duration(0)
	share(g, &now, 200, 0, func(string) (time.Duration, Outcome) { return ms, Rejected })
	g.Tick(now + time.Second)
	if len(g.Set().Live) != 3 {
		t.Error("rejections ejected an endpoint")
	}
	for _, h := range g.Set().All {
		if h.Load.InFlight() != 0 {
			t.Errorf("%d calls in flight", h.Load.InFlight())
		}
	}
}

func TestStreams(t *testing.T) {
	g := group(Default, "a", "b")
	for i := range 5 {
		h := g.Set().All[0]
		h.Load.Begin()
		g.Opened(0, h, ms)
		if n := h.Load.InFlight(); n != 1 {
			t.Fatalf("%d in flight while the stream is open", n)
		}
		if g.Ended(0, h, Bad) != (i == 4) || h.Load.InFlight() != 0 {
			t.Errorf("end %d: %d in flight", i, h.Load.InFlight())
		}
	}
}

// An ejected endpoint comes back by a probe, gets few calls at first, and all of its
// share at the end.
func TestReturnIsSlow(t *testing.T) {
	g := group(Default, "a", "b")
	now := time.Duration(0)
	share(g, &now, 100, 0, even)
	for range 5 {
		g.Set().All[0].Load.Begin()
		g.Done(now, g.Set().All[0], ms, Bad)
	}
	if _, due := g.Tick(now + time.Second); len(due) != 0 || g.Busy(now+time.Second) {
		t.Fatal("probed too early")
	}
	now += 6 * time.Second
	_, due := g.Tick(now)
	if len(due) != 1 || due[0].Addr != "a" || len(g.Set().Live) != 1 {
		t.Fatalf("to be probed: %v", due)
	}
	g.Probed(now, due[0], true)
	if len(g.Set().Live) != 2 {
		t.Fatal("the probe does not bring back")
	}
	first := share(g, &now, 500, 0, even)["a"]
	now += 4 * time.Second
	then := share(g, &now, 500, 0, even)["a"]
	now += 10 * time.Second
	last := share(g, &now, 500, 0, even)["a"]
	if first > 0.2 || first == 0 || then < first || last < 0.3 {
		t.Errorf("shares %.2f, %.2f, %.2f", first, then, last)
	}
}

// The first endpoints of all have nothing to be slow for.
func TestFirstSetIsNotSlow(t *testing.T) {
	g, now := group(Default, "a", "b"), time.Duration(0)
	if s := share(g, &now, 1000, 0, even)["a"]; s < 0.3 || s > 0.7 {
		t.Errorf("share %.2f", s)
	}
}

func TestZones(t *testing.T) {
	c := Default
	c.Zone = "west"
	for name, x := range map[string]struct {
		addrs  []string
		out    int // of the first ones, how many are ejected
		slow   string
		lo, hi float64 // share of a to d, which are west
	}{
		"enough":            {[]string{"a@west", "b@west", "e@east", "f@east"}, 0, "", 0.95, 1},
		"one is not enough": {[]string{"a@west", "e@east", "f@east", "g@east"}, 0, "", 0.1, 0.4},
		"half are out":      {[]string{"a@west", "b@west", "c@west", "d@west", "e@east", "f@east"}, 2, "", 0.95, 1},
		"most are out":      {[]string{"a@west", "b@west", "c@west", "d@west", "e@east", "f@east"}, 3, "", 0.1, 0.6},
		"slow":              {[]string{"a@west", "b@west", "e@east", "f@east"}, 0, "ab", 0, 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			g, now := group(c, x.addrs...), time.Duration(0)
			for _, h := range g.Set().All[:x.out] {
				for range 5 {
					h.Load.Begin()
					g.Done(0, h, ms, Bad)
				}
			}
			hits := share(g, &now, 2000, 0, func(a string) (time.Duration, Outcome) {
				if slices.Contains([]byte(x.slow), a[0]) {
					return 10 * ms, Good
				}
				return ms, Good
			})
			if west := hits["a"] + hits["b"] + hits["c"] + hits["d"]; west < x.lo || west > x.hi+1e-9 {
				t.Errorf("share of the own zone %.3f, want %v to %v", west, x.lo, x.hi)
			}
		})
	}
}

func TestARetryLeavesTheZone(t *testing.T) {
	c := Default
	c.Zone = "west"
	g := group(c, "a@west", "b@west", "e@east", "f@east")
	elsewhere := 0
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		h := g.Set().Pick(0, g.Set().All[0], r.Uint64(), 0)
		g.Done(0, h, ms, Good)
		if h.Addr == "a" {
			t.Fatal("the one that just failed was drawn")
		}
		if h.Zone == "east" {
			elsewhere++
		}
	}
	if elsewhere < 50 {
		t.Errorf("%d of 300 retries left the zone", elsewhere)
	}
}

func TestWays(t *testing.T) {
	for way, lo := range map[Way]float64{Cheapest: 0.15, LeastRequest: 0.2, RoundRobin: 0.25, Ring: 0.15} {
		c := Default
		c.Way = way
		g, now := group(c, "a", "b", "c", "d"), time.Duration(0)
		for a, s := range share(g, &now, 4000, 0, even) {
			if s < lo-0.001 {
				t.Errorf("way %d: %s has %.3f", way, a, s)
			}
		}
	}
}

func TestRingFindsTheSameAgain(t *testing.T) {
	c := Default
	c.Way = Ring
	g, now := group(c, "a", "b", "c", "d"), time.Duration(0)
	for key := uint64(1); key < 1<<63; key *= 3 {
		if hits := share(g, &now, 50, key, even); len(hits) != 1 {
			t.Fatalf("key %d went to %v", key, hits)
		}
	}
	home := g.Set().Pick(now, nil, 0, 77)
	for range 20 {
		home.Load.Begin()
	}
	if other := g.Set().Pick(now, nil, 0, 77); other == home {
		t.Error("an overloaded endpoint keeps its keys")
	}
	if other := g.Set().Pick(now, home, 0, 77); other == home {
		t.Error("a retry goes to the same endpoint")
	}
}

func TestWeights(t *testing.T) {
	all := hosts("a", "b")
	all[0].Weight = 3
	g := New(Default)
	g.Update(0, all)
	now := time.Duration(0)
	var open []*Host // calls in flight make the difference
	r, hits := rand.New(rand.NewPCG(1, 2)), 0
	for range 4000 {
		h := g.Set().Pick(now, nil, r.Uint64(), 0)
		if h.Addr == "a" {
			hits++
		}
		if open = append(open, h); len(open) > 40 {
			now += ms / 40
			g.Done(now, open[0], ms, Good)
			open = open[1:]
		}
	}
	if hits < 2600 || hits > 3400 {
		t.Errorf("the one of weight 3 got %d of 4000 calls beside one of weight 1", hits)
	}
}

func TestOutcomes(t *testing.T) {
	for o, c := range map[Outcome]struct {
		ejects int  // after how many in a row; 0: never
		dearer bool // the endpoint seems slower
	}{
		Good: {0, false}, Bad: {5, true}, Absent: {1, true}, Rejected: {0, true}, Beaten: {0, true}, Void: {0, false},
	} {
		g := group(Default, "a", "b")
		h, ejected := g.Set().All[0], 0
		h.Load.Seed(0, ms)
		for n := range 30 {
			h.Load.Begin()
			if g.Done(0, h, ms, o) && ejected == 0 {
				ejected = n + 1
			}
		}
		if ejected != c.ejects || (h.Load.Latency(0) > ms) != c.dearer || h.Load.InFlight() != 0 {
			t.Errorf("outcome %d: ejected by the %dth, seems to take %v, %d in flight", o, ejected, h.Load.Latency(0), h.Load.InFlight())
		}
	}
}
