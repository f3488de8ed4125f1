package runtime

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/policy/balance"
)

// An endpoint is one instance of the service, as the newest set describes it.
type endpoint struct {
	discovery.Endpoint
	balance.Host
	base       *url.URL
	authority  string // what Host says; "" means Addr
	serverName string
	*endpointState
}

// An endpointState outlives the set that named its endpoint.
type endpointState struct {
	answered atomic.Bool // ever
	dialed   dialed

	heard, suspected atomic.Int64 // when it last answered, and when its connections were replaced
}

// endpoints keeps the set of a connection up to date.
type endpoints struct {
	group *balance.Group

	mu       sync.Mutex
	all      map[string]*endpoint // by address
	err      error                // what the resolver said last, while no set is known
	closed   bool
	start    sync.Once
	reported chan struct{} // closed by the first report
	report   sync.Once
	ctx      context.Context // until the connection is closed
	cancel   context.CancelFunc
}

func newEndpoints(config balance.Config) *endpoints {
	ctx, cancel := context.WithCancel(context.Background())
	return &endpoints{group: balance.New(config), reported: make(chan struct{}), ctx: ctx, cancel: cancel}
}

// update replaces the set; what is known of endpoints that stay is kept.
func (e *endpoints) update(now time.Duration, fresh []*endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all, hosts := make(map[string]*endpoint, len(fresh)), make([]*balance.Host, len(fresh))
	for i, f := range fresh {
		if o := e.all[f.Endpoint.Addr]; o != nil {
			f.endpointState = o.endpointState
		} else {
			f.endpointState = new(endpointState)
		}
		f.Host = balance.Host{Addr: f.Endpoint.Addr, Weight: f.Endpoint.Weight, Zone: f.Endpoint.Zone, Value: f}
		hosts[i], all[f.Endpoint.Addr] = &f.Host, f
	}
	e.all = all
	e.group.Update(now, hosts)
}

// at returns the endpoint of an address, or nil.
func (e *endpoints) at(addr string) *endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[addr]
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
	e.group.Close()
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
func (c *Conn) endpointSet(ctx context.Context) (*balance.Set, error) {
	if s := c.ends.group.Set(); s != nil {
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
	if s := c.ends.group.Set(); s != nil {
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
		if c.ends.group.Set() != nil {
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

// probeTimeout bounds a probe.
const probeTimeout = time.Second

// tend does what is to be done now and then, beside the calls: it says which endpoints a
// sweep ejected, and probes those whose ejection is over.
func (c *Conn) tend(now time.Duration) {
	c.rotate()
	ejected, due := c.ends.group.Tick(now)
	for _, h := range ejected {
		c.log.Warn("endpoint ejected, since most calls fail there", "target", c.String(), "endpoint", h.Addr)
	}
	for _, h := range due {
		go c.probe(h.Value.(*endpoint))
	}
}

// probe asks an ejected endpoint for any answer at all: what an instance that hangs does
// to a probe, it would have done to a call. One that answers 502 to 504 is a proxy with
// nothing behind it, or not ready.
func (c *Conn) probe(e *endpoint) {
	ctx, cancel := context.WithTimeout(c.ends.ctx, probeTimeout)
	defer cancel()
	resp, err := c.wireOf(c.spokeRPC.Load()).RoundTrip(c.probeRequest(ctx, e))
	alive := err == nil
	if alive {
		resp.Body.Close()
		alive = resp.StatusCode < 502 || resp.StatusCode > 504
		if c.probePath != "" {
			alive = resp.StatusCode/100 == 2
		}
	}
	c.ends.group.Probed(c.now(), &e.Host, alive)
	if alive {
		c.log.Info("endpoint answers again", "target", c.target.url.Redacted(), "endpoint", e.Host.Addr)
	}
}

func (c *Conn) probeRequest(ctx context.Context, e *endpoint) *http.Request {
	u, method := *e.base, http.MethodOptions
	u.Path, u.RawPath = "*", "" // OPTIONS * asks for the server itself: RFC 9110, 9.3.7
	if c.probePath != "" {
		u.Path, method = c.probePath, http.MethodGet
	}
	return (&http.Request{Method: method, URL: &u, Host: e.authority, Header: http.Header{}}).WithContext(ctx)
}
