package runtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

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
	repeatable := spec.Idempotent && !spec.Kind.Streams()
	var last *endpoint
	for n := 0; ; n++ {
		now := c.now()
		if now >= s.due {
			c.probe(now)
		}
		last = s.pick(now, last, rand.Uint64())
		a := attempts.Get().(*Attempt)
		a.begin(c, spec, last, n)
		if repeatable {
			a.share(ctx, now, c.retry.Max)
		}
		v, err := c.once(ctx, a, attempt, now)
		after := time.Duration(a.after.Load())
		a.release()
		if err == nil {
			return nil
		}
		if !c.retry.Again(n, v, repeatable) {
			return ended(spec, err, n, "")
		}
		if why := c.wait(ctx, n, after); why != "" {
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
	a.phase.Store(over)
	a.verdict.Store(0)
	a.after.Store(0)
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

// once makes one attempt and tells the picker and the ejector how it went.
func (c *Conn) once(ctx context.Context, a *Attempt, attempt func(context.Context, *Attempt) error, start time.Duration) (v retry.Verdict, err error) {
	at := a.at
	at.load.Begin()
	returned := false
	defer func() {
		if !returned { // a panic says nothing of the endpoint
			at.load.End()
		}
	}()
	err = attempt(ctx, a)
	returned = true
	now := c.now()
	if err == nil && a.phase.CompareAndSwap(opening, open) {
		at.load.Begin() // it stays busy
		at.load.EndAfter(now, now-start)
		return retry.Final, nil
	}
	a.phase.Store(over)
	bad, v := c.judge(ctx, a, err)
	if err != nil && ctx.Err() == context.Canceled {
		at.load.End()
		return retry.Final, err
	}
	if bad {
		at.load.EndFailed(now, now-start)
	} else {
		at.load.EndAfter(now, now-start)
	}
	c.observe(at, now, bad, err)
	return v, err
}

// observe tells the ejector how an attempt went.
func (c *Conn) observe(at *endpoint, now time.Duration, bad bool, err error) {
	if c.ends.group.Observe(&at.host, now, !bad) {
		c.ends.refresh()
		c.log.Warn("endpoint ejected after repeated failures", "target", c.String(), "endpoint", at.Addr, "error", err)
	}
}

// streamed tells the picker and the ejector how a stream ended. One that its caller gave up
// says nothing of the endpoint; neither do the times of the others, which are theirs.
func (c *Conn) streamed(at *endpoint, err error) {
	now, bad := c.now(), false
	if err != nil {
		e := ErrorOf(err)
		if e.Code == Canceled {
			at.load.End()
			return
		}
		bad, _ = blame(e)
	}
	if bad {
		at.load.EndFailed(now, 0)
	} else {
		at.load.End()
	}
	c.observe(at, now, bad, err)
}

// judge says whether err incriminates the endpoint, and what it means for the next
// attempt.
func (c *Conn) judge(ctx context.Context, a *Attempt, err error) (bad bool, v retry.Verdict) {
	if err == nil {
		return false, retry.Final
	}
	bad, again := blame(ErrorOf(err))
	if ctx.Err() != nil {
		return bad, retry.Final
	}
	if v := a.verdict.Load(); v != 0 {
		return true, retry.Verdict(v - 1)
	}
	if again {
		return bad, retry.Transient
	}
	return bad, retry.Final
}

// blame tells the failures of an endpoint (bad) from the answers to a wrong request, and
// says whether another endpoint may do better. A rate limit is no failure, but worth a
// second try.
func blame(e *Error) (bad, again bool) {
	switch e.Status {
	case 0:
		switch e.Code {
		case Unknown, DeadlineExceeded, Internal, Unavailable, DataLoss:
			return true, e.Code != DataLoss
		}
		return false, false
	case 500, 502, 503, 504:
		return true, true
	case 429:
		return false, true
	}
	return e.Status > 504, false
}

// wait passes the time until attempt n+1, or says why there is none.
func (c *Conn) wait(ctx context.Context, n int, after time.Duration) (why string) {
	left := time.Duration(1<<63 - 1)
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	d, fits := c.retry.Wait(n, rand.Uint64(), after, left)
	if !fits {
		return "not repeated: the deadline leaves no time"
	}
	if !c.budget.Spend(c.now()) {
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

// ended returns what the caller sees: the last failure, with the operation's name, and
// how often it was tried. An answer of the server to the only attempt stays as it is.
func ended(spec *Spec, err error, n int, why string) error {
	e := ErrorOf(err)
	if n == 0 && why == "" && e.cause == nil {
		return err
	}
	out := &Error{Code: e.Code, Status: e.Status, Detail: e.Detail, cause: err, inner: e.inner, Message: spec.Name + ": " + e.Message}
	if n > 0 {
		out.Message += fmt.Sprintf(" (after %d attempts)", n+1)
	}
	if why != "" {
		out.Message += "; " + why
	}
	return out
}
