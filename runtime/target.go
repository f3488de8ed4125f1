package runtime

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// known are the schemes that need no WithResolver.
var known = []string{"https", "http", "dns", "static"}

// A target is what NewConn was told, taken apart.
type target struct {
	url    *url.URL // for the resolver
	scheme string
	path   string // what all routes begin with: "" or "/v1"
	// authority is what Host says where the endpoint does not.
	authority string
}

// parseTarget understands URLs ("https://h/v1", "consul://users"), the short forms
// "dns:h:p", "static:h1:p,h2:p" and a bare "h:p", which means dns. custom are the
// schemes of WithResolver.
func parseTarget(s string, custom []string) (*target, error) {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || s == "" {
		return nil, fmt.Errorf("target %q: say host:port, or a URL such as https://host/base", s)
	}
	scheme = strings.ToLower(scheme)
	switch {
	case slices.Contains(custom, scheme):
		return parseCustom(s, scheme)
	case scheme == "http" || scheme == "https":
		return parseHTTP(s, scheme)
	case scheme == "dns" || scheme == "static":
		return parseHosts(s, scheme, strings.TrimPrefix(rest, "//"))
	case isPort(s):
		return parseHosts(s, "dns", s)
	}
	return nil, fmt.Errorf("target %q: the scheme %q is unknown; known are %s, and those given by WithResolver%s",
		s, scheme, strings.Join(known, ", "), list(custom))
}

func list(custom []string) string {
	if len(custom) == 0 {
		return ""
	}
	slices.Sort(custom)
	return " (" + strings.Join(custom, ", ") + ")"
}

// isPort reports whether s is host:port, perhaps with a path behind.
func isPort(s string) bool {
	s, _, _ = strings.Cut(s, "/")
	host, port, err := net.SplitHostPort(s)
	n, perr := strconv.ParseUint(port, 10, 16)
	return err == nil && perr == nil && n > 0 && host != ""
}

func parseCustom(s, scheme string) (*target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return &target{url: u, scheme: scheme}, nil
}

func parseHTTP(s, scheme string) (*target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	switch {
	case u.Hostname() == "":
		return nil, fmt.Errorf("target %q: the host is missing", s)
	case u.User != nil:
		return nil, fmt.Errorf("target %q: credentials do not belong in a target; send them by an interceptor that sets Meta", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("target %q: a target has neither query nor fragment", s)
	}
	authority := u.Host
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[scheme])
	}
	return &target{url: u, scheme: scheme, path: strings.TrimRight(u.EscapedPath(), "/"), authority: authority}, nil
}

// parseHosts understands "h1:p1,h2:p2/base"; dns takes one host only.
func parseHosts(s, scheme, rest string) (*target, error) {
	hosts, path, _ := strings.Cut(rest, "/")
	all := strings.Split(hosts, ",")
	if scheme == "dns" && len(all) > 1 {
		return nil, fmt.Errorf("target %q: dns takes one name; several hosts are static:%s", s, hosts)
	}
	for _, h := range all {
		if !isPort(h) {
			return nil, fmt.Errorf("target %q: %q is not host:port", s, h)
		}
	}
	if path = strings.TrimRight(path, "/"); path != "" {
		path = "/" + path
	}
	return &target{url: &url.URL{Scheme: scheme, Host: hosts, Path: path}, scheme: scheme, path: path, authority: hosts}, nil
}
