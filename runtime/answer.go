package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/deadline"
)

// values holds the parameters of paths; requests take turns.
var values = sync.Pool{New: func() any { return new([16]string) }}

// ServeHTTP answers one request, also without Run, for tests with httptest.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			s.failLate(w, r, p)
		}
	}()
	retire(w, r)
	batch(r)
	if !s.stillIn(w, r) || s.cors != nil && s.cors.serve(s, w, r) {
		return
	}
	if m, ok := s.rpc[r.URL.Path]; ok {
		s.serveRPC(m, w, r)
		return
	}
	s.serveREST(w, r)
}

func (s *Server) serveREST(w http.ResponseWriter, r *http.Request) {
	buf := values.Get().(*[16]string)
	defer values.Put(buf)
	m, path, ok := s.rest.Lookup(r.Method, r.URL.EscapedPath(), buf[:0])
	if !ok {
		s.refuse(w, r)
		return
	}
	if s.admission != nil {
		s.admission.serve(s, m, w, r, func(w http.ResponseWriter, r *http.Request) { s.handle(m, w, r, path) })
		return
	}
	s.handle(m, w, r, path)
}

// handle lets m answer within its deadline.
func (s *Server) handle(m *mounted, w http.ResponseWriter, r *http.Request, path []string) {
	own := s.limitOf(m.spec)
	limit, err := timeout(r, own)
	if err != nil {
		s.WriteError(w, r, err)
		return
	}
	if !m.spec.Kind.sends() {
		r.Body = http.MaxBytesReader(w, r.Body, s.maxBody)
	}
	if (m.long || own <= 0) && r.Header.Get(deadline.Header) == "" {
		if r, ok := s.enter(m, w, r); ok {
			s.endures(m, w, r, func(w http.ResponseWriter, r *http.Request) { m.handle(w, r, path) })
		}
		return
	}
	ctx := &limited{Context: r.Context(), at: time.Now().Add(limit)}
	defer ctx.end()
	r = r.WithContext(ctx)
	if r.ContentLength != 0 {
		// A body that trickles in must not outlive the deadline; not every writer can tell.
		_ = http.NewResponseController(w).SetReadDeadline(ctx.at)
	}
	r, ok := s.enter(m, w, r)
	if !ok {
		return
	}
	m.handle(w, r, path)
}

func (s *Server) serveRPC(m *mounted, w http.ResponseWriter, r *http.Request) {
	switch {
	case m.open:
		m.rpc.ServeHTTP(w, r)
	case s.admission != nil:
		s.admission.serve(s, m, w, r, func(w http.ResponseWriter, r *http.Request) { s.handleRPC(m, w, r) })
	default:
		s.handleRPC(m, w, r)
	}
}

// handleRPC lets m answer.
func (s *Server) handleRPC(m *mounted, w http.ResponseWriter, r *http.Request) {
	r, ok := s.enter(m, w, r)
	switch {
	case !ok:
	case m.spec.Kind.Streams():
		s.endures(m, w, r, m.rpc.ServeHTTP)
	default:
		s.bounded(m, w, r)
	}
}

// timeout returns how much time the client gives, or what the server gives where the
// client says nothing.
func timeout(r *http.Request, unsaid time.Duration) (time.Duration, error) {
	h := r.Header.Get(deadline.Header)
	if h == "" {
		return unsaid, nil
	}
	d, ok := deadline.Parse(h)
	switch {
	case !ok:
		return 0, Errorf(InvalidArgument, "%s: %q is not a timeout; write digits and one of H, M, S, m, u, n", deadline.Header, h)
	case d == 0:
		return 0, Errorf(DeadlineExceeded, "the request arrived after its deadline")
	}
	return d, nil
}

// refuse answers a request that no operation fits.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		s.turnAway(w, r, Errorf(Unimplemented, "no method at %s", r.URL.Path))
		return
	}
	allowed := s.rest.Allowed(r.URL.EscapedPath())
	if len(allowed) == 0 {
		s.WriteError(w, r, Errorf(NotFound, "no operation at %s", r.URL.Path))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	err := Errorf(Unimplemented, "%s knows %s, not %s", r.URL.Path, strings.Join(allowed, ", "), r.Method)
	err.Status = http.StatusMethodNotAllowed
	s.WriteError(w, r, err)
}

// A problem is what RFC 9457 makes of an error, and our code beside it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
}

// WriteError writes err as problem+json (RFC 9457), what [Server.Public] makes of it.
// Stubs call it for failures that the contract does not declare.
func (s *Server) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := s.Public(r.Context(), r.Method+" "+r.URL.Path, err)
	status := e.HTTPStatus()
	body, _ := json.Marshal(problem{Title: title(status), Status: status, Detail: e.Message, Code: e.Code.String()})
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Length")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	if status == 499 {
		return "Client Closed Request"
	}
	return fmt.Sprintf("Status %d", status)
}

// Public returns what the other side may see of err: an *Error that a handler returned
// itself, and what became of deadlines, cancellation and limits. All else is logged, with
// the name of what failed, and becomes Internal without a word: it was never meant for
// strangers. So is where and how a call of the handler's own failed on its way.
func (s *Server) Public(ctx context.Context, name string, err error) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = ErrorOf(err)
	}
	switch {
	case e.inner:
		s.log.WarnContext(ctx, "handler failed, since a call of its own did", "operation", name, "error", err)
		return &Error{Code: e.Code, Message: "a service that this one needs did not answer", cause: err}
	case ok || e.Code != Unknown:
		return e
	}
	s.log.ErrorContext(ctx, "handler failed", "operation", name, "error", err)
	return &Error{Code: Internal, Message: "internal error", cause: err}
}

// panicked logs a panic and returns what to answer.
func (s *Server) panicked(name string, p any) *Error {
	s.log.Error("handler panicked", "operation", name, "panic", p, "stack", string(debug.Stack()))
	return &Error{Code: Internal, Message: "internal error", cause: fmt.Errorf("panic: %v", p)}
}

// failLate deals with a panic outside of Intercept, when something may have been sent.
func (s *Server) failLate(w http.ResponseWriter, r *http.Request, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	s.panicked(r.Method+" "+r.URL.Path, p)
	panic(http.ErrAbortHandler) // breaks the reply off, so that it is not taken for whole
}
