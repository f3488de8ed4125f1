package runtime

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/dns"
	"github.com/concordat-dev/concordat/runtime/discovery/static"
	"github.com/concordat-dev/concordat/runtime/policy/balance"
	"github.com/concordat-dev/concordat/runtime/policy/budget"
	"github.com/concordat-dev/concordat/runtime/policy/hedge"
	"github.com/concordat-dev/concordat/runtime/policy/retry"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Conn reaches one service, at however many endpoints, or a broker. It is safe for
// concurrent use, and made to be kept for as long as the program runs.
type Conn struct {
	common
	target            *target // nil: broker only
	resolvers         map[string]discovery.Resolver
	resolver          discovery.Resolver
	ends              *endpoints
	retries           int
	retry             retry.Policy
	budget            *budget.Budget
	balance           balance.Config
	hedging           *hedge.Config // nil: none
	delays            keyed         // of hedging: *hedge.Delay, by *Spec
	probePath         string        // "": any answer will do
	sources           map[*auth.Scheme]auth.Source
	validate          bool
	validatePublished bool // see WithPublishValidation
	http              HTTPVersion
	wired             atomic.Value // *wires
	rotating          atomic.Bool
	alarmed           atomic.Bool // invalid certificates were reported
	spokeRPC          atomic.Bool
	streaming         reconnecting // see WithReconnects
	hook              *hook        // nil: no connection to a single URL
}

// NewConn prepares a connection to target and does no I/O. The scheme of target says
// how endpoints are found:
//
//	https://host[:port][/base]   one endpoint, TLS
//	http://host[:port][/base]    one endpoint, plaintext
//	dns:host:port[/base]         every address of host, resolved again and again
//	host:port[/base]             the same
//	static:h1:p1,h2:p2[/base]    these
//	other://…                    what the resolver given by WithResolver makes of it
//
// All but http:// use TLS 1.3, unless WithPlaintext is given. Proxies that the
// environment names are not used, and redirects are not followed.
func NewConn(target string, opts ...ConnOption) (*Conn, error) {
	c := newConn(opts)
	if err := c.govern(); err != nil {
		return nil, err
	}
	parsed, err := parseTarget(target, slices.Collect(maps.Keys(c.resolvers)))
	if err != nil {
		return nil, Errorf(InvalidArgument, "%w", err)
	}
	c.target = parsed
	asked := c.plaintext
	if err := c.secure(); err != nil {
		return nil, err
	}
	if c.plaintext && !asked && len(c.sources) > 0 {
		return nil, Errorf(InvalidArgument, "target %s is plaintext, which shows credentials to everybody on the way; say https://, or WithPlaintext() too if that is meant", c.target.url.Redacted())
	}
	c.resolve()
	c.wired.Store(c.newWires())
	return c, nil
}

// NewBrokerConn returns a connection that publishes to b. The caller closes b.
func NewBrokerConn(b broker.Broker, opts ...ConnOption) (*Conn, error) {
	if b == nil {
		return nil, Errorf(InvalidArgument, "NewBrokerConn: the broker is nil")
	}
	c := newConn(opts)
	if err := c.govern(); err != nil {
		return nil, err
	}
	c.broker = b
	return c, nil
}

func newConn(opts []ConnOption) *Conn {
	c := &Conn{retries: DefaultRetries, balance: balance.Default}
	c.defaults()
	for _, o := range opts {
		o.conn(c)
	}
	c.retry = retry.Default
	c.retry.Max = c.retries
	c.budget = budget.New(0)
	c.ends = newEndpoints(c.balance)
	c.delays = new(sync.Map)
	return c
}

// secure decides between TLS and plaintext, which has to be said.
func (c *Conn) secure() error {
	switch scheme := c.target.scheme; {
	case scheme == "http" && c.tls != nil:
		return Errorf(InvalidArgument, "target %s is plaintext, but WithTLS was given; say https://", c.target.url.Redacted())
	case scheme == "https" && c.plaintext:
		return Errorf(InvalidArgument, "target %s is TLS, but WithPlaintext was given; say http://", c.target.url.Redacted())
	case c.tls != nil && c.plaintext:
		return Errorf(InvalidArgument, "WithTLS and WithPlaintext exclude each other")
	case scheme == "http" && c.hook != nil && !c.plaintext:
		return Errorf(InvalidArgument, "the URL of a hook must be https, not http; WithPlaintext allows it")
	case scheme == "http":
		c.plaintext = true
	case c.tls == nil:
		c.tls = tlsconf.System()
	}
	return nil
}

// resolve chooses the resolver. A target that is its only endpoint needs none.
func (c *Conn) resolve() {
	switch r, ok := c.resolvers[c.target.scheme]; {
	case ok:
		c.resolver = r
	case c.target.scheme == "static":
		c.resolver = static.Resolver{}
	case c.target.scheme == "dns":
		c.resolver = dns.Resolver{}
	default:
		c.ends.update(0, []*endpoint{c.target.endpoint(discovery.Endpoint{Addr: c.target.url.Host}, c.scheme())})
	}
}

func (c *Conn) scheme() string {
	if c.plaintext {
		return "http"
	}
	return "https"
}

// Close stops resolving and closes idle connections. Calls in flight go on; new ones
// fail.
func (c *Conn) Close() error {
	c.ends.close()
	if c.target != nil {
		c.wires().closeIdle()
	}
	return nil
}

// String returns the target, or the broker's name.
func (c *Conn) String() string {
	if c.target == nil {
		return fmt.Sprintf("broker %s", c.broker.Name())
	}
	return c.target.url.Redacted()
}

// ValidatesResponses reports whether WithResponseValidation was given. Stubs ask.
func (c *Conn) ValidatesResponses() bool { return c.validate }

// Invoke runs one call: it sets the deadline and the trace, counts, and calls last within
// the interceptors. Stubs call it, with a last that calls [Conn.Try] or publishes.
//
// What does not stream gets a deadline when it has none (WithTimeout). Streams get none:
// feeds live long, and who opens one says for how long.
func (c *Conn) Invoke(ctx context.Context, call *Call, in any, last Next) (any, error) {
	if _, ok := ctx.Deadline(); !ok && !call.Kind.Streams() {
		if limit := c.limitOf(call.Spec); limit > 0 {
			limited, cancel := context.WithTimeout(context.WithValue(ctx, callerKey{}, ctx), limit)
			defer cancel()
			ctx = limited
		}
	}
	ctx = c.ranked(ctx, call.Spec)
	call.follow(ctx)
	if need := c.security(call.Spec); len(need) > 0 {
		last = c.authenticated(call, need, last)
	}
	return c.count(ctx, call, in, last)
}

// callerKey finds the context that the caller gave, before it got a default deadline.
type callerKey struct{}

func callerOf(ctx context.Context) context.Context {
	if caller, ok := ctx.Value(callerKey{}).(context.Context); ok {
		return caller
	}
	return ctx
}
