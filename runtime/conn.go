package runtime

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/discovery"
)

// A Conn reaches one service, at however many endpoints, or a broker. It is safe for
// concurrent use, and made to be kept for as long as the program runs.
type Conn struct {
	common
	target    *target // nil: broker only
	resolvers map[string]discovery.Resolver
	retries   int
	validate  bool
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
// All but http:// use TLS 1.3, unless WithPlaintext is given.
func NewConn(target string, opts ...ConnOption) (*Conn, error) { return newConn(target, opts) }

// NewBrokerConn returns a connection that publishes to b. The caller closes b.
func NewBrokerConn(b broker.Broker, opts ...ConnOption) (*Conn, error) {
	return nil, Errorf(Unimplemented, "skeleton")
}

func newConn(t string, opts []ConnOption) (*Conn, error) {
	c := &Conn{retries: DefaultRetries}
	c.defaults()
	for _, o := range opts {
		o.conn(c)
	}
	parsed, err := parseTarget(t, slices.Collect(maps.Keys(c.resolvers)))
	c.target = parsed
	return c, err
}

// Close stops resolving and closes idle connections. Calls in flight go on; new ones
// fail.
func (c *Conn) Close() error { return nil }

// ValidatesResponses reports whether WithResponseValidation was given. Stubs ask.
func (c *Conn) ValidatesResponses() bool { return c.validate }

// Invoke runs one call: it sets the deadline, counts, and calls last within the
// interceptors. Stubs call it, with a last that calls [Conn.Try] or publishes.
//
// A unary call or request without a deadline gets one (WithTimeout). Streams get none:
// feeds live long, and who opens one says for how long.
func (c *Conn) Invoke(ctx context.Context, call *Call, in any, last Next) (any, error) {
	return run(ctx, c.chain, call, in, last)
}

// Try makes the attempts of one call: it picks an endpoint, calls attempt, and when that
// fails in a way that another endpoint may mend, waits and does so again. attempt must
// be able to run more than once and returns an *Error where the server answered with a
// failure; everything else counts as an endpoint that could not be reached.
//
// Repeated are idempotent operations, and others only when the request provably was
// never sent. Operations that stream are repeated only when not sent.
func (c *Conn) Try(ctx context.Context, spec *Spec, attempt func(ctx context.Context, a *Attempt) error) error {
	return Errorf(Unimplemented, "skeleton")
}

// An Attempt is one try at one endpoint. It is valid until the function that it was
// given to returns, or as long as the context of [Attempt.Context] is.
type Attempt struct {
	N        int // 0 for the first
	Endpoint discovery.Endpoint
	Base     *url.URL // scheme, address and base path; shared: copy before changing
}

// Do sends req to the endpoint and returns its reply, whatever the status. req.URL must
// begin with Base. The reply's body is limited to WithMaxBody and bound to the attempt's
// deadline; the caller closes it. Errors are *Error and say what to do next.
//
// Do sets Grpc-Timeout to what is left of the deadline, and Host to the target's name.
func (a *Attempt) Do(req *http.Request) (*http.Response, error) {
	return nil, Errorf(Unimplemented, "skeleton")
}

// DoStream is Do for a reply whose body outlives the call: no limit, no deadline but the
// caller's own, and the call's default deadline bounds only the wait for the headers.
func (a *Attempt) DoStream(req *http.Request) (*http.Response, error) {
	return nil, Errorf(Unimplemented, "skeleton")
}

// Context returns ctx with the attempt's deadline, and with the attempt in it for
// [Conn.Transport]. For streaming operations it adds no deadline. The caller calls
// cancel when the exchange, body included, is over.
func (a *Attempt) Context(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	return context.WithCancel(ctx)
}

// Deadline returns when the attempt must be over; the zero time means never.
func (a *Attempt) Deadline() time.Time { return time.Time{} }

// Transport returns a client that sends each request to the endpoint of the attempt in
// the request's context (see [Attempt.Context]), whatever host the request names, by
// HTTP/2 in plaintext, too, since gRPC needs it. It sets no timeout header and no
// deadline: protocols that use it have their own.
func (c *Conn) Transport() Doer { return nil }

// A Doer sends HTTP requests, as http.Client does.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}
