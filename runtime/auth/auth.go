// Package auth says who calls: what a contract demands of callers, where a client gets
// the credentials for it, and how a server verifies them.
//
//	conn, err := concordat.NewConn(target, concordat.WithCredentials(users.APIKey, auth.Env("USERS_KEY")))
//	srv := concordat.NewServer(concordat.WithVerifier(users.APIKey, auth.Keys(map[string]string{"desk": key})))
//	who := auth.PrincipalOf(ctx) // in a handler
//
// Nothing here knows REST, gRPC or messages: a broker may take the same sources. OAuth 2.0
// is in runtime/auth/oauth, and OpenID Connect in runtime/auth/oidc, since they need more
// than the standard library.
//
// It imports only the standard library.
package auth

import "strings"

// A Scheme is one way to authenticate, as a contract declares it (OpenAPI 3.1, 4.8.27).
// Generated code exports one variable for each; its address identifies the scheme.
type Scheme struct {
	Name  string // key in the contract
	Kind  string // KindAPIKey and its kin
	In    string // KindAPIKey: "header", "query" or "cookie"
	Param string // KindAPIKey: name of the header, parameter or cookie
	HTTP  string // KindHTTP: "basic", "bearer", "digest", ... in lower case

	TokenURL     string // KindOAuth2: of the flow by client credentials, or else of the first that has one
	DiscoveryURL string // KindOpenID: of the provider's configuration
}

// The kinds of schemes, in OpenAPI's words.
const (
	KindAPIKey    = "apiKey"
	KindHTTP      = "http"
	KindOAuth2    = "oauth2"
	KindOpenID    = "openIdConnect"
	KindMutualTLS = "mutualTLS"
)

// The schemes for contracts that cannot say theirs, as those of gRPC: see
// concordat.WithRPCSecurity.
var (
	BearerToken = &Scheme{Name: "bearer", Kind: KindHTTP, HTTP: "bearer"}
	BasicAuth   = &Scheme{Name: "basic", Kind: KindHTTP, HTTP: "basic"}
	MutualTLS   = &Scheme{Name: "mutualTLS", Kind: KindMutualTLS}
)

// A Requirement is a scheme that must hold, with scopes that the caller must have.
type Requirement struct {
	Scheme *Scheme
	Scopes []string
}

// Requirements are alternatives: one of them must hold, whole. An empty alternative lets
// everybody in, and so do no Requirements at all.
type Requirements [][]Requirement

// Schemes returns every scheme named, once, in order.
func (r Requirements) Schemes() []*Scheme {
	var all []*Scheme
	seen := map[*Scheme]bool{}
	for _, together := range r {
		for _, q := range together {
			if !seen[q.Scheme] {
				seen[q.Scheme] = true
				all = append(all, q.Scheme)
			}
		}
	}
	return all
}

// String returns "apiKey, or basic and mutualTLS".
func (r Requirements) String() string {
	var ways []string
	for _, together := range r {
		var names []string
		for _, q := range together {
			names = append(names, q.Scheme.Name)
		}
		if len(names) == 0 {
			names = []string{"nothing"}
		}
		ways = append(ways, strings.Join(names, " and "))
	}
	return strings.Join(ways, ", or ")
}

// authorization is the authentication scheme of the Authorization header that s uses
// (RFC 9110, 11.4), in lower case; "" where it uses none.
func (s *Scheme) authorization() string {
	switch s.Kind {
	case KindHTTP:
		return strings.ToLower(s.HTTP)
	case KindOAuth2, KindOpenID:
		return "bearer"
	}
	return ""
}
