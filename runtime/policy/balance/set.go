package balance

import (
	"math/bits"
	"slices"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/pick"
)

// A Set is what picks are made from; it is replaced, never changed.
type Set struct {
	All  []*Host // shared: not to be changed
	Live []*Host // those not ejected; all of them where most are

	way   Way
	group *Group
	local []*Host // the live ones of the own zone; nil without a preference
	away  []*Host // the live ones elsewhere, beside local
	young time.Duration
	ring  pick.Ring // of Live
}

func newSet(g *Group) *Set {
	s := &Set{All: g.all, Live: g.all, way: g.config.Way, group: g, young: g.young}
	if !g.eject.Panic() {
		s.Live = slices.DeleteFunc(slices.Clone(g.all), func(h *Host) bool { return !h.Live() })
	}
	if g.config.Zone != "" {
		s.prefer(g.config.Zone)
	}
	if g.config.Way == Ring {
		addrs := make([]string, len(s.Live))
		for i, h := range s.Live {
			addrs[i] = h.Addr
		}
		s.ring = pick.NewRing(addrs)
	}
	return s
}

// prefer parts the live hosts by zone, where there are enough in the own one.
func (s *Set) prefer(zone string) {
	all := 0
	for _, h := range s.All {
		if h.Zone == zone {
			all++
		}
	}
	var local, away []*Host
	for _, h := range s.Live {
		if h.Zone == zone {
			local = append(local, h)
		} else {
			away = append(away, h)
		}
	}
	if len(local) >= 2 && 2*len(local) >= all && len(away) > 0 {
		s.local, s.away = local, away
	}
}

// Pick draws a live endpoint other than not, which may be nil or of an older set, from 64
// random bits, and counts a call in flight there: each needs its [Group.Done]. not is
// returned only where there is no other endpoint at all. Where the way is Ring, and key
// is not 0, key takes the place of chance.
func (s *Set) Pick(now time.Duration, not *Host, random, key uint64) *Host {
	h := s.draw(now, not, random, key)
	h.Load.Begin()
	return h
}

func (s *Set) draw(now time.Duration, not *Host, random, key uint64) *Host {
	from, skip := s.Live, -1
	switch {
	case not != nil:
		if skip = index(from, not); len(from) == 1 && skip == 0 {
			from = s.All // rather an ejected one than the one that just failed
			skip = index(from, not)
		}
	case s.local != nil:
		from = s.local
	}
	switch {
	case s.way == RoundRobin:
		return s.next(from, skip, random)
	case s.way == Ring && key != 0 && len(from) == len(s.Live):
		return s.onRing(key, skip)
	}
	a, b := pick.Two(len(from), skip, random)
	x := s.better(now, from[a], from[b], random)
	if not == nil && s.local != nil {
		if y := s.away[pick.Below(uint32(bits.RotateLeft64(random, 17)), len(s.away))]; spill*s.cost(now, y) < s.cost(now, x) {
			return y
		}
	}
	return x
}

func index(from []*Host, h *Host) int {
	return slices.IndexFunc(from, func(x *Host) bool { return x.State == h.State })
}

// better returns a or b. One that starts slowly is not taken until its time has come.
func (s *Set) better(now time.Duration, a, b *Host, random uint64) *Host {
	if a == b {
		return a
	}
	x, y := a, b
	if s.cost(now, b) < s.cost(now, a) {
		x, y = b, a
	}
	if now < s.young && !s.grown(now, x, random) && now >= time.Duration(y.young.Load()) {
		return y
	}
	return x
}

// grown throws the dice for a host that starts slowly.
func (s *Set) grown(now time.Duration, h *Host, random uint64) bool {
	left := time.Duration(h.young.Load()) - now
	if left <= 0 {
		return true
	}
	share := least + (1-least)*(1-float64(left)/float64(s.group.config.SlowStart))
	return float64(random&0xffff) < share*0x10000 // bits that hardly told which two were drawn
}

func (s *Set) cost(now time.Duration, h *Host) float64 {
	var c float64
	if s.way == LeastRequest {
		c = float64(h.Load.InFlight() + 1)
	} else {
		c = h.Load.Cost(now)
	}
	if h.Weight > 1 {
		c /= float64(h.Weight)
	}
	return c
}

// next takes turns. Weights do not matter here.
func (s *Set) next(from []*Host, skip int, _ uint64) *Host {
	n := uint64(len(from))
	i := int(s.group.turn.Add(1) % n)
	if i == skip && n > 1 {
		i = int(s.group.turn.Add(1) % n)
	}
	return from[i]
}

// overload is how many times the mean of calls in flight an endpoint of the ring may
// have before its successor is taken: consistent hashing with bounded loads (Mirrokni,
// Thorup and Zadimoghaddam 2018), whose authors use 1.25.
const overload = 1.25

func (s *Set) onRing(key uint64, skip int) *Host {
	var calls int64
	for _, h := range s.Live {
		calls += h.Load.InFlight()
	}
	most := int64(overload*float64(calls+1)/float64(len(s.Live))) + 1
	first := -1
	for i := range s.ring.From(key) {
		if i == skip {
			continue
		}
		if first < 0 {
			first = i
		}
		if s.Live[i].Load.InFlight() < most {
			return s.Live[i]
		}
	}
	if first < 0 {
		return s.Live[0]
	}
	return s.Live[first]
}
