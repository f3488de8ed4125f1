package runtime

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/policy/admit"
)

// A Server answers REST and gRPC on one port, and handles messages in the same lifetime.
// Handlers are registered first, by generated code, and then Run serves.
type Server struct {
	common
	names   []string // of operations, for WithPolicies
	listen  string
	ln      net.Listener
	drain   time.Duration
	admin   string
	group   string
	watched []*Conn

	registrations []registration
	alarmed       atomic.Bool // invalid certificates were reported
	// nil: everything is admitted
	admission  *admission
	verifiers  auth.Verifiers
	authorizer auth.Authorizer // nil: whom the contract lets in may do everything

	middleware []func(http.Handler) http.Handler
	handler    http.Handler // serveHTTP within middleware
	mute       mute
	cors       *CORS         // nil: browsers keep to the server's own origin
	age, grace time.Duration // of connections
	patience   time.Duration // with a client that does not read
	health     health

	rest  router
	rpc   map[string]*mounted
	tasks []task
	wrong []error // what Run will report
	below string  // what routes begin with, see Below
	beat  time.Duration

	dedup *once // nil: none

	ending     context.Context // done when streams are to end
	endStreams context.CancelCauseFunc

	ran   atomic.Bool
	ready chan struct{}
	up    atomic.Bool
	addr  atomic.Value // string
}

// A mounted is an operation with its handler.
type mounted struct {
	spec   *Spec
	handle func(w http.ResponseWriter, r *http.Request, path []string) // REST
	rpc    http.Handler                                                // the others
	long   bool                                                        // no default deadline
	admit  admit.Op

	builtin bool // gives way to a handler
	open    bool // for everybody

	security auth.Requirements
}

// A task runs beside the calls.
type task struct {
	name string
	run  func(context.Context) error
}

// NewServer returns a server. Problems with options and handlers are reported by Run.
func NewServer(opts ...ServerOption) *Server {
	s := &Server{rest: newRouter(), listen: "127.0.0.1:0", drain: DefaultDrain, beat: DefaultHeartbeat, age: DefaultConnectionAge, patience: DefaultWriteTimeout, rpc: map[string]*mounted{}, ready: make(chan struct{})}
	s.ending, s.endStreams = context.WithCancelCause(context.Background())
	s.defaults()
	for _, o := range opts {
		o.server(s)
	}
	s.handler = http.HandlerFunc(s.serveHTTP)
	for _, m := range slices.Backward(s.middleware) {
		s.handler = m(s.handler)
	}
	return s
}

// Addr returns the address listened on, host:port; "" before Run has bound it, see
// [Server.Ready].
func (s *Server) Addr() string {
	a, _ := s.addr.Load().(string)
	return a
}

// Group returns what WithGroup was given, or "". Stubs ask.
func (s *Server) Group() string { return s.group }

// Ready is closed when the server accepts calls.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Mount routes an operation: template is OpenAPI's ("/customers/{id}"), and h gets the
// values of its parameters, unescaped, in their order. path is valid until h returns.
// Run reports a template that is at fault. Stubs call it.
func (s *Server) Mount(spec *Spec, method, template string, h func(w http.ResponseWriter, r *http.Request, path []string)) {
	s.mount(method, template, &mounted{spec: spec, handle: h})
}

// MountStream is Mount for an operation whose replies may go on for long: calls of it have
// no deadline but the one that the client names. Stubs call it.
func (s *Server) MountStream(spec *Spec, method, template string, h func(w http.ResponseWriter, r *http.Request, path []string)) {
	s.mount(method, template, &mounted{spec: spec, handle: h, long: true})
}

func (s *Server) mount(method, template string, m *mounted) {
	s.protect(m)
	s.names = append(s.names, m.spec.Name)
	if err := s.rest.Add(method, s.below+template, m); err != nil {
		s.wrong = append(s.wrong, Errorf(InvalidArgument, "%s: %w", m.spec.Name, err))
	}
}

// MountRPC routes a method: path is "/package.Service/Method". Stubs call it.
func (s *Server) MountRPC(spec *Spec, path string, h http.Handler) {
	if old, twice := s.rpc[path]; twice && !old.builtin {
		s.wrong = append(s.wrong, Errorf(AlreadyExists, "%s is registered twice; register each service once", spec.Name))
	}
	m := &mounted{spec: spec, rpc: h}
	s.protect(m)
	s.names = append(s.names, spec.Name)
	s.rpc[path] = m
}

// Background runs f while Run does: its context is done when draining begins, and Run
// waits for it within the drain time. An error ends Run; name says whose it was. Stubs
// call it for subscriptions.
func (s *Server) Background(name string, f func(context.Context) error) {
	s.tasks = append(s.tasks, task{name, f})
	s.names = append(s.names, name)
}

// Intercept runs one call, which it puts into ctx (see [CallOf]): it counts, calls last within the interceptors, and turns a
// panic into an Internal error, which it logs. A call whose deadline has passed is not
// begun. Stubs call it.
func (s *Server) Intercept(ctx context.Context, call *Call, in any, last Next) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, s.panicked(call.Name, p)
		}
	}()
	if ctx.Err() != nil {
		last = func(ctx context.Context, _ any) (any, error) { return nil, ErrorOf(ctx.Err()) }
	}
	out, err = s.count(call.within(ctx), call, in, last)
	if s.admission != nil {
		noteOutcome(ctx, err)
	}
	return out, err
}
