package runtime

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/concordat-dev/concordat/runtime/auth"
)

// WithVerifier says how a server verifies the credentials of a scheme, which generated
// code exports:
//
//	concordat.WithVerifier(users.APIKey, auth.Keys(map[string]string{"desk": key}))
//
// The contract says which operations need which schemes; they are enforced before the
// request's body is read. A handler asks auth.PrincipalOf(ctx) who calls. Run reports a
// scheme that nothing verifies, and ServeHTTP refuses the operations that need it. Client
// certificates are verified by TLS, and need no verifier. Interceptors do not see refused
// calls; statistics count them, as Unauthenticated or PermissionDenied.
func WithVerifier(scheme *auth.Scheme, v auth.Verifier) ServerOption {
	return serverOption(func(s *Server) {
		if s.verifiers == nil {
			s.verifiers = auth.Verifiers{}
		}
		s.verifiers[scheme] = v
	})
}

// WithAuthorization asks a for every call, REST and gRPC alike, whether its caller may make
// it, once the contract's own demands are met and before the request's body is read. An
// [auth.Policy] knows callers by their certificates' names.
func WithAuthorization(a auth.Authorizer) ServerOption {
	return serverOption(func(s *Server) {
		s.authorizer = a
		if p, ok := a.(interface{ Check() error }); ok {
			if err := p.Check(); err != nil {
				s.wrong = append(s.wrong, Errorf(InvalidArgument, "WithAuthorization: %w", err))
			}
		}
	})
}

// protect settles what callers of m must show, and reports what nothing can verify.
func (s *Server) protect(m *mounted) {
	m.security = s.security(m.spec)
	for _, missing := range s.verifiers.Missing(m.security) {
		s.reportOnce("scheme "+missing.Name+" of "+packageOf(m.spec), Errorf(FailedPrecondition,
			"%s needs scheme %s, which nothing verifies; give the server WithVerifier for it, or WithoutAuthentication if somebody else does", m.spec.Name, missing.Name))
	}
	for _, together := range m.security {
		for _, q := range together {
			if q.Scheme.Kind == auth.KindMutualTLS && len(m.security) == 1 && (s.tls == nil || !s.tls.AsksClients()) {
				s.reportOnce("mutual TLS", Errorf(FailedPrecondition,
					"%s needs mutual TLS, but the server asks no client for a certificate; give it WithTLS(tlsconf.Mutual(…))", m.spec.Name))
			}
		}
	}
}

// reportOnce makes Run fail, with one error for all operations that suffer from it.
func (s *Server) reportOnce(what string, err error) {
	for _, e := range s.wrong {
		if w, ok := e.(*onceError); ok && w.what == what {
			return
		}
	}
	s.wrong = append(s.wrong, &onceError{err, what})
}

type onceError struct {
	error
	what string
}

func (e *onceError) Unwrap() error { return e.error }

// packageOf is what stands before the operation: "users.Users".
func packageOf(spec *Spec) string {
	name, _, _ := strings.Cut(spec.Name, "/")
	return name
}

// withPeer lets PeerOf find the certificate of who connected.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*tls.Conn); ok {
		ctx = context.WithValue(ctx, verifiedKey{}, new(verified))
		return auth.WithConnection(ctx, c.ConnectionState)
	}
	return ctx
}

// enter lets a request in, with its principals in the context, or answers it.
func (s *Server) enter(m *mounted, w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	if len(m.security) == 0 && s.authorizer == nil {
		return r, true
	}
	ctx, err := s.admit(m, w.Header(), r)
	if err != nil {
		s.turnAway(w, r, err)
		return nil, false
	}
	return r.WithContext(ctx), true
}

// Authenticate finds out who calls and whether they may, as ServeHTTP does for what was
// mounted: for engines that bring a transport of their own. r has header, TLS state and
// context of the call, and needs no body. The context returned is the handler's; an error
// is counted and logged, and goes to the caller, with what was added to reply.
func (s *Server) Authenticate(spec *Spec, reply http.Header, r *http.Request) (context.Context, error) {
	m := &mounted{spec: spec, security: s.security(spec)}
	if len(m.security) == 0 && s.authorizer == nil {
		return r.Context(), nil
	}
	ctx, err := s.admit(m, reply, r)
	if err != nil {
		return nil, err
	}
	return ctx, nil
}

// admit identifies the caller; what it refuses is counted.
func (s *Server) admit(m *mounted, reply http.Header, r *http.Request) (context.Context, *Error) {
	begun := s.now()
	ctx, refusal := s.identify(m, r)
	if refusal == nil {
		return ctx, nil
	}
	e := refused(refusal)
	s.log.InfoContext(r.Context(), "call refused", "operation", m.spec.Name, "peer", r.RemoteAddr, "code", e.Code.String(), "reason", refusal.Cause)
	for _, c := range refusal.Challenges {
		reply.Add("WWW-Authenticate", c)
	}
	op := s.stats.Of(m.spec, m.spec.Name)
	op.Begin()
	op.End(s.now()-begun, uint8(e.Code))
	return nil, e
}

// identify finds out who calls and whether they may. A verifier that panics lets nobody in.
func (s *Server) identify(m *mounted, r *http.Request) (ctx context.Context, refusal *auth.Refusal) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a verifier panicked", "operation", m.spec.Name, "panic", p, "stack", string(debug.Stack()))
			refusal = &auth.Refusal{Why: auth.Unavailable, Cause: fmt.Errorf("panic: %v", p)}
		}
	}()
	limit := s.timeout
	if limit <= 0 {
		limit = DefaultTimeout
	}
	limited, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	asked := r.WithContext(limited)
	if m.spec.Kind.sends() {
		asked.Body = endless{}
	}
	who, refusal := s.verifiers.Check(asked, m.security, packageOf(m.spec))
	if !m.spec.Kind.sends() {
		r.Body = asked.Body // a verifier may have read it, and left another
	}
	if refusal != nil {
		return nil, refusal
	}
	ctx = r.Context()
	if r.TLS != nil { // Run has said it already, but not every server is ours
		ctx = auth.WithConnection(ctx, func() tls.ConnectionState { return *r.TLS })
	}
	if len(who) > 0 {
		ctx = auth.With(ctx, who...)
	}
	if s.authorizer != nil {
		if err := s.authorizer.Authorize(ctx, m.spec.Name, who); err != nil {
			return nil, forbidden(err)
		}
	}
	return ctx, nil
}

// endless is the body of a stream as verifiers see it: they would read it for ever.
type endless struct{}

func (endless) Read([]byte) (int, error) {
	return 0, Errorf(FailedPrecondition, "the body is a stream, which cannot be verified as a whole")
}

func (endless) Close() error { return nil }

func forbidden(err error) *auth.Refusal {
	if errors.Is(err, auth.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return &auth.Refusal{Why: auth.Unavailable, Cause: err}
	}
	return &auth.Refusal{Why: auth.Forbidden, Cause: err}
}

// refused is what the caller is told.
func refused(r *auth.Refusal) *Error {
	code := Unavailable
	switch r.Why {
	case auth.Missing, auth.Invalid:
		code = Unauthenticated
	case auth.NoScope, auth.Forbidden:
		code = PermissionDenied
	}
	return &Error{Code: code, Message: r.Error()}
}
