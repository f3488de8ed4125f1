// Package discovery says where services are: the seam that resolvers fill. Those that
// Concordat brings live in packages beside it.
//
// It imports runtime/discovery/internal/pace and the standard library.
package discovery

import (
	"context"
	"iter"
	"net/url"
)

// An Endpoint is one instance of a service.
type Endpoint struct {
	Addr       string            // host:port; distinct within a set
	Weight     int               // relative share of calls; 0 means 1
	Zone       string            // where it runs; "" when unknown
	Meta       map[string]string // what the registry knows besides; not interpreted
	ServerName string            // the name its certificate must bear; "" means the host of the target or of Addr
}

// A Resolver turns a target into a sequence of endpoint sets, each replacing the one
// before. The sequence lasts until ctx is done or the target cannot change any more.
//
// An error, and an empty set, keep the last set that was known: a registry that is down
// must not take the services down. A resolver goes on after an error that it yields, at
// its own pace; a sequence that ends with an error is asked for again after a while.
type Resolver interface {
	Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]Endpoint, error]
}
