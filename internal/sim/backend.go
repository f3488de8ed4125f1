package sim

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/admit"
)

// What a backend is like when nothing is wrong with it.
const (
	backends = 10
	workers  = 8
	service  = 10 * time.Millisecond // mean; lognormal
	spread   = 0.5                   // its sigma
	quick    = 500 * time.Microsecond
)

// A reply is what a client gets to see of an attempt.
type reply uint8

const (
	replied  reply = iota
	failed         // an error of the server, or a connection that broke
	unsent         // no connection came about
	rejected       // by admission
)

// A job is an attempt, seen from the server.
type job struct {
	number   uint64
	deadline time.Duration
	arrived  time.Duration // among the workers' tasks
	gone     bool          // answered, or the client has given up
	reply    func(reply)
	waiter   *admit.Waiter
}

// A backend is workers, the tasks that wait for one, and the admission before them.
type backend struct {
	w     *world
	busy  int
	tasks []*job
	at    map[*job]struct{} // admitted and not answered
	limit *admit.Limiter    // nil without admission
	op    admit.Op

	slow    float64 // 1 is normal
	errors  float64 // share
	down    bool    // refuses connections
	hung    bool    // takes them, and says nothing
	cold    time.Duration
	coldest float64
}

func newBackend(w *world, admission bool) *backend {
	b := &backend{w: w, slow: 1, coldest: 1, at: map[*job]struct{}{}}
	if admission {
		b.limit = admit.New(admit.Default)
	}
	return b
}

// arrive takes a request.
func (b *backend) arrive(j *job) {
	switch {
	case b.down:
		b.w.after(quick, func() { b.answer(j, unsent) })
	case b.hung:
		b.at[j] = struct{}{}
	case b.errors > 0 && b.w.dice.Float64() < b.errors:
		b.w.after(2*quick, func() { b.answer(j, failed) })
	case b.limit == nil:
		b.admitted(j)
	default:
		b.ask(j)
	}
}

func (b *backend) ask(j *job) {
	j.waiter = &admit.Waiter{Wake: func() { b.admitted(j) }}
	switch b.limit.Ask(admit.Normal, j.waiter) {
	case admit.Admitted:
		b.admitted(j)
	case admit.Refused:
		b.w.after(quick, func() { b.answer(j, rejected) })
	case admit.Waiting:
		b.w.after(b.limit.Config().Wait, func() {
			if b.limit.Leave(j.waiter) {
				b.answer(j, rejected)
			}
		})
	}
}

func (b *backend) answer(j *job, r reply) {
	if !j.gone {
		j.gone = true
		j.reply(r)
	}
}

// admitted gives j to a worker, or to those who wait for one.
func (b *backend) admitted(j *job) {
	j.arrived = b.w.now
	b.at[j] = struct{}{}
	b.tasks = append(b.tasks, j)
	b.work()
}

// work lets free workers begin. Who has given up, or whose time is over, is not served.
func (b *backend) work() {
	for len(b.tasks) > 0 && b.busy < workers && !b.hung {
		j := b.tasks[0]
		b.tasks = b.tasks[1:]
		if j.gone || b.w.now >= j.deadline {
			b.leave(j)
			continue
		}
		b.busy++
		b.w.after(b.takes(), func() {
			if b.hung {
				return // until it goes on
			}
			if _, ok := b.at[j]; !ok {
				return // it was killed
			}
			b.busy--
			b.leave(j)
			b.answer(j, replied)
			b.work()
		})
	}
}

// leave ends j's time in the server.
func (b *backend) leave(j *job) {
	delete(b.at, j)
	if b.limit != nil {
		b.limit.Done(b.w.now, &b.op, b.w.now-j.arrived, !j.gone)
	}
}

func (b *backend) takes() time.Duration {
	x := math.Exp(b.w.dice.NormFloat64()*spread-spread*spread/2) * b.slow
	if b.w.now < b.cold {
		x *= b.coldest
	}
	return time.Duration(x * float64(service))
}

// kill breaks off everything; restart begins anew, and is slow for a while.
func (b *backend) kill() {
	b.down = true
	for _, j := range b.inOrder() {
		b.w.after(quick, func() { b.answer(j, failed) })
	}
	b.at, b.tasks, b.busy = map[*job]struct{}{}, nil, 0
}

// inOrder returns what is at b in an order that the seed determines.
func (b *backend) inOrder() []*job {
	return slices.SortedFunc(maps.Keys(b.at), func(x, y *job) int { return cmp.Compare(x.number, y.number) })
}

// resume lets a hung server go on. What it held has been given up.
func (b *backend) resume() {
	b.hung = false
	for _, j := range b.inOrder() {
		b.leave(j)
	}
	b.tasks, b.busy = nil, 0
}

func (b *backend) restart(cold time.Duration, times float64) {
	b.down, b.cold, b.coldest = false, b.w.now+cold, times
	if b.limit != nil {
		b.limit, b.op = admit.New(admit.Default), admit.Op{}
	}
}
