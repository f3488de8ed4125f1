package runtime

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/balance"
	"github.com/concordat-dev/concordat/runtime/policy/hedge"
)

// WithHedging sends a call that has no answer after some time a second time, to another
// endpoint, and takes the answer that comes first: see [hedge.Default]. The retry budget
// pays for it. It applies to REST operations that are idempotent and do not stream, and
// only to their first attempt; gRPC is not hedged.
func WithHedging(config hedge.Config) ConnOption {
	return connOption(func(c *Conn) { c.hedging = &config })
}

// delay is how long calls of an operation take.
func (c *Conn) delay(spec *Spec) *hedge.Delay {
	if d, ok := c.delays.Load(spec); ok {
		return d.(*hedge.Delay)
	}
	d, _ := c.delays.LoadOrStore(spec, new(hedge.Delay))
	return d.(*hedge.Delay)
}

// hedged reports whether req may be sent twice.
func (a *Attempt) hedged(req *http.Request) bool {
	return a.N == 0 && a.spec.Idempotent && a.spec.Kind == Unary &&
		(req.Body == nil || req.Body == http.NoBody || req.GetBody != nil) &&
		a.conn.hedgeOf(a.spec) != nil
}

// A rival is one of the two requests. It has an Attempt of its own, since the one that
// loses may go on for a while.
type rival struct {
	*Attempt
	begun  time.Duration
	cancel context.CancelFunc
	resp   *http.Response
	err    error
	over   bool // resp or err is there
}

// fine reports whether there is nothing to hope for from the other one.
func (r *rival) fine() bool {
	return r.err == nil && r.resp.StatusCode < 500 && r.resp.StatusCode != http.StatusTooManyRequests
}

// dispose ends what is left of r.
func (r *rival) dispose() {
	r.cancel()
	if r.resp != nil {
		r.resp.Body.Close()
	}
}

// start sends req to at, beside a.
func (a *Attempt) start(ctx context.Context, at *endpoint, req *http.Request, done chan<- *rival) *rival {
	r := &rival{Attempt: new(Attempt), begun: a.conn.now()}
	r.begin(a.conn, a.spec, at, a.N)
	ctx, r.cancel = context.WithCancel(ctx)
	go func() {
		r.resp, r.err = r.send(ctx, a.conn.wires().rest, req)
		done <- r
	}()
	return r
}

// second sends req elsewhere, too, or returns nil: there is nowhere else, or no budget.
func (a *Attempt) second(ctx context.Context, req *http.Request, done chan<- *rival) *rival {
	c, s := a.conn, a.conn.ends.group.Set()
	if s == nil || len(s.All) < 2 || !c.budget.Spend(c.now()) {
		return nil
	}
	again := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil
		}
		again.Body = body
	}
	at := s.Pick(c.now(), &a.at.Host, rand.Uint64(), 0).Value.(*endpoint)
	again.URL.Host = at.base.Host
	again.Host = ""
	c.stats.Of(a.spec, a.spec.Name).Retry()
	return a.start(ctx, at, again, done)
}

// sendHedged is send for a request that may be sent twice. cancel ends the exchange.
func (a *Attempt) sendHedged(ctx context.Context, req *http.Request) (resp *http.Response, cancel func(), err error) {
	config, done := a.conn.hedgeOf(a.spec), make(chan *rival, 2)
	if config == nil { // the policies have just changed
		config = &hedge.Default
	}
	delay := a.conn.delay(a.spec)
	first := a.start(ctx, a.at, req, done)
	var second *rival
	if after, ok := delay.After(*config); ok {
		t := time.NewTimer(after)
		defer t.Stop()
		select {
		case r := <-done:
			done <- r
		case <-t.C:
			second = a.second(ctx, req, done)
		}
	}
	won := a.race(first, second, done)
	delay.Observe(*config, a.conn.now()-first.begun)
	a.at, a.Endpoint, a.Base, a.begun = won.at, won.Endpoint, won.Base, won.begun
	a.verdict.Store(won.verdict.Load())
	a.after.Store(won.after.Load())
	a.rejected.Store(won.rejected.Load())
	a.silent.Store(won.silent.Load())
	return won.resp, won.cancel, won.err
}

// after returns a function that calls both.
func after(first, second func()) func() { return func() { first(); second() } }

// race returns the one that counts: the first that is fine, or else the first request. It
// sees to the other one.
func (a *Attempt) race(first, second *rival, done chan *rival) (won *rival) {
	won = <-done
	won.over = true
	if second == nil {
		return won
	}
	if !won.fine() {
		other := <-done
		other.over = true
		if won = first; second.fine() {
			won = second
		}
	}
	lost := first
	if won == first {
		lost = second
	}
	a.conn.beaten(lost, lost == first)
	if lost.over {
		lost.dispose()
		return won
	}
	lost.cancel()
	go func() { (<-done).dispose() }()
	return won
}

// beaten tells the picker and the ejector of the request that lost.
func (c *Conn) beaten(lost *rival, first bool) {
	o := balance.Void // it had less time
	switch {
	case lost.over && lost.rejected.Load():
		o = balance.Rejected
	case lost.over && !lost.fine():
		o = balance.Bad
	case first:
		o = balance.Beaten
	}
	now := c.now()
	if c.ends.group.Done(now, &lost.at.Host, now-lost.begun, o) {
		c.ejected(lost.at, lost.err)
	}
}
