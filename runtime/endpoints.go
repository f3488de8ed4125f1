package runtime

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/policy/eject"
	"github.com/concordat-dev/concordat/runtime/policy/pick"
)

// An endpoint is one instance of the service, as the newest set describes it.
type endpoint struct {
	discovery.Endpoint
	base       *url.URL
	authority  string // what Host says; "" means Addr
	serverName string
	*endpointState
}

// An endpointState outlives the set that named its endpoint: a registry that repeats
// itself must not make the picker forget.
type endpointState struct {
	load     pick.Load
	host     eject.Host
	answered atomic.Bool // ever
}

func (e *endpoint) cost(now time.Duration) float64 {
	c := e.load.Cost(now)
	if e.Weight > 1 {
		c /= float64(e.Weight)
	}
	return c
}

// A set is what picks are made from; it is replaced, never changed.
type set struct {
	all  []*endpoint
	live []*endpoint   // not ejected; all of them in panic
	due  time.Duration // when an ejected endpoint is to be probed
}

// pick draws two live endpoints other than not and returns the cheaper one. not is
// returned where there is no other.
func (s *set) pick(now time.Duration, not *endpoint, random uint64) *endpoint {
	from, skip := s.live, -1
	if not != nil {
		if skip = slices.Index(from, not); len(from) == 1 && skip == 0 {
			from = s.all // rather an ejected one than the one that just failed
			skip = slices.Index(from, not)
		}
	}
	a, b := pick.Two(len(from), skip, random)
	if a != b && from[b].cost(now) < from[a].cost(now) {
		return from[b]
	}
	return from[a]
}

// endpoints keeps the set of a connection up to date.
type endpoints struct {
	set   atomic.Pointer[set]
	group *eject.Group

	mu       sync.Mutex
	all      []*endpoint
	err      error // what the resolver said last, while no set is known
	closed   bool
	start    sync.Once
	reported chan struct{} // closed by the first report
	report   sync.Once
	ctx      context.Context // until the connection is closed
	cancel   context.CancelFunc
}

func newEndpoints() *endpoints {
	ctx, cancel := context.WithCancel(context.Background())
	return &endpoints{group: eject.NewGroup(eject.Default), reported: make(chan struct{}), ctx: ctx, cancel: cancel}
}

// update replaces the set; what is known of endpoints that stay is kept.
func (e *endpoints) update(now time.Duration, fresh []*endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	old := make(map[string]*endpoint, len(e.all))
	for _, o := range e.all {
		old[o.Addr] = o
	}
	hosts := make([]*eject.Host, len(fresh))
	for i, f := range fresh {
		if o := old[f.Addr]; o != nil {
			f.endpointState = o.endpointState
		} else {
			f.endpointState = new(endpointState)
			f.load.Seed(now, typical(now, e.all))
		}
		hosts[i] = &f.host
	}
	e.all = fresh
	e.group.Set(hosts)
	e.rebuild()
}

// typical returns the mean latency of the endpoints known.
func typical(now time.Duration, all []*endpoint) time.Duration {
	if len(all) == 0 {
		return 0
	}
	var sum time.Duration
	for _, e := range all {
		sum += e.load.Latency(now)
	}
	return sum / time.Duration(len(all))
}

// rebuild publishes the set anew; mu is held.
func (e *endpoints) rebuild() {
	if e.closed {
		return
	}
	s := &set{all: e.all, live: e.all, due: e.group.Next()}
	if s.due != eject.Never || e.group.Panic() {
		s.live = e.live()
	}
	e.set.Store(s)
}

func (e *endpoints) live() []*endpoint {
	if e.group.Panic() {
		return e.all
	}
	return slices.DeleteFunc(slices.Clone(e.all), func(x *endpoint) bool { return !x.host.Live() })
}

func (e *endpoints) refresh() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rebuild()
}

// fail notes why the resolver has nothing; a set that is known stays.
func (e *endpoints) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

func (e *endpoints) done() { e.report.Do(func() { close(e.reported) }) }

func (e *endpoints) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.set.Store(nil)
	e.cancel()
}

var errClosed = errors.New("the connection is closed")

// state returns why there is no set.
func (e *endpoints) state() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	return e.err
}

// endpointSet returns the set to pick from. The first call starts the resolver and waits for its
// first word.
func (c *Conn) endpointSet(ctx context.Context) (*set, error) {
	if s := c.ends.set.Load(); s != nil {
		return s, nil
	}
	if err := c.ends.state(); errors.Is(err, errClosed) {
		return nil, Errorf(Canceled, "%s: %w", c.target.url.Redacted(), err)
	}
	c.ends.start.Do(func() { go c.watch(c.ends.ctx) })
	select {
	case <-ctx.Done():
		return nil, Errorf(codeOf(ctx.Err()), "%s was not resolved in time: %w", c.target.url.Redacted(), ctx.Err())
	case <-c.ends.ctx.Done():
		return nil, Errorf(Canceled, "%s: %w", c.target.url.Redacted(), errClosed)
	case <-c.ends.reported:
	}
	if s := c.ends.set.Load(); s != nil {
		return s, nil
	}
	return nil, Errorf(Unavailable, "%s has no endpoint: %w; check the name and the resolver", c.target.url.Redacted(), c.ends.state())
}

// watch follows the resolver until the connection is closed or the target cannot change.
func (c *Conn) watch(ctx context.Context) {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		var last error
		for eps, err := range c.resolver.Resolve(ctx, c.target.url) {
			if ctx.Err() != nil {
				return
			}
			last = c.resolved(eps, err)
		}
		if last == nil || ctx.Err() != nil {
			c.ends.done()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// resolved takes one report of the resolver, and returns what is wrong with it.
func (c *Conn) resolved(eps []discovery.Endpoint, err error) error {
	defer c.ends.done()
	if err == nil && len(eps) == 0 {
		err = errors.New("the resolver knows no instance")
	}
	if err != nil {
		c.ends.fail(err)
		if c.ends.set.Load() != nil {
			c.log.Warn("resolving failed; the endpoints known so far stay in use", "target", c.target.url.Redacted(), "error", err)
		}
		return err
	}
	fresh := make([]*endpoint, len(eps))
	for i, ep := range eps {
		fresh[i] = c.target.endpoint(ep, c.scheme())
	}
	c.ends.update(c.now(), fresh)
	return nil
}

// endpoint completes what the resolver says by what the target says.
func (t *target) endpoint(ep discovery.Endpoint, scheme string) *endpoint {
	e := &endpoint{Endpoint: ep, serverName: ep.ServerName, base: &url.URL{Scheme: scheme, Host: ep.Addr}}
	if t.path != "" {
		e.base = (&url.URL{Scheme: scheme, Host: ep.Addr, Path: "/"}).JoinPath(t.path) // of "" it would be relative
	}
	if t.scheme == "dns" || t.scheme == "http" || t.scheme == "https" {
		e.authority = t.authority
		if e.serverName == "" {
			e.serverName = t.url.Hostname()
		}
	}
	if e.serverName == "" {
		e.serverName, _, _ = net.SplitHostPort(ep.Addr)
	}
	return e
}

// probe asks the ejected endpoints whose time is over for any answer at all, beside the
// calls: what an instance that hangs does to a probe, it would have done to a call.
func (c *Conn) probe(now time.Duration) {
	due := c.ends.group.Due(now)
	c.ends.refresh()
	for _, h := range due {
		i := slices.IndexFunc(c.ends.set.Load().list(), func(e *endpoint) bool { return &e.host == h })
		if i < 0 {
			c.ends.group.Probed(h, now, true) // gone from the set
			continue
		}
		go c.probeOne(c.ends.set.Load().list()[i])
	}
}

// list returns all endpoints, none of a nil set.
func (s *set) list() []*endpoint {
	if s == nil {
		return nil
	}
	return s.all
}

// probeTimeout bounds a probe.
const probeTimeout = time.Second

func (c *Conn) probeOne(e *endpoint) {
	ctx, cancel := context.WithTimeout(c.ends.ctx, probeTimeout)
	defer cancel()
	u := *e.base
	u.Path, u.RawPath = "*", "" // OPTIONS * asks for the server itself: RFC 9110, 9.3.7
	req := (&http.Request{Method: http.MethodOptions, URL: &u, Host: e.authority, Header: http.Header{}}).WithContext(ctx)
	resp, err := c.wireOf(c.spokeRPC.Load()).RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	c.ends.group.Probed(&e.host, c.now(), err == nil)
	c.ends.refresh()
	if err == nil {
		c.log.Info("endpoint answers again", "target", c.target.url.Redacted(), "endpoint", e.Addr)
	}
}
