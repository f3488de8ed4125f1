package runtime

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/concordat-dev/concordat/runtime/policy/admit"
	"github.com/concordat-dev/concordat/runtime/policy/retry"
)

// A Carrier is the transport of an engine, a package that carries calls in a way of its
// own. A connection has one for as long as its certificates and roots stay what they are.
type Carrier interface {
	// Retire lets calls that have begun go on, and closes connections as they end. It may
	// be called more than once.
	Retire()
}

// A carriage holds a carrier, once one is asked for.
type carriage struct {
	mu   sync.Mutex
	made atomic.Value // Carrier, in a box
}

type carrierBox struct{ Carrier }

func (c *carriage) retire() {
	if b, ok := c.made.Load().(carrierBox); ok {
		b.Retire()
	}
}

// Carrier returns the transport that make made for the present certificates. One that was
// retired meanwhile refuses calls, which ask again.
func (c *Conn) Carrier(make func(Link) Carrier) Carrier {
	w := c.wires()
	if b, ok := w.carriage.made.Load().(carrierBox); ok {
		return b.Carrier
	}
	w.carriage.mu.Lock()
	defer w.carriage.mu.Unlock()
	if b, ok := w.carriage.made.Load().(carrierBox); ok {
		return b.Carrier
	}
	made := make(Link{c, w})
	w.carriage.made.Store(carrierBox{made})
	return made
}

// A Link makes the connections of a Carrier, as the runtime makes its own.
type Link struct {
	c *Conn
	w *wires
}

// Secure reports whether connections are to be by TLS.
func (l Link) Secure() bool { return !l.c.plaintext }

// Dial connects to addr, before any handshake.
func (l Link) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return l.c.dial(ctx, "tcp", addr)
}

// Handshake does TLS with the server at addr, over raw, which it closes where that fails.
// HTTP/2 is what both agree on.
func (l Link) Handshake(ctx context.Context, addr string, raw net.Conn) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conf, err := l.c.tls.Client(l.c.serverName(addr), "h2")
	if err != nil {
		raw.Close()
		return nil, &unsentError{addr, err}
	}
	l.w.since(l.c.tls.Generation())
	conf.ClientSessionCache = l.w.sessions
	begun := l.c.now()
	conn := tls.Client(raw, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, &unsentError{addr, err}
	}
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		conn.Close()
		return nil, &unsentError{addr, Errorf(Unavailable, "it does not speak HTTP/2, which gRPC needs")}
	}
	l.c.connected(addr, begun)
	return conn, nil
}

// Authority returns what the request calls the server: the target's name, where it has
// one, or the endpoint's address.
func (a *Attempt) Authority() string {
	if a.at.authority != "" {
		return a.at.authority
	}
	return a.Endpoint.Addr
}

// Metadata returns what an engine's request to path carries beside its message: meta,
// which stays as it is, with priority and credentials.
func (a *Attempt) Metadata(ctx context.Context, path string, meta Meta) (Meta, error) {
	a.conn.spokeRPC.Store(true)
	signer := a.conn.signerOf(ctx)
	if signer == nil && ctx.Value(priorityKey{}) == nil {
		return meta, nil
	}
	req := &http.Request{Method: http.MethodPost, Header: meta.Clone(), URL: &url.URL{Scheme: a.Base.Scheme, Host: a.Authority(), Path: path}}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	prioritize(ctx, req.Header)
	err := signer.sign(req)
	if err == nil && req.URL.RawQuery != "" {
		err = Errorf(FailedPrecondition, "%s: credentials that travel in the query need the default engine", a.spec.Name)
	}
	if err != nil {
		a.verdict.Store(uint32(retry.Final) + 1)
		return nil, err
	}
	return req.Header, nil
}

// Answered notes that the endpoint answered an engine's request, and where it failed what
// came beside that; nil where it did not.
func (a *Attempt) Answered(ctx context.Context, failure Meta) {
	if !a.at.answered.Load() {
		a.at.answered.Store(true)
	}
	if failure == nil {
		return
	}
	a.conn.signerOf(ctx).heard(&http.Response{Header: failure})
	if failure[admit.Header] != nil {
		a.rejected.Store(true)
	}
}

// Broke says what became of an engine's exchange that brought no answer, and notes what
// the next attempt is to know. ctx is the exchange's; sent says that the request may have
// left.
func (a *Attempt) Broke(ctx context.Context, err error, sent bool) *Error {
	if !sent && !unsent(err) {
		err = &unsentError{a.Endpoint.Addr, err}
	}
	return a.failed(ctx, err)
}

// Bound returns ctx with the attempt's deadline, for exchanges that are over when the
// attempt's function returns.
func (a *Attempt) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return a.bound(ctx)
}
