package auth

import (
	"context"
	"errors"
	"sync"
	"time"
)

// What Cache keeps to, unless said.
const (
	DefaultEarly   = time.Minute
	DefaultTimeout = 30 * time.Second
	DefaultPause   = 5 * time.Second
)

// A Cache keeps the credential that From fetches, such as a token, until shortly before it
// expires. However many ask at the same time, it is fetched once; a caller that gives up
// does not stop the others' fetch. While one that still holds is renewed, it is given. Do
// not copy a Cache.
type Cache struct {
	From Source
	// Early is how long before its end a credential is renewed: DefaultEarly, unless said,
	// but never more than a fifth of the time that it has.
	Early time.Duration
	// Timeout bounds one fetch: DefaultTimeout, unless said.
	Timeout time.Duration
	// Pause is how long nothing is fetched in place of a credential that replaced a refused
	// one: DefaultPause, unless said. A server that refuses everything does not make every
	// call fetch.
	Pause time.Duration

	mu      sync.Mutex
	last    Credential
	renewAt time.Time // zero: never
	fetch   *fetch    // nil: none is under way
	after   time.Time // no early renewal before: the last one failed
	renewed time.Time // when Renew fetched last
}

// A fetch is one that all who wait share. What it brought is written before done closes.
type fetch struct {
	done chan struct{}
	got  Credential
	err  error
}

// Credential implements Source.
func (c *Cache) Credential(ctx context.Context) (Credential, error) {
	now := time.Now()
	c.mu.Lock()
	last := c.last
	held := !last.empty() && (last.Expires.IsZero() || now.Before(last.Expires))
	if held && (c.renewAt.IsZero() || now.Before(c.renewAt) || now.Before(c.after)) {
		c.mu.Unlock()
		return last, nil
	}
	f := c.begin(ctx)
	c.mu.Unlock()
	if held {
		return last, nil
	}
	return f.wait(ctx)
}

// Renew implements Renewer: what was refused is fetched anew, unless it was meanwhile.
func (c *Cache) Renew(ctx context.Context, used Credential, _ []string) (Credential, error) {
	c.mu.Lock()
	if c.last.Value != used.Value && !c.last.empty() {
		defer c.mu.Unlock()
		return c.last, nil
	}
	pause := c.Pause
	if pause <= 0 {
		pause = DefaultPause
	}
	if now := time.Now(); c.renewed.IsZero() || now.Sub(c.renewed) >= pause {
		c.renewed = now
	} else if c.fetch == nil {
		c.mu.Unlock()
		return Credential{}, errNothingNew
	}
	c.last = Credential{}
	f := c.begin(ctx)
	c.mu.Unlock()
	got, err := f.wait(ctx)
	if err == nil && got.Value == used.Value {
		return Credential{}, errNothingNew
	}
	return got, err
}

// begin starts a fetch unless one is under way. c.mu is held.
func (c *Cache) begin(ctx context.Context) *fetch {
	if c.fetch != nil {
		return c.fetch
	}
	f := &fetch{done: make(chan struct{})}
	c.fetch = f
	limit := c.Timeout
	if limit <= 0 {
		limit = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	go func() {
		defer cancel()
		f.got, f.err = c.ask(ctx)
		c.keep(f)
		close(f.done)
	}()
	return f
}

var errEmpty = errors.New("the source gave an empty credential")

func (c *Cache) ask(ctx context.Context) (Credential, error) {
	got, err := c.From.Credential(ctx)
	if err == nil && got.empty() {
		err = errEmpty
	}
	return got, err
}

// retryEarly is how long an early renewal that failed is left alone.
const retryEarly = 5 * time.Second

func (c *Cache) keep(f *fetch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetch = nil
	now := time.Now()
	if f.err != nil {
		c.after = now.Add(retryEarly)
		return
	}
	c.last, c.renewAt, c.after = f.got, time.Time{}, time.Time{}
	if !f.got.Expires.IsZero() {
		early := c.Early
		if early <= 0 {
			early = DefaultEarly
		}
		c.renewAt = f.got.Expires.Add(-min(early, f.got.Expires.Sub(now)/5))
	}
}

func (f *fetch) wait(ctx context.Context) (Credential, error) {
	select {
	case <-f.done:
		return f.got, f.err
	case <-ctx.Done():
		return Credential{}, context.Cause(ctx)
	}
}
