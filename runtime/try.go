package runtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/balance"
	"github.com/concordat-dev/concordat/runtime/policy/deadline"
	"github.com/concordat-dev/concordat/runtime/policy/retry"
)

// Try makes the attempts of one call: it picks an endpoint, calls attempt, and when that
// fails in a way that another endpoint may mend, waits and does so again. attempt must
// be able to run more than once, and returns an *Error with the server's status or code
// where the server answered with a failure; any other error counts as Unknown.
//
// Repeated are idempotent operations that do not stream, and all others only when the
// request provably was never sent. Without retries, and with a deadline inherited, Try
// allocates nothing.
func (c *Conn) Try(ctx context.Context, spec *Spec, attempt func(ctx context.Context, a *Attempt) error) error {
	if c.target == nil {
		return Errorf(FailedPrecondition, "%s: this connection leads to a broker; a call needs one made by NewConn", spec.Name)
	}
	s, err := c.endpointSet(ctx)
	if err != nil {
		return err
	}
	c.budget.Call()
	again := c.retryOf(spec)
	repeatable := spec.Idempotent && !spec.Kind.Streams()
	var last *endpoint
	for n := 0; ; n++ {
		now := c.now()
		if c.ends.group.Busy(now) {
			c.tend(now)
		}
		last = c.pick(ctx, s, now, last)
		a := attempts.Get().(*Attempt)
		a.begin(c, spec, last, n)
		if repeatable {
			a.share(ctx, now, again.Max)
		}
		o, v, err := c.once(ctx, a, attempt, now)
		after := time.Duration(a.after.Load())
		a.release()
		if err == nil {
			return nil
		}
		if c.signerOf(ctx).renew(ctx, err) {
			c.stats.Of(spec, spec.Name).Retry()
			n--
			continue
		}
		if !again.Again(n, v, repeatable) {
			return ended(spec, err, n, "")
		}
		if why := c.wait(ctx, n, v, o, after); why != "" {
			return ended(spec, err, n, why)
		}
		c.stats.Of(spec, spec.Name).Retry()
		if s, err = c.endpointSet(ctx); err != nil {
			return err
		}
	}
}

// begin makes a ready for its attempt; it may have served another.
func (a *Attempt) begin(c *Conn, spec *Spec, at *endpoint, n int) {
	a.N, a.Endpoint, a.Base, a.conn, a.at, a.spec, a.limit = n, at.Endpoint, at.base, c, at, spec, time.Time{}
	a.begun = 0
	a.forget()
}

// forget drops what the transport learnt. To look is cheaper than to write.
func (a *Attempt) forget() {
	if a.phase.Load() != over {
		a.phase.Store(over)
	}
	if a.verdict.Load() != 0 {
		a.verdict.Store(0)
	}
	if a.rejected.Load() {
		a.rejected.Store(false)
	}
	if a.after.Load() != 0 {
		a.after.Store(0)
	}
	if a.silent.Load() {
		a.silent.Store(false)
	}
}

// share gives a its part of what is left, where that is less than all of it.
func (a *Attempt) share(ctx context.Context, now time.Duration, last int) {
	end, ok := ctx.Deadline()
	if !ok || a.N >= last {
		return
	}
	left := end.Sub(a.conn.epoch) - now
	a.limit = a.conn.epoch.Add(now + deadline.Share(left, a.N, last))
}

func (a *Attempt) release() {
	if !a.kept {
		attempts.Put(a)
	}
}

// pick draws the endpoint of the next attempt. not is the one of the last.
func (c *Conn) pick(ctx context.Context, s *balance.Set, now time.Duration, not *endpoint) *endpoint {
	var last *balance.Host
	if not != nil {
		last = &not.Host
	}
	var key uint64
	if c.balance.Way == balance.Ring {
		key, _ = ctx.Value(affinityKey{}).(uint64)
	}
	return s.Pick(now, last, rand.Uint64(), key).Value.(*endpoint)
}

// once makes one attempt and tells the picker and the ejector how it went.
func (c *Conn) once(ctx context.Context, a *Attempt, attempt func(context.Context, *Attempt) error, start time.Duration) (o balance.Outcome, v retry.Verdict, err error) {
	group := c.ends.group
	returned := false
	defer func() {
		if !returned { // a panic says nothing of the endpoint
			group.Ended(0, &a.at.Host, balance.Void)
		}
	}()
	err = attempt(ctx, a)
	returned = true
	now, at := c.now(), a.at
	start = max(start, a.begun)
	took := at.dialed.without(start, now)
	if err == nil && a.phase.Load() == opening && a.phase.CompareAndSwap(opening, open) {
		group.Opened(now, &at.Host, took) // it stays busy
		return balance.Good, retry.Final, nil
	}
	if a.phase.Load() != over {
		a.phase.Store(over)
	}
	o, v = c.judge(ctx, a, err)
	c.heed(a, at, start, now, o)
	if o != balance.Good {
		took = now - start
	}
	if group.Done(now, &at.Host, took, o) {
		c.ejected(at, err)
	}
	return o, v, err
}

func (c *Conn) ejected(at *endpoint, err error) {
	c.log.Warn("endpoint ejected after repeated failures", "target", c.String(), "endpoint", at.Host.Addr, "error", err)
}

// streamed tells the picker and the ejector how a stream ended. One that its caller gave
// up, or wanted for so long only, says nothing of the endpoint; nor does how long it took.
func (c *Conn) streamed(at *endpoint, err error) {
	o := balance.Good
	if err != nil {
		switch e := ErrorOf(err); {
		case e.Code == Canceled, e.Code == DeadlineExceeded:
			o = balance.Void
		default:
			o, _ = blame(e)
		}
	}
	if c.ends.group.Ended(c.now(), &at.Host, o) {
		c.ejected(at, err)
	}
}

// judge says what err means for the endpoint, and for the next attempt.
func (c *Conn) judge(ctx context.Context, a *Attempt, err error) (balance.Outcome, retry.Verdict) {
	if err == nil {
		return balance.Good, retry.Final
	}
	o, again := blame(ErrorOf(err))
	switch ctx.Err() {
	case nil:
	case context.Canceled:
		return balance.Void, retry.Final
	default:
		return o, retry.Final
	}
	if a.rejected.Load() {
		return balance.Rejected, retry.Unsent
	}
	switch v := a.verdict.Load(); {
	case v == uint32(retry.Unsent)+1:
		return balance.Absent, retry.Unsent
	case v != 0:
		return balance.Bad, retry.Verdict(v - 1)
	}
	if again {
		return o, retry.Transient
	}
	return o, retry.Final
}

// blame tells the failures of an endpoint from the answers to a wrong request, and says
// whether another endpoint may do better. A rate limit is no failure, but worth a second
// try.
func blame(e *Error) (o balance.Outcome, again bool) {
	switch e.Status {
	case 0:
		switch e.Code {
		case Unknown, DeadlineExceeded, Internal, Unavailable, DataLoss:
			return balance.Bad, e.Code != DataLoss
		}
		return balance.Good, false
	case 500, 502, 503, 504:
		return balance.Bad, true
	case 429:
		return balance.Good, true
	}
	if e.Status > 504 {
		return balance.Bad, false
	}
	return balance.Good, false
}

// wait passes the time until attempt n+1, or says why there is none.
func (c *Conn) wait(ctx context.Context, n int, v retry.Verdict, o balance.Outcome, after time.Duration) (why string) {
	left := time.Duration(1<<63 - 1)
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	d, fits := c.retry.Wait(n, v, rand.Uint64(), after, left)
	if !fits {
		return "not repeated: the deadline leaves no time"
	}
	if !c.spend(o) {
		return "not repeated: too many calls fail already, the retry budget is spent"
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return "not repeated: " + context.Cause(ctx).Error()
	case <-t.C:
		return ""
	}
}

// spend pays for an attempt that follows one which ended with o.
func (c *Conn) spend(o balance.Outcome) bool {
	if o == balance.Rejected {
		return c.budget.SpendRefused(c.now())
	}
	return c.budget.Spend(c.now())
}

// ended returns what the caller sees: the last failure, with the operation's name, and
// how often it was tried. An answer of the server to the only attempt stays as it is.
func ended(spec *Spec, err error, n int, why string) error {
	e := ErrorOf(err)
	if n == 0 && why == "" && e.cause == nil {
		return err
	}
	out := &Error{Code: e.Code, Status: e.Status, Detail: e.Detail, More: e.More, cause: err, inner: e.inner, Message: spec.Name + ": " + e.Message}
	if n > 0 {
		out.Message += fmt.Sprintf(" (after %d attempts)", n+1)
	}
	if why != "" {
		out.Message += "; " + why
	}
	return out
}
