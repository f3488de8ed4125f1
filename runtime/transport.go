package runtime

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// How connections are kept. A connection that went dead without a word is noticed by a
// ping; without one, Go's HTTP/2 client would go on using it for tens of seconds.
const (
	connectTimeout = 3 * time.Second // TCP and TLS; one lost SYN fits in
	idleTimeout    = 90 * time.Second
	pingAfter      = 5 * time.Second
	pingTimeout    = 3 * time.Second
	// grpc-go's servers, and others after their example, break a connection off that is
	// pinged more often than every five minutes while nothing is sent over it. A unary call
	// that meets a dead connection finds out by itself (see heed), and TCP's own keep-alive
	// ends a stream.
	rpcPingAfter = 5*time.Minute + 10*time.Second
	idlePerHost  = 64
	maxHeader    = 256 << 10
)

// A wire sends requests to the endpoint that their URL names.
type wire interface {
	RoundTrip(*http.Request) (*http.Response, error)
	CloseIdleConnections()
}

// newWire returns the transport of all endpoints of c: connections are kept per address.
// In plaintext, HTTP/2 has to be chosen beforehand (RFC 9113, 3.3), which gRPC needs.
func (c *Conn) newWire(w *wires, rpc bool) *http.Transport {
	ping := pingAfter
	if rpc {
		ping = rpcPingAfter
	}
	return &http.Transport{
		Protocols: c.protocols(rpc),
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := c.dial(ctx, network, addr)
			if err != nil || !rpc {
				return conn, err
			}
			return newBatched(conn, true), nil
		},
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return c.dialTLS(ctx, w, network, addr)
		},
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: ping, PingTimeout: pingTimeout},
	}
}

// wireOf returns the transport for gRPC or for REST; which are pinged differently.
func (c *Conn) wireOf(rpc bool) wire {
	if rpc {
		return c.wires().rpc
	}
	return c.wires().rest
}

// An unsentError says that no connection came about, so no request left.
type unsentError struct {
	addr string
	err  error
}

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

func (c *Conn) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	begun := c.now()
	d := net.Dialer{Timeout: connectTimeout, ControlContext: c.permit}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, &unsentError{addr, err}
	}
	c.connected(addr, begun)
	return conn, nil
}

// connected notes when a connection to addr came about.
func (c *Conn) connected(addr string, begun time.Duration) {
	if e := c.ends.at(addr); e != nil {
		e.dialed.note(begun, c.now())
	}
}

// dialed is when the last connection to an endpoint was made. Setting one up takes many
// times as long as a call over it, and says nothing of those that follow: an endpoint
// whose first call had to wait for a handshake would seem slow for as long as the picker
// remembers.
type dialed struct{ from, to atomic.Int64 }

func (d *dialed) note(from, to time.Duration) {
	d.from.Store(int64(from))
	d.to.Store(int64(to))
}

// without returns the time from start to now, less what a connection took to set up
// meanwhile. The call may not have waited for that one; then its sample is too low, which
// the peaks of others outweigh.
func (d *dialed) without(start, now time.Duration) time.Duration {
	took := now - start
	to := time.Duration(d.to.Load())
	if to <= start {
		return took
	}
	setup := min(to, now) - max(time.Duration(d.from.Load()), start)
	return max(took-max(setup, 0), took/10)
}

func (c *Conn) dialTLS(ctx context.Context, w *wires, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conf, err := c.tls.Client(c.serverName(addr), c.alpn()...)
	if err != nil {
		return nil, &unsentError{addr, err}
	}
	begun := c.now()
	w.since(c.tls.Generation())
	conf.ClientSessionCache = w.sessions
	raw, err := c.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	behind := newBatched(raw, false)
	conn := tls.Client(behind, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, &unsentError{addr, err}
	}
	behind.on.Store(conn.ConnectionState().NegotiatedProtocol == "h2")
	c.connected(addr, begun)
	return conn, nil
}

// serverName returns the name that the certificate of addr must bear.
func (c *Conn) serverName(addr string) string {
	if e := c.ends.at(addr); e != nil {
		return e.serverName
	}
	host, _, _ := net.SplitHostPort(addr)
	return host
}

// refusal finds out why addr, which never answered, broke off. With TLS 1.3 a server
// refuses our certificate after the handshake, when we may be writing already, and then
// the reason is lost more often than not. So it is asked once more, and listened to.
func (c *Conn) refusal(ctx context.Context, addr string, err error) error {
	if c.plaintext || tlsconf.Explain(err) != "" {
		return err
	}
	conn, again := c.dialTLS(ctx, c.wires(), "tcp", addr)
	if again != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(connectTimeout))
	if _, again = conn.Read(make([]byte, 1)); again != nil && tlsconf.Explain(again) != "" {
		return again
	}
	return err
}

// explain says in words what went wrong on the way to addr, and what to do about it.
// repeat is false where the same would happen again.
func explain(addr string, err error) (e *Error, repeat bool) {
	say := func(code Code, format string, args ...any) *Error {
		return &Error{Code: code, Message: fmt.Sprintf(format, args...), cause: err, inner: true}
	}
	if m := tlsconf.Explain(err); m != "" {
		return say(Unauthenticated, "%s: %s", addr, m), false
	}
	var header tls.RecordHeaderError
	var dns *net.DNSError
	switch {
	case errors.As(err, &header):
		return say(Unavailable, "%s does not speak TLS; if plaintext is meant, say http:// or WithPlaintext()", addr), false
	case strings.Contains(err.Error(), "malformed HTTP response"):
		return say(Unavailable, "%s does not speak HTTP in plaintext: %v; if it speaks TLS, say https://", addr, err), false
	case strings.Contains(err.Error(), "HTTP/1.1 header"):
		return say(Unavailable, "%s speaks HTTP/1.1 and was spoken to in HTTP/2, which gRPC needs; for Connect and gRPC-Web say WithHTTP(concordat.HTTP1)", addr), false
	case errors.As(err, &dns):
		return say(Unavailable, "cannot find %s: %v; check the name", addr, err), true
	case errors.Is(err, syscall.ECONNREFUSED):
		return say(Unavailable, "nothing listens at %s (connection refused); is the service running, and is the port right?", addr), true
	case unsent(err):
		return say(Unavailable, "cannot connect to %s: %v", addr, err), true
	}
	return say(Unavailable, "the exchange with %s broke off: %v", addr, err), true
}

func unsent(err error) bool {
	_, ok := errors.AsType[*unsentError](err)
	return ok
}
