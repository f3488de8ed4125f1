package runtime

import (
	"net/netip"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "203.0.114.1": true,
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "fd00::1": false,
		"169.254.169.254": false, "fe80::1": false, "100.64.0.1": false, "198.18.0.1": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "192.0.0.8": false,
	} {
		if got := public(netip.MustParseAddr(addr).Unmap()); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

func TestHooksTakeWhatIsSafe(t *testing.T) {
	for url, opts := range map[string][]ConnOption{
		"https://example.com/a/?b=c": nil,
		"http://example.com/a":       {WithPlaintext()},
	} {
		c, err := NewHook(url, opts...)
		if err != nil || c.Hook().String() != url {
			t.Errorf("%s: %v, %v", url, c, err)
			continue
		}
		if err := c.permit(t.Context(), "tcp", "10.0.0.1:443", nil); ErrorOf(err).Code != PermissionDenied {
			t.Errorf("%s may reach a private network: %v", url, err)
		}
		c.Close()
	}
	if _, err := NewHook("http://example.com/a"); ErrorOf(err).Code != InvalidArgument {
		t.Errorf("plaintext without a word: %v", err)
	}
	c, err := NewConn("https://example.com", WithPrivateNetworks())
	if err != nil || c.permit(t.Context(), "tcp", "10.0.0.1:443", nil) != nil || c.Hook() != nil {
		t.Errorf("other connections go where the program says: %v", err)
	}
}

func TestBelow(t *testing.T) {
	s := NewServer(WithPlaintext())
	var seen []string
	s.Below("/a/", func(s *Server) {
		s.Below("/b", func(s *Server) { seen = append(seen, s.below) })
		seen = append(seen, s.below)
	})
	s.Below("/", func(s *Server) { seen = append(seen, s.below) })
	if len(seen) != 3 || seen[0] != "/a/b" || seen[1] != "/a" || seen[2] != "" || s.below != "" || len(s.wrong) > 0 {
		t.Errorf("%q, %v", seen, s.wrong)
	}
	for _, bad := range []string{"a", "/{x}", "/a?b", "https://h/a"} {
		before := len(s.wrong)
		if s.Below(bad, func(*Server) { t.Errorf("%q was taken", bad) }); len(s.wrong) != before+1 {
			t.Errorf("%q is no prefix", bad)
		}
	}
}

func TestHooksKeepTheLast(t *testing.T) {
	h := NewHooks(2)
	get := func(url string) *Conn {
		t.Helper()
		c, err := h.Conn(url)
		if err != nil || c.Hook().String() != url {
			t.Fatal(c, err)
		}
		return c
	}
	a, b := get("https://a.example/x"), get("https://a.example/y")
	if get("https://a.example/x") != a || a == b {
		t.Error("a connection is one per URL")
	}
	get("https://c.example/")
	if get("https://a.example/x") != a || get("https://a.example/y") == b {
		t.Error("the least used one was to go")
	}
	if _, err := h.Conn("ftp://x"); ErrorOf(err).Code != InvalidArgument || h.used.Len() != 2 {
		t.Error(err, h.used.Len())
	}
	if err := h.Close(); err != nil || h.used.Len() != 0 {
		t.Error(err)
	}
}
