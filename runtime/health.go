package runtime

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// health is what a server says of itself when it is asked whether it is well.
type health struct {
	mu      sync.Mutex
	down    map[string]bool // by service; "" is the whole server
	drains  bool
	changed chan struct{} // closed by the next change; nil: nobody waits
}

func (h *health) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// SetReady says whether a service is ready for calls: what gRPC's health service tells
// those who ask, and, for the whole server, which "" stands for, /readyz. Services are
// ready unless told otherwise, and as long as the server is not draining; calls of one
// that is not are answered all the same. Names are the contract's: "acme.orders.v1.Orders".
func (s *Server) SetReady(service string, ready bool) {
	s.health.change(func() {
		if ready {
			delete(s.health.down, service)
			return
		}
		if s.health.down == nil {
			s.health.down = map[string]bool{}
		}
		s.health.down[service] = true
	})
}

// IsReady reports what SetReady and draining make of a service; "" is the whole server.
// changed is closed when the answer may be another, and nil when the server is draining,
// since then it stays what it is. Stubs ask.
func (s *Server) IsReady(service string) (ready bool, changed <-chan struct{}) {
	h := &s.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.drains {
		return false, nil
	}
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return !h.down[service] && !h.down[""], h.changed
}

// HasRPCService reports whether MountRPC was given methods of the service. Stubs ask.
func (s *Server) HasRPCService(name string) bool {
	for path := range s.rpc {
		if rest, ok := strings.CutPrefix(path, "/"+name); ok && strings.HasPrefix(rest, "/") {
			return true
		}
	}
	return false
}

// RPCServices returns the names of the services that MountRPC was given methods of, in
// their order. Stubs ask.
func (s *Server) RPCServices() []string {
	names := map[string]bool{}
	for path := range s.rpc {
		if service, _, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/"); ok {
			names[service] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
