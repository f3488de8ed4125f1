// Package web is the HTTP client that talks to those who issue tokens: TLS, no redirects,
// and limits on what they say and how long they take.
//
// It imports runtime/tlsconf and the standard library.
package web

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// The limits of an exchange.
const (
	Timeout  = 10 * time.Second
	MaxBytes = 1 << 20
)

// Check refuses an address that is no URL, or one in plaintext where that was not asked
// for.
func Check(what, address string, plaintext bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case u.Scheme == "https" && u.Hostname() != "":
		return nil
	case u.Scheme == "http" && u.Hostname() != "" && plaintext:
		return nil
	case u.Scheme == "http" && u.Hostname() != "":
		return fmt.Errorf("%s %s is plaintext, which shows secrets to everybody on the way; say https://, or set Plaintext if that is meant", what, u.Redacted())
	}
	return fmt.Errorf("%s %q: say https://host/path", what, u.Redacted())
}

// Client returns a client that trusts whom conf trusts; nil means tlsconf.System. It
// follows no redirect: a secret is for one host alone.
func Client(conf *tlsconf.Config, plaintext bool) *http.Client {
	if conf == nil {
		conf = tlsconf.System()
	}
	dialer := &net.Dialer{Timeout: Timeout / 2}
	t := &http.Transport{
		DialContext: dialer.DialContext,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, _, _ := net.SplitHostPort(addr)
			c, err := conf.Client(host, "http/1.1")
			if err != nil {
				return nil, err
			}
			raw, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			secured := tls.Client(raw, c)
			if err := secured.HandshakeContext(ctx); err != nil {
				raw.Close()
				return nil, err
			}
			return secured, nil
		},
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    Timeout / 2,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{Transport: &limited{t, plaintext}, Timeout: Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// limited cuts off replies that are too large.
type limited struct {
	http.RoundTripper
	plaintext bool
}

// RoundTrip implements http.RoundTripper. What the other side names as its endpoints is
// held to the same rules as what we were given.
func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := Check("the endpoint", r.URL.Scheme+"://"+r.URL.Host, l.plaintext); err != nil {
		return nil, err
	}
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &body{resp.Body, MaxBytes}
	return resp, nil
}

type body struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("the reply is larger than %d bytes", MaxBytes)
	}
	return n, err
}
