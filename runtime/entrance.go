package runtime

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"time"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/policy/admit"
)

// EngineTLS returns how a server's engine, which listens by itself, does TLS: as the
// server does. nil is plaintext; the error says that neither was chosen.
func (s *Server) EngineTLS() (*tls.Config, error) {
	h, err := httpServer(s)
	if err != nil || h.TLSConfig == nil {
		return nil, err
	}
	return s.tls.Server("h2")
}

// EngineLimits returns what options say of connections: how old they become, for how long
// streams outlive that (0: as long as they like), and how long draining takes.
func (s *Server) EngineLimits() (age, grace, drain time.Duration) { return s.age, s.grace, s.drain }

// A Peer is who is at the other end of a connection of a server's engine. It belongs to
// that connection.
type Peer struct {
	State    tls.ConnectionState
	verified verified
}

// Enter does for a call by an engine what ServeHTTP does before a handler sees one: it
// makes sure that the peer is trusted still, that there is room, and that the caller may,
// and sets the default deadline. from is nil in plaintext. What is to be told with a
// refusal is added to reply. leave is called when the call is over.
func (s *Server) Enter(ctx context.Context, call *Call, from *Peer, reply Meta) (_ context.Context, leave func(), err error) {
	leave = func() {}
	if from != nil {
		if !s.trusts(from) {
			return nil, leave, Errorf(Unauthenticated, "the certificate by which this connection was made is trusted no more; connect anew")
		}
		ctx = auth.WithConnection(ctx, func() tls.ConnectionState { return from.State })
	}
	m := s.rpc[call.Route]
	if m == nil || m.open {
		return ctx, leave, nil
	}
	if s.admission != nil && !m.spec.Kind.Streams() {
		var ok bool
		if ctx, leave, ok = s.admission.admit(s, m, ctx, call.Meta); !ok {
			reply.Set(admit.Header, "overload")
			return nil, leave, &Error{Code: Unavailable, Message: busyMessage}
		}
	}
	if len(m.security) > 0 || s.authorizer != nil {
		known, refusal := s.admit(m, reply, requestOf(ctx, call, from))
		if refusal != nil {
			return nil, leave, refusal
		}
		ctx = known
	}
	if _, ok := ctx.Deadline(); !ok && s.limitOf(m.spec) > 0 && !m.spec.Kind.Streams() {
		limited, before := &limited{Context: ctx, at: time.Now().Add(s.limitOf(m.spec))}, leave
		return limited, func() { limited.end(); before() }, nil
	}
	return ctx, leave, nil
}

// admit is serve for a call that has no ResponseWriter.
func (a *admission) admit(s *Server, m *mounted, ctx context.Context, meta Meta) (_ context.Context, leave func(), ok bool) {
	if !a.enter(ctx, s.rank(m.spec, meta)) {
		return nil, func() {}, false
	}
	t, start := &ticket{code: Unknown}, s.now()
	return context.WithValue(ctx, ticketKey{}, t), func() {
		now := s.now()
		a.limiter.Done(now, &m.admit, now-start, t.telling())
	}, true
}

// requestOf is what verifiers see of a call.
func requestOf(ctx context.Context, call *Call, from *Peer) *http.Request {
	r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: call.Route}, Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: call.Meta, Host: call.Meta.Get("Host"), RemoteAddr: call.Peer, RequestURI: call.Route, Body: http.NoBody}
	if from != nil {
		r.TLS = &from.State
	}
	return r.WithContext(ctx)
}

// trusts is stillIn for a peer of an engine.
func (s *Server) trusts(from *Peer) bool {
	now := s.tls.Generation()
	if from.verified.generation.CompareAndSwap(nil, now) || from.verified.generation.Load() == now {
		return true
	}
	if err := s.tls.Still(from.State); err != nil {
		s.log.Warn("a peer is not let in any more", "error", err)
		return false
	}
	from.verified.generation.Store(now)
	return true
}
