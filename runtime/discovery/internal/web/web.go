// Package web asks registries over HTTP, and survives those that answer with garbage, too
// much, too slowly, or by sending one elsewhere.
//
// It imports runtime/tlsconf and the standard library.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// The limits of an exchange that names none.
const (
	Timeout   = 10 * time.Second // from the first byte sent to the last one received
	MaxBytes  = 32 << 20         // of an answer, or of a line of a stream
	Redirects = 3                // followed on the same server, by GET only
)

// Config says whom a Client asks.
type Config struct {
	Servers    []string        // base URLs, asked in order when one fails
	TLS        *tlsconf.Config // for https; nil means tlsconf.System
	ServerName string          // that certificates must bear; "" means the server's host
	// Auth adds credentials to a request; nil means none.
	Auth func(ctx context.Context, h http.Header) error
	// Dial connects; nil means a net.Dialer that notices dead peers in half a minute.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Client asks. It keeps to the server that answered last.
type Client struct {
	servers   []*url.URL
	current   atomic.Int64
	config    Config
	http      *http.Client
	transport *http.Transport

	mu         sync.Mutex
	generation string // of the certificates that open connections were made with
}

// New returns a Client. It does no I/O.
func New(c Config) (*Client, error) {
	client := &Client{config: c}
	for _, s := range c.Servers {
		u, err := url.Parse(s)
		if err != nil {
			return nil, fmt.Errorf("the registry's address: %w", err)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("the registry's address %q: say http://host:port or https://host:port", u.Redacted())
		}
		if u.Scheme == "http" && c.TLS != nil {
			return nil, fmt.Errorf("the registry's address %q is plaintext, but TLS is configured; say https://", u.Redacted())
		}
		client.servers = append(client.servers, u)
	}
	if len(client.servers) == 0 {
		return nil, errors.New("the registry has no address; say http://host:port or https://host:port")
	}
	if client.config.TLS == nil {
		client.config.TLS = tlsconf.System()
	}
	if client.config.Dial == nil {
		client.config.Dial = (&net.Dialer{
			Timeout:         Timeout / 2,
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		}).DialContext
	}
	client.transport = &http.Transport{
		DialContext:            client.config.Dial,
		DialTLSContext:         client.dialTLS,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
	}
	client.http = &http.Client{Transport: client.transport, CheckRedirect: checkRedirect}
	return client, nil
}

func (c *Client) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	name := c.config.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(addr)
	}
	conf, err := c.config.TLS.Client(name, "http/1.1")
	if err != nil {
		return nil, err
	}
	return handshake(ctx, c.config.Dial, network, addr, conf)
}

// A server may answer under another path, but neither elsewhere nor for ever.
func checkRedirect(r *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > Redirects:
		return fmt.Errorf("redirected more than %d times", Redirects)
	case r.URL.Scheme != first.URL.Scheme || r.URL.Host != first.URL.Host:
		return fmt.Errorf("redirected to another server, %s, which is not followed", r.URL.Redacted())
	case first.Method != http.MethodGet:
		return fmt.Errorf("a %s was redirected, which is not followed", first.Method)
	}
	return nil
}

// An Exchange is a request and the limits of its answer.
type Exchange struct {
	Method string // "" means GET
	Path   string // escaped, below the base URL
	Query  url.Values
	Header http.Header
	Body   any           // sent as JSON, unless nil
	Time   time.Duration // for the whole exchange; 0 means Timeout. For a stream: how long it is read
	Max    int64         // bytes; 0 means MaxBytes
}

// An Answer is a response with a status from 200 to 299.
type Answer struct {
	Header http.Header
	Body   []byte
}

// A StatusError is a response with any other status.
type StatusError struct {
	Status int
	What   string // method and URL, without credentials
	Body   string // its beginning
}

// Error says what was asked and what was answered.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s: %d %s", e.What, e.Status, http.StatusText(e.Status))
	if e.Body != "" {
		s += ": " + e.Body
	}
	return s
}

// StatusOf returns the status in err, or 0.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Status
	}
	return 0
}

// Do exchanges x with the first server that is able to.
func (c *Client) Do(ctx context.Context, x Exchange) (*Answer, error) {
	var a *Answer
	err := c.each(ctx, x, func(ctx context.Context, r *http.Request) (bool, error) {
		var err error
		a, err = c.exchange(r, x)
		return false, err
	})
	return a, err
}

// JSON is Do, with the answer decoded into v.
func (c *Client) JSON(ctx context.Context, x Exchange, v any) (http.Header, error) {
	a, err := c.Do(ctx, x)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		return nil, fmt.Errorf("%s answered what is not the JSON expected: %w", x.what(c.server(0)), err)
	}
	return a.Header, nil
}

func (x Exchange) what(u *url.URL) string {
	method := x.Method
	if method == "" {
		method = http.MethodGet
	}
	return method + " " + strings.TrimRight(u.Redacted(), "/") + x.Path
}

func (c *Client) server(i int) *url.URL {
	return c.servers[(int(c.current.Load())+i)%len(c.servers)]
}

// each tries the servers in turn until one answers: with anything but 502, 503 and 504,
// or f says that what it began cannot be repeated.
func (c *Client) each(ctx context.Context, x Exchange, f func(context.Context, *http.Request) (begun bool, err error)) error {
	c.refresh()
	start := int(c.current.Load())
	var errs []error
	for i := range c.servers {
		at := (start + i) % len(c.servers)
		begun, err := c.attempt(ctx, c.servers[at], x, f)
		if s := StatusOf(err); err == nil || begun || s != 0 && (s < 502 || s > 504) {
			c.current.Store(int64(at))
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *Client) attempt(ctx context.Context, server *url.URL, x Exchange, f func(context.Context, *http.Request) (bool, error)) (bool, error) {
	limit := x.Time
	if limit == 0 {
		limit = Timeout
	}
	late := fmt.Errorf("%s: not done after %v", x.what(server), limit)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	r, err := c.request(ctx, server, x)
	if err != nil {
		return false, err
	}
	begun, err := f(ctx, r)
	if err != nil && context.Cause(ctx) == late && StatusOf(err) == 0 {
		err = late
	}
	return begun, err
}

func (c *Client) request(ctx context.Context, server *url.URL, x Exchange) (*http.Request, error) {
	var body io.Reader
	if x.Body != nil {
		b, err := json.Marshal(x.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	u := strings.TrimRight(server.String(), "/") + x.Path
	if len(x.Query) > 0 {
		u += "?" + x.Query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, x.Method, u, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "concordat")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range x.Header {
		r.Header[k] = v
	}
	if c.config.Auth != nil {
		if err := c.config.Auth(ctx, r.Header); err != nil {
			return nil, fmt.Errorf("credentials for the registry: %w", err)
		}
	}
	return r, nil
}

// refresh gives up idle connections when certificates have been replaced since, so that
// what was revoked does not live on in them.
func (c *Client) refresh() {
	if err := c.config.TLS.Load(); err != nil {
		return // the handshake says so
	}
	g := c.config.TLS.Generation()
	c.mu.Lock()
	changed := c.generation != "" && g != c.generation
	c.generation = g
	c.mu.Unlock()
	if changed {
		c.transport.CloseIdleConnections()
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
