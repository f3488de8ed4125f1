package runtime

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

func TestTargets(t *testing.T) {
	for in, want := range map[string][4]string{ // scheme, host, base path, authority
		"https://h":                   {"https", "h:443", "", "h"},
		"https://h:8443/v1/":          {"https", "h:8443", "/v1", "h:8443"},
		"http://h":                    {"http", "h:80", "", "h"},
		"https://[::1]":               {"https", "[::1]:443", "", "[::1]"},
		"HTTPS://h/a%2Fb":             {"https", "h:443", "/a%2Fb", "h"},
		"dns:h:80":                    {"dns", "h:80", "", "h:80"},
		"dns://h:80/v1":               {"dns", "h:80", "/v1", "h:80"},
		"h:80":                        {"dns", "h:80", "", "h:80"},
		"users.example.com:8443/v1":   {"dns", "users.example.com:8443", "/v1", "users.example.com:8443"},
		"[::1]:80":                    {"dns", "[::1]:80", "", "[::1]:80"},
		"static:a:1,b:2":              {"static", "a:1,b:2", "", "a:1,b:2"},
		"static:a:1,[::1]:2/base/x":   {"static", "a:1,[::1]:2", "/base/x", "a:1,[::1]:2"},
		"reg://users/v1?tag=x":        {"reg", "users", "", ""},
		"reg:users":                   {"reg", "", "", ""},
		"static://127.0.0.1:1/base/x": {"static", "127.0.0.1:1", "/base/x", "127.0.0.1:1"},
	} {
		got, err := parseTarget(in, []string{"reg"})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if g := [4]string{got.scheme, got.url.Host, got.path, got.authority}; g != want {
			t.Errorf("%s: %q, want %q", in, g, want)
		}
	}
	for in, want := range map[string]string{
		"":                "say host:port",
		"users":           "say host:port",
		"consul://users":  `"consul" is unknown; known are https, http, dns, static, and those given by WithResolver (reg)`,
		"ftp://h":         "unknown",
		"h:notaport":      "unknown",
		"h:0":             "unknown",
		"https://":        "host is missing",
		"https://u:p@h":   "credentials",
		"https://h?x=1":   "neither query nor fragment",
		"https://h:x":     "invalid port",
		"dns:a:1,b:2":     "static:a:1,b:2",
		"static:a":        `"a" is not host:port`,
		"static:a:1,,b:2": `"" is not host:port`,
		"static:":         "not host:port",
		"dns:":            "not host:port",
		"https://h\x7f":   "invalid control character",
	} {
		if _, err := parseTarget(in, []string{"reg"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", in, err, want)
		}
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("https://h:1/x")
	f.Add("static:a:1,b:2")
	f.Add("[::1]:80/")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := NewConn(s)
		if err == nil {
			c.Close()
		} else if ErrorOf(err).Code != InvalidArgument {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func TestPlaintextAndTLSExclude(t *testing.T) {
	for _, c := range []struct {
		target    string
		opts      []ConnOption
		plaintext bool
		want      string
	}{
		{"http://h", nil, true, ""},
		{"https://h", nil, false, ""},
		{"h:1", nil, false, ""},
		{"static:h:1", []ConnOption{WithPlaintext()}, true, ""},
		{"http://h", []ConnOption{WithTLS(tlsconf.System())}, false, "say https://"},
		{"https://h", []ConnOption{WithPlaintext()}, false, "say http://"},
		{"h:1", []ConnOption{WithPlaintext(), WithTLS(tlsconf.System())}, false, "exclude"},
	} {
		conn, err := NewConn(c.target, c.opts...)
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v does not say %q", c.target, err, c.want)
			}
		case err != nil:
			t.Errorf("%s: %v", c.target, err)
		case conn.plaintext != c.plaintext:
			t.Errorf("%s: plaintext %v", c.target, conn.plaintext)
		}
	}
}

func TestBrokerConnMakesNoCalls(t *testing.T) {
	if _, err := NewBrokerConn(nil); ErrorOf(err).Code != InvalidArgument {
		t.Error(err)
	}
	c := newConn(nil)
	if err := c.Try(t.Context(), &pipelineSpec, nil); ErrorOf(err).Code != FailedPrecondition {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
