// Package static resolves targets that name their endpoints: static:h1:p1,h2:p2.
//
// It imports runtime/discovery and the standard library.
package static

import (
	"context"
	"iter"
	"net/url"
	"strings"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

// Resolver is the resolver. Hosts stand in the target's host, separated by commas; one
// that is named twice counts once.
type Resolver struct{}

// Resolve yields the one set there is.
func (Resolver) Resolve(_ context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	return func(yield func([]discovery.Endpoint, error) bool) {
		var set []discovery.Endpoint
		seen := map[string]bool{}
		for _, addr := range strings.Split(target.Host, ",") {
			if !seen[addr] {
				seen[addr] = true
				set = append(set, discovery.Endpoint{Addr: addr})
			}
		}
		yield(set, nil)
	}
}
