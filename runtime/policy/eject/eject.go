// Package eject takes endpoints out of use that fail again and again, and gives them
// back after a probe. It knows no clock and sends nothing.
//
// It imports only the standard library.
package eject

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Config holds the thresholds.
type Config struct {
	Consecutive int           // failures in a row that eject
	Absent      int           // for how many failures in a row one counts that found nobody there
	Base        time.Duration // how long the first time; n times that the nth time
	Max         time.Duration // never longer; and a host that lasts so long is forgiven
	Share       float64       // of the hosts that may be out at the same time
	Recall      time.Duration // how long one is out at least, before it is probed early because another failed and Share was reached

	Trial   int // successes that end the trial after a probe
	Strikes int // failures in a trial that eject again

	Rate    float64       // share of failures that a sweep ejects for
	Samples int           // outcomes without which a sweep says nothing
	Every   time.Duration // between sweeps
	Keep    float64       // of the samples, from one sweep to the next
}

// Default is what the runtime uses; package policy says why.
var Default = Config{
	Consecutive: 5, Absent: 5, Base: 5 * time.Second, Max: 60 * time.Second, Share: 0.5, Recall: 250 * time.Millisecond,
	Trial: 10, Strikes: 2,
	Rate: 0.5, Samples: 20, Every: time.Second, Keep: 0.8,
}

// Never is a time that does not come.
const Never = time.Duration(1<<63 - 1)

type state uint8

const (
	live state = iota
	ejected
	probing
)

// A Host is what is known of one endpoint. The zero value is live. It belongs to one
// Group.
type Host struct {
	failures atomic.Int32  // in a row
	trial    atomic.Int32  // successes still to come, after a probe
	strikes  atomic.Int32  // failures in the trial
	window   atomic.Uint64 // failures << 32 + outcomes, as sweeps count them
	out      atomic.Bool

	// Guarded by Group.mu.
	state state
	times int
	until time.Duration
	since time.Duration // when it came back
	sent  time.Duration // when it went, or was last probed in vain
	early bool          // it is probed before its time
}

// Live reports whether h is in use.
func (h *Host) Live() bool { return !h.out.Load() }

// A Group is the hosts of one service.
type Group struct {
	config Config

	recalled atomic.Bool // some host is due before its time

	mu    sync.Mutex
	hosts []*Host
	out   int
}

// NewGroup returns an empty group.
func NewGroup(c Config) *Group { return &Group{config: c} }

// Set replaces the hosts. What is known of those that stay is kept.
func (g *Group) Set(hosts []*Host) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hosts, g.out = hosts, 0
	for _, h := range hosts {
		if h.state != live {
			g.out++
		}
	}
}

// Observe counts the outcome of one attempt at h. It reports whether that ejected h.
func (g *Group) Observe(h *Host, now time.Duration, ok bool) (changed bool) {
	if ok {
		h.window.Add(1)
		if h.failures.Load() != 0 {
			h.failures.Store(0)
		}
		if h.trial.Load() > 0 {
			h.trial.Add(-1)
		}
		return false
	}
	return g.failed(h, now, 1)
}

// Absent is Observe for an attempt that found nobody there: no connection came about.
func (g *Group) Absent(h *Host, now time.Duration) (changed bool) {
	return g.failed(h, now, g.config.Absent)
}

func (g *Group) failed(h *Host, now time.Duration, failures int) (changed bool) {
	h.window.Add(1<<32 + 1)
	n := int(h.failures.Add(int32(failures)))
	struck := h.trial.Load() > 0 && int(h.strikes.Add(1)) >= g.config.Strikes
	if n < g.config.Consecutive && !struck {
		return false
	}
	return g.eject(h, now)
}

// Sweep ejects the hosts most of whose outcomes were failures, which need not come in a
// row, and forgets a part of what was counted. It is to be called Every so often, and
// returns the hosts that it ejected.
func (g *Group) Sweep(now time.Duration) (ejected []*Host) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.hosts {
		v := h.window.Load()
		total, bad := v&(1<<32-1), v>>32
		if int(total) >= g.config.Samples && float64(bad) >= g.config.Rate*float64(total) && g.send(h, now) {
			ejected = append(ejected, h)
			continue
		}
		kept := func(n uint64) uint64 { return uint64(float64(n) * g.config.Keep) }
		h.window.Add(kept(bad)<<32 + kept(total) - v) // what came meanwhile stays
	}
	return ejected
}

func (g *Group) eject(h *Host, now time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.send(h, now)
}

// send sends h away, unless it is, or too many are; mu is held.
func (g *Group) send(h *Host, now time.Duration) bool {
	if h.state != live {
		return false
	}
	if float64(g.out+1) > g.config.Share*float64(len(g.hosts)) {
		g.recall(now)
		return false
	}
	if h.times > 0 && now-h.since > g.config.Max {
		h.times = 0
	}
	g.out++
	g.until(h, now)
	return true
}

// recall makes those that are out due: they may be well by now, as in a rolling restart of
// few hosts, and leave their place to one that is not; mu is held.
func (g *Group) recall(now time.Duration) {
	for _, h := range g.hosts {
		if h.state == ejected && g.config.Recall > 0 && h.until > now && now-h.sent >= g.config.Recall {
			h.until, h.early = now, true
			g.recalled.Store(true)
		}
	}
}

// Recalled reports whether some host has become due before its time since this was last
// asked.
func (g *Group) Recalled() bool { return g.recalled.Load() && g.recalled.Swap(false) }

// until sends h away once more.
func (g *Group) until(h *Host, now time.Duration) {
	if !h.early { // that was not its time
		h.times++
	}
	h.sent, h.early = now, false
	h.state = ejected
	h.until = now + min(time.Duration(h.times)*g.config.Base, g.config.Max)
	h.failures.Store(0)
	h.trial.Store(0)
	h.window.Store(0)
	h.out.Store(true)
}

// Due returns the hosts whose time is over. Each is to be probed, and the outcome
// reported by Probed; until then Due does not return it again.
func (g *Group) Due(now time.Duration) []*Host {
	g.mu.Lock()
	defer g.mu.Unlock()
	var due []*Host
	for _, h := range g.hosts {
		if h.state == ejected && h.until <= now {
			h.state = probing
			due = append(due, h)
		}
	}
	return due
}

// Probed says how the probe of h ended: alive brings it back on trial, where a few
// failures eject it again, but not one alone, which a restarted host may well have;
// otherwise it stays out for longer.
func (g *Group) Probed(h *Host, now time.Duration, alive bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h.state != probing {
		return
	}
	if !alive {
		g.until(h, now)
		return
	}
	if slices.Contains(g.hosts, h) { // an update may have dropped it meanwhile
		g.out--
	}
	h.state, h.since, h.early = live, now, false
	h.failures.Store(0)
	h.window.Store(0)
	h.strikes.Store(0)
	h.trial.Store(int32(g.config.Trial))
	h.out.Store(false)
}

// Next returns when the next host is due, or Never.
func (g *Group) Next() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := Never
	for _, h := range g.hosts {
		if h.state == ejected {
			next = min(next, h.until)
		}
	}
	return next
}

// Panic reports whether fewer than half of the hosts are live: what ejection says is
// then not to be believed, and all of them are used.
func (g *Group) Panic() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return 2*(len(g.hosts)-g.out) < len(g.hosts)
}
