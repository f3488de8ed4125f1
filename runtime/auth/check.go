package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Verifiers are a server's, by scheme. Client certificates need none: TLS verifies them.
type Verifiers map[*Scheme]Verifier

// Missing returns the schemes of r that v cannot verify.
func (v Verifiers) Missing(r Requirements) []*Scheme {
	return slices.DeleteFunc(r.Schemes(), func(s *Scheme) bool { return s.Kind == KindMutualTLS || v[s] != nil })
}

// A Refusal says why a request may not pass, and what to answer. It is an error.
type Refusal struct {
	Why        Reason
	Challenges []string // values of WWW-Authenticate
	Scopes     []string // NoScope: what is needed
	Cause      error    // for the log alone
}

// A Reason is what is wrong with a request.
type Reason uint8

// The reasons, from the least to the most telling: of several alternatives that fail, the
// one that comes last here is answered.
const (
	Missing     Reason = iota // no credentials: 401
	Invalid                   // worthless ones: 401
	NoScope                   // of somebody who may not do this: 403
	Forbidden                 // refused by a verifier or an Authorizer: 403
	Unavailable               // nobody can tell now: 503
	unverified                // nothing verifies them: 503
)

// Error is fit for strangers.
func (r *Refusal) Error() string {
	switch r.Why {
	case Missing:
		return "this operation needs credentials"
	case Invalid:
		return "the credentials are not valid"
	case NoScope:
		return "the credentials lack a scope of " + strings.Join(r.Scopes, " ")
	case Forbidden:
		return "the caller may not do this"
	}
	return "credentials cannot be verified now; try again"
}

// Unwrap returns Cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Check finds an alternative of r that req satisfies, and returns who vouches for it; none
// where r lets everybody in and the caller showed nothing better. Every scheme is verified
// once at most. What has no verifier is refused.
func (v Verifiers) Check(req *http.Request, r Requirements, realm string) ([]*Principal, *Refusal) {
	if len(r) == 0 {
		return nil, nil
	}
	c := check{Verifiers: v, req: req, seen: map[*Scheme]*outcome{}}
	worst := &Refusal{}
	anybody := false
	for _, together := range r {
		if len(together) == 0 {
			anybody = true
			continue
		}
		who, refusal := c.all(together)
		if refusal == nil {
			return who, nil
		}
		if refusal.Why >= worst.Why {
			worst = refusal
		}
	}
	if anybody {
		return nil, nil
	}
	if worst.Why <= NoScope {
		worst.Challenges = c.challenges(r, worst, realm)
	}
	return nil, worst
}

// A check is one request's.
type check struct {
	Verifiers
	req  *http.Request
	seen map[*Scheme]*outcome
}

// An outcome is what came of one scheme.
type outcome struct {
	who *Principal
	why Reason
	err error // nil: who is known
}

// all holds one alternative against the request.
func (c *check) all(together []Requirement) (who []*Principal, _ *Refusal) {
	for _, q := range together {
		o := c.verify(q.Scheme)
		if o.err != nil {
			return nil, &Refusal{Why: o.why, Cause: fmt.Errorf("scheme %s: %w", q.Scheme.Name, o.err)}
		}
		who = append(who, o.who)
	}
	for i, q := range together {
		for _, scope := range q.Scopes {
			if !who[i].Has(scope) {
				return nil, &Refusal{Why: NoScope, Scopes: q.Scopes, Cause: fmt.Errorf("scheme %s: %s lacks scope %s", q.Scheme.Name, who[i], scope)}
			}
		}
	}
	return who, nil
}

var errNothingShown = errors.New("nothing was shown")

func (c *check) verify(s *Scheme) *outcome {
	if o := c.seen[s]; o != nil {
		return o
	}
	o := c.ask(s)
	if o.err == nil && o.who == nil {
		o.why, o.err = Invalid, errNoPrincipal
	}
	if o.err == nil {
		o.who.Scheme = s
	}
	c.seen[s] = o
	return o
}

func (c *check) ask(s *Scheme) *outcome {
	if s.Kind == KindMutualTLS && c.Verifiers[s] == nil {
		peer := peerOf(c.req.TLS)
		if peer == nil {
			return &outcome{why: Missing, err: errors.New("no client certificate was verified")}
		}
		return &outcome{who: &Principal{Subject: peer.Name(), Peer: peer}}
	}
	verify := c.Verifiers[s]
	if verify == nil {
		return &outcome{why: unverified, err: errors.New("nothing verifies this scheme; give the server WithVerifier")}
	}
	p := &Presented{Scheme: s, Request: c.req}
	if s.Kind != KindMutualTLS {
		shown, there, err := s.present(c.req)
		switch {
		case err != nil:
			return &outcome{why: Invalid, err: err}
		case !there && s.standard():
			return &outcome{why: Missing, err: errNothingShown}
		}
		p.Credential = shown
	} else if peerOf(c.req.TLS) == nil {
		return &outcome{why: Missing, err: errors.New("no client certificate was verified")}
	}
	who, err := verify(c.req.Context(), p)
	if err == nil && who != nil && s.Kind == KindMutualTLS && who.Peer == nil {
		who.Peer = peerOf(c.req.TLS)
	}
	return &outcome{who: who, why: reasonOf(err), err: err}
}

// standard says that the credential is in a place that everybody knows. Other HTTP schemes
// may want to challenge who shows nothing.
func (s *Scheme) standard() bool {
	a := s.authorization()
	return s.Kind != KindHTTP || a == "basic" || a == "bearer"
}

func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Unavailable
	case errors.Is(err, ErrForbidden):
		return Forbidden
	}
	return Invalid
}

// challenges are one for each way in (RFC 9110, 11.6.1).
func (c *check) challenges(r Requirements, why *Refusal, realm string) []string {
	var all []string
	for _, s := range r.Schemes() {
		if v := c.challenge(s, why, strconv.Quote(realm)); !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

func (c *check) challenge(s *Scheme, why *Refusal, realm string) string {
	o := c.seen[s]
	if o != nil {
		if own, ok := errors.AsType[*Challenge](o.err); ok {
			return own.Value
		}
	}
	switch kind := s.authorization(); {
	case kind == "basic":
		return "Basic realm=" + realm + `, charset="UTF-8"`
	case kind == "bearer" && why.Why == NoScope:
		return "Bearer realm=" + realm + `, error="insufficient_scope", scope=` + strconv.Quote(strings.Join(why.Scopes, " "))
	case kind == "bearer" && o != nil && o.why == Invalid && o.err != nil:
		return "Bearer realm=" + realm + `, error="invalid_token"` // RFC 6750, 3.1
	case kind != "":
		return strings.ToUpper(kind[:1]) + kind[1:] + " realm=" + realm
	case s.Kind == KindMutualTLS:
		return "ClientCertificate realm=" + realm
	}
	return "APIKey realm=" + realm + ", in=" + s.In + ", name=" + strconv.Quote(s.Param)
}
