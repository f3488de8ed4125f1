package dns

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a script of lookups; the last one repeats.
type answers []any

func (a *answers) lookup(context.Context, string) ([]netip.Addr, error) {
	next := (*a)[0]
	if len(*a) > 1 {
		*a = (*a)[1:]
	}
	if err, ok := next.(error); ok {
		return nil, err
	}
	var addrs []netip.Addr
	for _, s := range next.([]string) {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs, nil
}

func TestResolve(t *testing.T) {
	broken := errors.New("server failure")
	for _, c := range []struct {
		name   string
		target string
		answer answers
		want   []string // "+seconds addresses"
	}{
		{"changes only", "dns://h:80", answers{[]string{"10.0.0.2", "10.0.0.1"}, []string{"10.0.0.1", "10.0.0.2"}, []string{"10.0.0.3"}},
			[]string{"0s 10.0.0.1:80 10.0.0.2:80", "20s 10.0.0.3:80"}},
		{"both families, once each", "dns://h:80", answers{[]string{"fd00::1", "10.0.0.1", "::ffff:10.0.0.1"}},
			[]string{"0s 10.0.0.1:80 [fd00::1]:80"}},
		{"an error is retried sooner, and nothing is repeated after it", "dns://h:80", answers{[]string{"10.0.0.1"}, broken, []string{"10.0.0.1"}, []string{"10.0.0.2"}},
			[]string{"0s 10.0.0.1:80", "10s error", "21s 10.0.0.2:80"}},
		{"no address is an error", "dns://h:80", answers{[]string{}, []string{"10.0.0.1"}}, []string{"0s error", "1s 10.0.0.1:80"}},
		{"an address is itself", "dns://[::1]:80", nil, []string{"0s [::1]:80", "end"}},
		{"loopback is dialled by name", "dns://localhost:80", answers{[]string{"::1", "127.0.0.1"}}, []string{"0s localhost:80", "end"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
				defer cancel()
				u, _ := url.Parse(c.target)
				start := time.Now()
				var got []string
				for set, err := range (Resolver{Lookup: c.answer.lookup}).Resolve(ctx, u) {
					line := time.Since(start).String()
					if err != nil {
						line += " error"
					}
					for _, e := range set {
						line += " " + e.Addr
					}
					if u.Hostname() == "h" && err == nil && set[0].ServerName != "h" {
						t.Error("certificates must bear the name that was looked up")
					}
					got = append(got, line)
				}
				if ctx.Err() == nil {
					got = append(got, "end")
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestBreakingOutEnds(t *testing.T) {
	a := answers{[]string{"10.0.0.1"}}
	u, _ := url.Parse("dns://h:80")
	n := 0
	for range (Resolver{Lookup: a.lookup}).Resolve(t.Context(), u) {
		n++
		break
	}
	if n != 1 {
		t.Error(n)
	}
}

func TestRealLookup(t *testing.T) {
	u, _ := url.Parse("dns://localhost:80")
	for set, err := range (Resolver{}).Resolve(t.Context(), u) {
		if err != nil || len(set) != 1 || set[0].Addr != "localhost:80" {
			t.Errorf("%v, %v", set, err)
		}
		break
	}
}
