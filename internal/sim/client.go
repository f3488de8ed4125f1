package sim

import (
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/balance"
	"github.com/concordat-dev/concordat/runtime/policy/budget"
	"github.com/concordat-dev/concordat/runtime/policy/deadline"
	"github.com/concordat-dev/concordat/runtime/policy/hedge"
	"github.com/concordat-dev/concordat/runtime/policy/retry"
)

// patience is the deadline of each call.
const patience = time.Second

// probeTimeout is the runtime's.
const probeTimeout = time.Second

// Policies are what a client, and the servers, go by.
type Policies struct {
	Balance   balance.Config
	Retry     retry.Policy
	Hedge     bool
	HedgeAs   hedge.Config
	Admission bool
}

// Default is what the runtime does unless told otherwise, with admission.
var Default = Policies{Balance: balance.Default, Retry: retry.Default, HedgeAs: hedge.Default, Admission: true}

// A client is what a Conn is in the runtime: the steps are those of Conn.Try, without
// goroutines.
type client struct {
	w      *world
	p      *Policies
	group  *balance.Group
	budget *budget.Budget
	delay  hedge.Delay
	log    *record
}

func newClient(w *world, p *Policies, all []*backend, log *record) *client {
	c := &client{w: w, p: p, group: balance.New(p.Balance), budget: budget.New(w.now), log: log}
	hosts := make([]*balance.Host, len(all))
	for i, n := range w.dice.Perm(len(all)) {
		hosts[i] = &balance.Host{Addr: string(rune('a' + n)), Value: all[n]}
	}
	c.group.Update(w.now, hosts)
	return c
}

// A call is one of a client's.
type call struct {
	c        *client
	begun    time.Duration
	deadline time.Duration
	n        int // attempts begun, hedges aside
	last     *balance.Host
	over     bool
	running  []*try
}

// A try is an attempt that runs.
type try struct {
	call   *call
	host   *balance.Host
	begun  time.Duration
	job    *job
	hedged bool
}

func (c *client) call() {
	x := &call{c: c, begun: c.w.now, deadline: c.w.now + patience}
	c.budget.Call()
	c.w.after(patience, func() { x.end(false) })
	x.attempt()
}

// attempt begins the next attempt.
func (x *call) attempt() {
	if x.over {
		return
	}
	c := x.c
	if c.group.Busy(c.w.now) {
		c.tend()
	}
	share := deadline.Share(x.deadline-c.w.now, x.n, c.p.Retry.Max)
	x.n++
	t := x.send(share)
	if after, ok := c.delay.After(c.p.HedgeAs); c.p.Hedge && ok && x.n == 1 && after < share {
		c.w.after(after, func() { x.hedge(t) })
	}
}

// hedge begins a second attempt beside the first, which has no answer yet.
func (x *call) hedge(first *try) {
	if !x.over && !first.job.gone && x.c.budget.Spend(x.c.w.now) {
		x.send(x.deadline - x.c.w.now).hedged = true
	}
}

func (x *call) send(share time.Duration) *try {
	c := x.c
	x.last = c.group.Set().Pick(c.w.now, x.last, c.w.dice.Uint64(), 0)
	c.log.attempt(x.begun)
	t := &try{call: x, host: x.last, begun: c.w.now}
	t.job = &job{number: c.w.seq, deadline: c.w.now + share, reply: t.ended}
	x.running = append(x.running, t)
	c.w.after(share, func() {
		if !t.job.gone {
			t.job.gone = true
			t.judge(balance.Bad, retry.Transient)
		}
	})
	t.host.Value.(*backend).arrive(t.job)
	return t
}

func (t *try) ended(r reply) {
	switch r {
	case replied:
		t.judge(balance.Good, retry.Final)
	case failed:
		t.judge(balance.Bad, retry.Transient)
	case unsent:
		t.judge(balance.Absent, retry.Unsent)
	case rejected:
		t.judge(balance.Rejected, retry.Unsent)
	}
}

// judge tells the policies how an attempt ended, and goes on with the call.
func (t *try) judge(o balance.Outcome, v retry.Verdict) {
	x, c := t.call, t.call.c
	c.group.Done(c.w.now, t.host, c.w.now-t.begun, o)
	if !t.hedged && o == balance.Good {
		c.delay.Observe(c.p.HedgeAs, c.w.now-t.begun)
	}
	switch {
	case x.over:
	case o == balance.Good:
		x.end(true)
	case x.others(t):
	case !c.p.Retry.Again(x.n-1, v, true):
		x.end(false)
	default:
		wait, fits := c.p.Retry.Wait(x.n-1, v, c.w.dice.Uint64(), 0, x.deadline-c.w.now)
		if !fits || !c.spend(o) {
			x.end(false)
			return
		}
		c.w.after(wait, x.attempt)
	}
}

// others reports whether an attempt other than t has yet to answer.
func (x *call) others(t *try) bool {
	for _, o := range x.running {
		if o != t && !o.job.gone {
			return true
		}
	}
	return false
}

// end ends the call, and what runs for it.
func (x *call) end(ok bool) {
	if x.over {
		return
	}
	x.over = true
	c := x.c
	for _, t := range x.running {
		if t.job.gone {
			continue
		}
		t.job.gone = true
		if !ok {
			t.judge(balance.Bad, retry.Final) // the deadline
			continue
		}
		c.group.Done(c.w.now, t.host, c.w.now-t.begun, balance.Beaten)
		if !t.hedged {
			c.delay.Observe(c.p.HedgeAs, c.w.now-t.begun)
		}
	}
	c.log.call(x.begun, c.w.now, ok)
}

// tend probes what is to be probed.
func (c *client) tend() {
	_, due := c.group.Tick(c.w.now)
	for _, h := range due {
		b := h.Value.(*backend)
		if b.hung {
			c.w.after(probeTimeout, func() { c.group.Probed(c.w.now, h, false) })
			continue
		}
		c.w.after(quick, func() { c.group.Probed(c.w.now, h, !b.down) })
	}
}

// spend pays for an attempt that follows one which ended with o.
func (c *client) spend(o balance.Outcome) bool {
	if o == balance.Rejected {
		return c.budget.SpendRefused(c.w.now)
	}
	return c.budget.Spend(c.w.now)
}
