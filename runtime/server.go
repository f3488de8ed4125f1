package runtime

import (
	"context"
	"net"
	"net/http"
	"time"
)

// A Server answers REST and gRPC on one port, and handles messages in the same lifetime.
// Handlers are registered first, by generated code, and then Run serves.
type Server struct {
	common
	listen  string
	ln      net.Listener
	drain   time.Duration
	admin   string
	watched []*Conn
}

// NewServer returns a server. Problems with options and handlers are reported by Run.
func NewServer(opts ...ServerOption) *Server {
	s := &Server{listen: "127.0.0.1:0", drain: DefaultDrain}
	s.defaults()
	for _, o := range opts {
		o.server(s)
	}
	return s
}

// Run serves until ctx is done. Then it stops accepting, lets calls and messages in
// flight finish within the drain time, and returns nil if they all did; otherwise the
// error says what was cut. Run may be called once.
func (s *Server) Run(ctx context.Context) error { return Errorf(Unimplemented, "skeleton") }

// Addr returns the address listened on, "" before Run has bound it; see [Server.Ready].
func (s *Server) Addr() string { return "" }

// Ready is closed when the server accepts calls.
func (s *Server) Ready() <-chan struct{} { return nil }

// ServeHTTP answers one request without Run, for tests with httptest.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Mount routes an operation: template is OpenAPI's ("/customers/{id}"), and h gets the
// values of its parameters, unescaped, in their order. path is valid until h returns.
// Run reports a template that is at fault. Stubs call it.
func (s *Server) Mount(spec *Spec, method, template string, h func(w http.ResponseWriter, r *http.Request, path []string)) {
}

// MountRPC routes a method: path is "/package.Service/Method". Stubs call it.
func (s *Server) MountRPC(spec *Spec, path string, h http.Handler) {}

// Intercept runs one call: it counts, calls last within the interceptors, and turns a
// panic into an Internal error, which it logs. Stubs call it.
func (s *Server) Intercept(ctx context.Context, call *Call, in any, last Next) (any, error) {
	return run(ctx, s.chain, call, in, last)
}

// Background runs f while Run does: its context is done when draining begins, and Run
// waits for it within the drain time. An error ends Run; name says whose it was. Stubs
// call it for subscriptions.
func (s *Server) Background(name string, f func(context.Context) error) {}

// WriteError writes err as problem+json (RFC 9457). Stubs call it for failures that the
// contract does not declare. What an error that is no *Error says stays on the server.
func (s *Server) WriteError(w http.ResponseWriter, r *http.Request, err error) {}
