package runtime

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/concordat-dev/concordat/runtime/auth"
)

// WithCredentials says where the credentials of a scheme come from, which generated code
// exports:
//
//	concordat.WithCredentials(users.APIKey, auth.Env("USERS_KEY"))
//
// A call carries those of the first alternative of its contract whose schemes all have a
// source, or a client certificate where mutual TLS is demanded; a call without one fails
// before anything is sent. Where a server refuses by 401 and the source has something
// newer, the call is repeated once. What an interceptor puts into Meta itself is left
// alone. Credentials go to the endpoints of the connection only, and in plaintext only
// where WithPlaintext was given.
func WithCredentials(scheme *auth.Scheme, source auth.Source) ConnOption {
	return connOption(func(c *Conn) {
		if c.sources == nil {
			c.sources = map[*auth.Scheme]auth.Source{}
		}
		c.sources[scheme] = source
	})
}

// WithoutAuthentication ignores what contracts demand of callers: a connection sends no
// credentials, and a server lets everybody in. It is for tests, and for programs behind a
// proxy that adds credentials or verifies them.
func WithoutAuthentication() Option { return both(func(k *common) { k.anonymous = true }) }

// WithRPCSecurity says what callers of gRPC methods must show, which no .proto file can:
//
//	security := concordat.WithRPCSecurity(auth.Requirements{{{Scheme: auth.BearerToken}}})
//
// Credentials travel in the same headers as those of REST, which gRPC calls metadata, and
// come from and go to the same WithCredentials and WithVerifier.
func WithRPCSecurity(r auth.Requirements) Option {
	return both(func(k *common) { k.rpcSecurity = r })
}

// security is what callers of an operation must show.
func (k *common) security(spec *Spec) auth.Requirements {
	switch {
	case k.anonymous, spec.Kind >= Send: // brokers have ways of their own
		return nil
	case len(spec.Security) == 0 && strings.HasPrefix(spec.Route, "/"):
		return k.rpcSecurity
	}
	return spec.Security
}

// authenticated is last with the credentials that the call needs.
func (c *Conn) authenticated(call *Call, need auth.Requirements, last Next) Next {
	return func(ctx context.Context, in any) (any, error) {
		s, err := c.choose(call, need)
		if err != nil {
			return nil, err
		}
		if s != nil {
			if err := s.fetch(ctx); err != nil {
				return nil, err
			}
			ctx = context.WithValue(ctx, signerKey{}, s)
		}
		return last(ctx, in)
	}
}

// choose finds the first alternative that can be met; nil where it takes nothing of ours.
func (c *Conn) choose(call *Call, need auth.Requirements) (*signer, error) {
	anybody := false
	for _, together := range need {
		if len(together) == 0 {
			anybody = true
			continue
		}
		s := &signer{name: call.Name}
		if c.meets(call, together, s) {
			if len(s.parts) == 0 {
				return nil, nil
			}
			return s, nil
		}
	}
	if anybody {
		return nil, nil
	}
	e := Errorf(Unauthenticated, "%s: the contract demands credentials (%v), and this connection has none; give it WithCredentials, a certificate by WithTLS(tlsconf.Mutual(…)) for mutual TLS, or WithoutAuthentication if somebody else adds them", call.Name, need)
	e.inner = true
	return nil, e
}

// meets adds what one alternative takes to s; false: something has no source.
func (c *Conn) meets(call *Call, together []auth.Requirement, s *signer) bool {
	for _, q := range together {
		source := c.sources[q.Scheme]
		switch {
		case q.Scheme.Carries(call.Meta):
		case source != nil:
			s.parts = append(s.parts, part{scheme: q.Scheme, source: source})
		case q.Scheme.Kind == auth.KindMutualTLS && c.tls != nil && c.tls.Proves():
		default:
			return false
		}
	}
	return true
}

// A signer puts credentials into the requests of one call.
type signer struct {
	name  string
	parts []part

	mu         sync.Mutex // hedged requests run side by side
	challenges []string   // of the last refusal
	renewed    bool
}

// A part is one scheme's.
type part struct {
	scheme *auth.Scheme
	source auth.Source
	got    auth.Credential
}

type signerKey struct{}

// signerOf finds the signer of a call; nil where it has none.
func (c *Conn) signerOf(ctx context.Context) *signer {
	if len(c.sources) == 0 {
		return nil
	}
	s, _ := ctx.Value(signerKey{}).(*signer)
	return s
}

// Sign puts the credentials of a call into req, as Attempt.Do and Transport do for what they
// send: for engines that bring a transport of their own. ctx is that of the attempt.
func (c *Conn) Sign(ctx context.Context, req *http.Request) error { return c.signerOf(ctx).sign(req) }

// fetch asks the sources.
func (s *signer) fetch(ctx context.Context) (err error) {
	for i := range s.parts {
		p := &s.parts[i]
		if p.got, err = p.source.Credential(ctx); err != nil {
			return s.failed(p, err)
		}
	}
	return nil
}

func (s *signer) failed(p *part, err error) *Error {
	code := Unauthenticated
	if e := ErrorOf(err); e.Code != Unknown {
		code = e.Code
	}
	e := Errorf(code, "%s: no credentials for scheme %s: %w", s.name, p.scheme.Name, err)
	e.inner = true
	return e
}

// sign puts the credentials into req, whose header is copied first: a repeated request
// begins with the same one.
func (s *signer) sign(req *http.Request) error {
	if s == nil {
		return nil
	}
	if req.Header = req.Header.Clone(); req.Header == nil {
		req.Header = http.Header{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.parts {
		if err := s.parts[i].scheme.Apply(req, s.parts[i].got); err != nil {
			return s.failed(&s.parts[i], err)
		}
	}
	return nil
}

// heard notes why a server refuses.
func (s *signer) heard(resp *http.Response) {
	if s == nil {
		return
	}
	if c := resp.Header["Www-Authenticate"]; resp.StatusCode == http.StatusUnauthorized || c != nil {
		s.mu.Lock()
		s.challenges = c
		s.mu.Unlock()
	}
}

// renew reports whether the call that ended with err may succeed with other credentials,
// which it fetches. It does so once. That the server refused means that nothing was done.
func (s *signer) renew(ctx context.Context, err error) bool {
	if s == nil || s.renewed {
		return false
	}
	if e := ErrorOf(err); e.Code != Unauthenticated || e.inner {
		return false
	}
	s.renewed = true
	any := false
	for i := range s.parts {
		p := &s.parts[i]
		r, ok := p.source.(auth.Renewer)
		if !ok {
			continue
		}
		s.mu.Lock()
		challenges := s.challenges
		s.mu.Unlock()
		fresh, err := r.Renew(ctx, p.got, challenges)
		if err != nil {
			continue // what the server said tells more
		}
		s.mu.Lock()
		p.got, any = fresh, true
		s.mu.Unlock()
	}
	return any
}
