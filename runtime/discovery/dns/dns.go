// Package dns resolves names to all of their addresses, again and again.
//
// It imports runtime/discovery, runtime/discovery/internal/pace and the standard library.
package dns

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/pace"
)

// The defaults of Resolver.
const (
	Every = 10 * time.Second // the standard library hides how long records are valid
	Retry = time.Second
)

// A Resolver looks up A and AAAA records. The zero value is ready.
type Resolver struct {
	// Lookup finds the addresses of host; nil means net.DefaultResolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Every is how long an answer is used, Retry how long a failure; 0 means the defaults.
	Every, Retry time.Duration
}

// Resolve yields the addresses of target's host whenever they change, each with target's
// port and, as the name that certificates must bear, the host. It yields an error when a
// lookup fails or finds nothing, and goes on.
//
// An address in place of a name is yielded once. A name for loopback addresses only is
// yielded as it is, once: on one machine a service often listens on one family alone,
// and dialling by name tries both.
func (r Resolver) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	host, port := target.Hostname(), target.Port()
	return func(yield func([]discovery.Endpoint, error) bool) {
		if _, err := netip.ParseAddr(host); err == nil {
			yield([]discovery.Endpoint{{Addr: net.JoinHostPort(host, port)}}, nil)
			return
		}
		var last []netip.Addr
		for {
			addrs, err := r.lookup(ctx, host)
			wait := or(r.Every, Every)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				wait = or(r.Retry, Retry)
				if !yield(nil, err) {
					return
				}
			case last == nil && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.IsLoopback() }):
				yield([]discovery.Endpoint{{Addr: net.JoinHostPort(host, port), ServerName: host}}, nil)
				return
			case !slices.Equal(addrs, last):
				last = addrs
				if !yield(endpoints(addrs, host, port), nil) {
					return
				}
			}
			if !pace.Sleep(ctx, wait) {
				return
			}
		}
	}
}

func endpoints(addrs []netip.Addr, host, port string) []discovery.Endpoint {
	set := make([]discovery.Endpoint, 0, len(addrs))
	for _, a := range addrs {
		set = append(set, discovery.Endpoint{Addr: net.JoinHostPort(a.String(), port), ServerName: host})
	}
	return set
}

// lookup returns distinct addresses in a stable order; none is an error.
func (r Resolver) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	look := r.Lookup
	if look == nil {
		look = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	addrs, err := look(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("lookup %s: the name exists but has no address", host)
	}
	addrs = slices.Clone(addrs)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs), nil
}

func or(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}
