package static

import (
	"net/url"
	"slices"
	"testing"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

func TestResolve(t *testing.T) {
	sets := 0
	for set, err := range (Resolver{}).Resolve(t.Context(), &url.URL{Scheme: "static", Host: "a:1,[::1]:2,a:1"}) {
		sets++
		var addrs []string
		for _, e := range set {
			addrs = append(addrs, e.Addr)
		}
		if err != nil || !slices.Equal(addrs, []string{"a:1", "[::1]:2"}) {
			t.Errorf("%q, %v", addrs, err)
		}
	}
	if sets != 1 {
		t.Errorf("%d sets", sets)
	}
	for range (Resolver{}).Resolve(t.Context(), &url.URL{Host: "a:1"}) {
		break
	}
	var _ discovery.Resolver = Resolver{}
}
