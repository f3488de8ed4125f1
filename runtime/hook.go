package runtime

import (
	"context"
	"net/netip"
	"net/url"
	"syscall"
)

// A hook is one URL that somebody else gave us to call.
type hook struct {
	url     *url.URL
	private bool // addresses of private networks are allowed
}

// NewHook prepares a connection to exactly one URL, which a subscriber gave: of a webhook,
// or of a callback. Every operation goes to that URL, its query included, whatever path
// the contract names.
//
// Who gives a URL decides where this program connects to (server-side request forgery).
// So the scheme must be https, unless WithPlaintext is given; addresses of this host and
// of private networks are refused when they are dialled, after resolving, unless
// WithPrivateNetworks is; credentials in the URL are refused; redirects are not followed.
// Do not give the connection secrets that are not meant for the subscriber.
func NewHook(rawURL string, opts ...ConnOption) (*Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return nil, Errorf(InvalidArgument, "a hook needs an absolute URL such as https://host/path")
	}
	if u.User != nil || u.Fragment != "" {
		return nil, Errorf(InvalidArgument, "the URL %s has credentials or a fragment, which a hook may not", u.Redacted())
	}
	return NewConn((&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), append([]ConnOption{forHook(u)}, opts...)...)
}

func forHook(u *url.URL) ConnOption { return connOption(func(c *Conn) { c.hook = &hook{url: u} }) }

// WithPrivateNetworks lets a connection of NewHook reach this host and private networks:
// for tests, and where subscribers are services of one's own.
func WithPrivateNetworks() ConnOption {
	return connOption(func(c *Conn) {
		if c.hook != nil {
			c.hook.private = true
		}
	})
}

// Hook returns the URL that NewHook was given; nil for other connections. Stubs ask.
func (c *Conn) Hook() *url.URL {
	if c.hook == nil {
		return nil
	}
	return c.hook.url
}

// permit refuses addresses that a hook may not reach. It is called with the address that
// the name resolved to, so that no name can hide one.
func (c *Conn) permit(_ context.Context, _, addr string, _ syscall.RawConn) error {
	if c.hook == nil || c.hook.private {
		return nil
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return Errorf(PermissionDenied, "the address %s of a hook cannot be judged: %w", addr, err)
	}
	if !public(at.Addr().Unmap()) {
		return Errorf(PermissionDenied, "the hook leads to %s, which is no public address; WithPrivateNetworks allows it", at.Addr())
	}
	return nil
}

// reserved are networks that netip does not name: RFC 6598 (carriers), RFC 6890, RFC 2544
// (benchmarks), RFC 1112 (class E), and those that hold an IPv4 address (RFC 6052, RFC 3056,
// RFC 4380).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
