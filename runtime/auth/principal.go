package auth

import (
	"context"
	"fmt"
	"slices"
)

// A Principal is who calls, as a Verifier found out.
type Principal struct {
	Scheme  *Scheme  // by which; set by the server
	Subject string   // the caller's name: user, client, key, or a peer's identity
	Issuer  string   // who vouches for Subject, where that is somebody else
	Scopes  []string // what the caller may do: scopes, or roles
	Peer    *Peer    // of a client certificate
	Detail  any      // what else the Verifier knows: see Detail
}

// Has reports whether the principal has a scope.
func (p *Principal) Has(scope string) bool { return p != nil && slices.Contains(p.Scopes, scope) }

// String returns the subject.
func (p *Principal) String() string {
	switch {
	case p == nil:
		return "anonymous"
	case p.Issuer != "":
		return fmt.Sprintf("%s of %s", p.Subject, p.Issuer)
	}
	return p.Subject
}

type principalsKey struct{}

// With returns a context in which the principals call. Servers use it, and tests of
// handlers that ask who calls.
func With(ctx context.Context, who ...*Principal) context.Context {
	return context.WithValue(ctx, principalsKey{}, who)
}

// Principals returns all who vouch for the call: one for each scheme of the alternative
// that the caller satisfied, in the contract's order. None: the caller is anonymous.
func Principals(ctx context.Context) []*Principal {
	who, _ := ctx.Value(principalsKey{}).([]*Principal)
	return who
}

// PrincipalOf returns the first of Principals, or nil for an anonymous caller.
func PrincipalOf(ctx context.Context) *Principal {
	if who := Principals(ctx); len(who) > 0 {
		return who[0]
	}
	return nil
}

// By returns the principal of a scheme, or nil: the caller satisfied another alternative.
func By(ctx context.Context, s *Scheme) *Principal {
	for _, p := range Principals(ctx) {
		if p.Scheme == s {
			return p
		}
	}
	return nil
}

// Detail returns what a Verifier put into Detail, where that is a T:
//
//	if u, ok := auth.Detail[*accounts.User](ctx); ok { … }
func Detail[T any](ctx context.Context) (T, bool) {
	for _, p := range Principals(ctx) {
		if d, ok := p.Detail.(T); ok {
			return d, true
		}
	}
	var none T
	return none, false
}
