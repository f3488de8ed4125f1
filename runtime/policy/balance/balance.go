// Package balance keeps the endpoints of one service: it draws one for each attempt,
// takes the outcome, and so composes pick and eject with slow start and zones. It knows
// no clock, no dice, and sends nothing: what is to be probed is returned to the caller.
//
// It imports policy/pick, policy/eject and the standard library.
package balance

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/eject"
	"github.com/concordat-dev/concordat/runtime/policy/pick"
)

// A Way is how an endpoint is drawn.
type Way uint8

// The ways.
const (
	Cheapest     Way = iota // of two drawn, the one whose peak EWMA × calls in flight is less
	LeastRequest            // of two drawn, the one with fewer calls in flight
	RoundRobin              // one after the other
	Ring                    // by the hash of a key: see Set.Pick
)

// A Config says how a group goes about it.
type Config struct {
	Way   Way
	Eject eject.Config
	// SlowStart is how long an endpoint that is new, or back after its ejection, gets
	// fewer calls than others: a tenth at first, then ever more. 0 turns that off.
	SlowStart time.Duration
	// Zone is the caller's own. Its endpoints are preferred while at least two of them,
	// and half of them, are live, and until they cost twice of what others do. "" prefers
	// none.
	Zone string
}

// Default is what the runtime uses. Ten seconds of slow start are what a runtime that
// compiles just in time needs, and a cache (Envoy's documentation names tens of seconds);
// a tenth to begin with is Envoy's default, too.
var Default = Config{Eject: eject.Default, SlowStart: 10 * time.Second}

// least is the share of calls that an endpoint gets at the beginning of its slow start.
const least = 0.1

// spill is how many times what an endpoint elsewhere costs one of the own zone may cost.
const spill = 2

// A State is what is known of one endpoint. It outlives the set that named the endpoint:
// a registry that repeats itself must not make the picker forget.
type State struct {
	Load  pick.Load
	eject eject.Host
	young atomic.Int64 // until when it starts slowly
}

// Live reports whether the endpoint is not ejected.
func (s *State) Live() bool { return s.eject.Live() }

// A Host is one endpoint, as the newest set describes it. The caller sets all but State.
type Host struct {
	*State
	Addr   string // identifies it from set to set
	Weight int    // relative to the others'; 0 means 1
	Zone   string // "" is unknown
	Value  any    // whatever the caller wants to find again
}

// An Outcome is how an attempt ended.
type Outcome uint8

// The outcomes.
const (
	Good     Outcome = iota
	Bad              // the endpoint failed, or did not answer in time
	Absent           // no connection came about
	Rejected         // it said that it has too much to do: no reason to eject it
	Beaten           // a hedge was faster: it would have taken longer still
	Void             // says nothing of the endpoint: the caller gave up
)

// A Group is the endpoints of one service. It is safe for concurrent use.
type Group struct {
	config Config
	eject  *eject.Group
	set    atomic.Value  // *Set
	next   atomic.Int64  // when Tick has something to do
	turn   atomic.Uint64 // round robin

	mu     sync.Mutex
	all    []*Host
	young  time.Duration // until when some host starts slowly
	swept  time.Duration
	closed bool
}

// New returns a group without endpoints.
func New(c Config) *Group {
	g := &Group{config: c, eject: eject.NewGroup(c.Eject)}
	g.next.Store(int64(c.Eject.Every))
	return g
}

// Set returns what to pick from, or nil before the first Update and after Close.
func (g *Group) Set() *Set {
	set, _ := g.set.Load().(*Set)
	return set
}

// Close forgets the endpoints for good.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.set.Store((*Set)(nil))
}

// Update replaces the endpoints; what is known of those that stay is kept. Those that
// come later than the first ones start slowly.
func (g *Group) Update(now time.Duration, fresh []*Host) {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := make(map[string]*Host, len(g.all))
	for _, o := range g.all {
		old[o.Addr] = o
	}
	hosts := make([]*eject.Host, len(fresh))
	for i, f := range fresh {
		if o := old[f.Addr]; o != nil {
			f.State = o.State
		} else {
			f.State = new(State)
			f.Load.Seed(now, typical(now, g.all, nil))
			if len(g.all) > 0 {
				g.warm(now, f.State)
			}
		}
		hosts[i] = &f.eject
	}
	g.all = fresh
	g.eject.Set(hosts)
	g.publish()
}

// warm lets s start slowly; mu is held.
func (g *Group) warm(now time.Duration, s *State) {
	if g.config.SlowStart > 0 {
		g.young = now + g.config.SlowStart
		s.young.Store(int64(g.young))
	}
}

// typical returns the mean latency of the live endpoints other than x.
func typical(now time.Duration, all []*Host, x *Host) time.Duration {
	var sum, n time.Duration
	for _, h := range all {
		if h.Live() && h != x {
			sum += h.Load.Latency(now)
			n++
		}
	}
	return sum / max(n, 1)
}

// publish makes the set anew; mu is held.
func (g *Group) publish() {
	if g.closed {
		return
	}
	g.schedule()
	g.set.Store(newSet(g))
}

func (g *Group) schedule() {
	g.next.Store(int64(min(g.eject.Next(), g.swept+g.config.Eject.Every)))
}

// Done takes the outcome of an attempt at h that [Set.Pick] returned, and that took so
// long. It reports whether that ejected h.
func (g *Group) Done(now time.Duration, h *Host, took time.Duration, o Outcome) (ejected bool) {
	switch o {
	case Void:
		h.Load.End()
		return false
	case Rejected:
		h.Load.EndRejected(now, took)
		return false
	case Beaten:
		h.Load.EndBeaten(now, took)
		return false
	case Good:
		h.Load.EndAfter(now, took)
	case Bad, Absent:
		h.Load.EndFailed(now, took)
	}
	return g.judge(now, h, o)
}

// Opened takes the time in which an attempt opened a stream, which goes on: h stays busy
// until [Group.Ended].
func (g *Group) Opened(now time.Duration, h *Host, took time.Duration) {
	h.Load.Begin()
	h.Load.EndAfter(now, took)
}

// Ended takes the outcome of a stream, whose length says nothing of the endpoint. It
// reports whether that ejected h.
func (g *Group) Ended(now time.Duration, h *Host, o Outcome) (ejected bool) {
	if o == Bad {
		h.Load.EndFailed(now, 0)
	} else {
		h.Load.End()
	}
	return (o == Good || o == Bad) && g.judge(now, h, o)
}

// Missing takes that h did not answer a probe. It reports whether that ejected h.
func (g *Group) Missing(now time.Duration, h *Host) (ejected bool) { return g.judge(now, h, Absent) }

func (g *Group) judge(now time.Duration, h *Host, o Outcome) (ejected bool) {
	changed := false
	if o == Absent {
		changed = g.eject.Absent(&h.eject, now)
	} else {
		changed = g.eject.Observe(&h.eject, now, o == Good)
	}
	if !changed && (o == Good || !g.eject.Recalled()) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !changed {
		g.schedule()
		return false
	}
	g.publish()
	return true
}

// Busy reports whether Tick has something to do. It costs next to nothing.
func (g *Group) Busy(now time.Duration) bool { return int64(now) >= g.next.Load() }

// Tick sweeps, and returns the endpoints that were just ejected, and those whose ejection
// is over. The latter are to be probed, and the outcome given to Probed.
func (g *Group) Tick(now time.Duration) (ejected, due []*Host) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now-g.swept >= g.config.Eject.Every {
		g.swept = now
		ejected = g.of(g.eject.Sweep(now))
	}
	due = g.of(g.eject.Due(now))
	if len(ejected) > 0 {
		g.publish()
	}
	g.schedule()
	return ejected, due
}

// of finds the hosts of what eject names.
func (g *Group) of(hosts []*eject.Host) (found []*Host) {
	for _, x := range hosts {
		if i := slices.IndexFunc(g.all, func(h *Host) bool { return &h.eject == x }); i >= 0 {
			found = append(found, g.all[i])
		}
	}
	return found
}

// Probed says how the probe of h ended. Alive brings it back, on trial, and it starts
// slowly.
func (g *Group) Probed(now time.Duration, h *Host, alive bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.eject.Probed(&h.eject, now, alive)
	if alive {
		h.Load.Seed(now, typical(now, g.all, h))
		g.warm(now, h.State)
	}
	g.publish()
}
