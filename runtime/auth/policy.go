package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// An Authorizer says whether a caller may use an operation, before its request is read.
// who are the principals of the schemes that the contract demands, which may be none; the
// peer of the connection is PeerOf(ctx). An error refuses the call (403), and is logged.
type Authorizer interface {
	Authorize(ctx context.Context, operation string, who []*Principal) error
}

// AuthorizerFunc makes an Authorizer of a function.
type AuthorizerFunc func(ctx context.Context, operation string, who []*Principal) error

// Authorize implements Authorizer.
func (f AuthorizerFunc) Authorize(ctx context.Context, operation string, who []*Principal) error {
	return f(ctx, operation, who)
}

// A Policy is an Authorizer that knows callers by name:
//
//	auth.Policy{
//		"users.Users/*":              {"spiffe://retail/desk", "spiffe://retail/staff/*"},
//		"users.Users/DeleteCustomer": {"cn:admin", "user:root", "scope:customers.delete"},
//		"status.Status/*":            {"*"},
//	}
//
// Keys are operations (Spec.Name), all operations of a service, or "*"; the most exact one
// counts, alone. What no key covers is refused to everybody. Values are
//
//	spiffe://domain/path    the URI of a certificate; one that ends in /* stands for all below
//	dns: email: ip: cn: subject:  and a name, of a certificate
//	user:                   and the subject of a principal that a scheme verified
//	scope:                  and a scope of such a principal
//	*                       everybody whom the contract lets in
type Policy map[string][]string

// Authorize implements Authorizer.
func (p Policy) Authorize(ctx context.Context, operation string, who []*Principal) error {
	allowed, ok := p.of(operation)
	if !ok {
		return fmt.Errorf("no policy covers %s", operation)
	}
	names := PeerOf(ctx).identities()
	for _, w := range who {
		if w.Peer == nil {
			names = append(names, "user:"+w.Subject)
		}
		for _, s := range w.Scopes {
			names = append(names, "scope:"+s)
		}
	}
	for _, pattern := range allowed {
		if pattern == "*" || slices.ContainsFunc(names, func(n string) bool { return matches(pattern, n) }) {
			return nil
		}
	}
	return fmt.Errorf("the policy of %s does not name the caller (%s)", operation, strings.Join(names, ", "))
}

// of finds the most exact entry.
func (p Policy) of(operation string) ([]string, bool) {
	service, _, _ := strings.Cut(operation, "/")
	for _, key := range [...]string{operation, service + "/*", "*"} {
		if allowed, ok := p[key]; ok {
			return allowed, true
		}
	}
	return nil, false
}

func matches(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "/*"); ok && strings.Contains(pattern, "://") {
		return len(name) > len(below)+1 && strings.HasPrefix(name, below+"/")
	}
	return pattern == name
}

// Check returns what is wrong with the policy itself. Servers call it when they start.
func (p Policy) Check() error {
	for key, allowed := range p {
		if key != "*" && !strings.Contains(key, "/") {
			return fmt.Errorf("policy: %q is no operation; say package.Service/Operation, package.Service/* or *", key)
		}
		for _, a := range allowed {
			prefix, rest, ok := strings.Cut(a, ":")
			if a != "*" && (!ok || rest == "" || !slices.Contains(prefixes, prefix) && !strings.HasPrefix(rest, "//")) {
				return fmt.Errorf("policy of %s: %q names nobody; say a URI, or %s: and a name", key, a, strings.Join(prefixes, ":, "))
			}
		}
	}
	return nil
}

var prefixes = []string{"dns", "email", "ip", "cn", "subject", "user", "scope"}
