package runtime

import "github.com/concordat-dev/concordat/runtime/internal/route"

// The fields of Server and Conn name no instance of a generic type: the compiler would
// make all its methods again in every package that so much as mentions a Server, which is
// every package that concordat generates. Interfaces, and atomic.Value, keep them away.

// A router is a *route.Mux.
type router interface {
	Add(method, template string, m *mounted) error
	Lookup(method, path string, values []string) (m *mounted, _ []string, ok bool)
	Allowed(path string) []string
}

func newRouter() router { return new(route.Mux[*mounted]) }

// A keyed is a *sync.Map.
type keyed interface {
	Load(key any) (value any, ok bool)
	LoadOrStore(key, value any) (actual any, loaded bool)
}
