// Package oidc verifies the JSON Web Tokens of an OpenID provider (OpenID Connect Core 1.0,
// RFC 9068) on servers: signature by the provider's keys, which are fetched and followed as
// they rotate, issuer, audience and time.
//
//	verify, err := oidc.Verifier(oidc.For(users.Login, "users"))
//	srv := concordat.NewServer(concordat.WithVerifier(users.Login, verify))
//
// It imports runtime/auth, runtime/auth/internal/web, runtime/tlsconf,
// github.com/coreos/go-oidc/v3 and the standard library.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/auth/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Config says whose tokens are taken.
type Config struct {
	Issuer   string // "https://login.example.com/realm": what tokens say, and where /.well-known/openid-configuration lies
	Audience string // whom tokens must be for: the name that the provider knows this API by

	// Scopes returns the scopes of a token. Unless said, they are those of the claims scope
	// and scp.
	Scopes func(Claims) []string
	// Refetch is how long the provider's keys are not fetched again, whatever tokens say:
	// DefaultRefetch, unless said.
	Refetch time.Duration

	TLS       *tlsconf.Config // nil: tlsconf.System
	Plaintext bool            // lets Issuer be http://
}

// DefaultRefetch bounds how often strangers can make us ask the provider.
const DefaultRefetch = 5 * time.Second

// Claims are what a token says. A handler finds them by auth.Detail[oidc.Claims](ctx).
type Claims map[string]any

const wellKnown = "/.well-known/openid-configuration"

// For returns a Config for the provider that the contract names, or, of OAuth 2.0, none:
// set Issuer then.
func For(s *auth.Scheme, audience string) Config {
	return Config{Issuer: strings.TrimSuffix(s.DiscoveryURL, wellKnown), Audience: audience}
}

// Verifier returns a verifier of bearer tokens. It does no I/O before the first token; while
// the provider cannot be reached, calls are refused as unavailable.
func Verifier(c Config) (auth.Verifier, error) {
	if c.Audience == "" {
		return nil, errors.New("oidc: the audience is empty; without one, tokens for any other API would do")
	}
	if err := web.Check("oidc: the issuer", c.Issuer, c.Plaintext); err != nil {
		return nil, err
	}
	if c.Refetch <= 0 {
		c.Refetch = DefaultRefetch
	}
	if c.Scopes == nil {
		c.Scopes = scopes
	}
	p := &provider{Config: c, http: web.Client(c.TLS, c.Plaintext)}
	return p.verify, nil
}

// A provider is the other side, once it was found.
type provider struct {
	Config
	http *http.Client

	mu     sync.Mutex
	found  *oidc.IDTokenVerifier
	failed error
	asked  time.Time
}

func (p *provider) verify(ctx context.Context, shown *auth.Presented) (*auth.Principal, error) {
	v, err := p.discover(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	var unreachable error
	token, err := v.Verify(context.WithValue(ctx, unreachableKey{}, &unreachable), shown.Value)
	if unreachable != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, unreachable)
	}
	if err != nil {
		return nil, err
	}
	var claims Claims
	if err := token.Claims(&claims); err != nil {
		return nil, err
	}
	who := &auth.Principal{Subject: token.Subject, Issuer: token.Issuer, Scopes: p.Scopes(claims), Detail: claims}
	if who.Subject == "" {
		who.Subject, _ = claims["client_id"].(string)
	}
	if who.Subject == "" {
		return nil, errors.New("the token names no subject")
	}
	return who, nil
}

// discover asks the provider for its configuration, once, and not too often while that
// fails.
func (p *provider) discover(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.failed != nil && time.Since(p.asked) < p.Refetch {
		return nil, p.failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), web.Timeout)
	defer cancel()
	p.found, p.failed = p.ask(ctx)
	p.asked = time.Now()
	return p.found, p.failed
}

func (p *provider) ask(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.http), p.Issuer)
	if err != nil {
		return nil, fmt.Errorf("the provider %s: %w", p.Issuer, err)
	}
	var says struct {
		Keys string   `json:"jwks_uri"`
		Algs []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, err
	}
	if err := web.Check("the keys that the provider names,", says.Keys, p.Plaintext); err != nil {
		return nil, err
	}
	says.Algs = slices.DeleteFunc(says.Algs, func(a string) bool { return a == "none" || strings.HasPrefix(a, "HS") })
	slow := &http.Client{Transport: &sparing{RoundTripper: p.http.Transport, every: p.Refetch}, Timeout: p.http.Timeout, CheckRedirect: p.http.CheckRedirect}
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), slow), says.Keys)
	return oidc.NewVerifier(p.Issuer, &keySet{keys}, &oidc.Config{ClientID: p.Audience, SupportedSigningAlgs: says.Algs}), nil
}

// A keySet tells a bad signature from keys that could not be fetched, which go-oidc says in
// words alone.
type keySet struct{ oidc.KeySet }

type unreachableKey struct{}

// VerifySignature implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if to, ok := ctx.Value(unreachableKey{}).(*error); ok && err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		*to = err
	}
	return payload, err
}

// scopes are those of the claims scope (RFC 8693, 4.2) and scp, texts with spaces or lists.
func scopes(c Claims) (all []string) {
	for _, name := range []string{"scope", "scp"} {
		switch v := c[name].(type) {
		case string:
			all = append(all, strings.Fields(v)...)
		case []any:
			for _, s := range v {
				if s, ok := s.(string); ok {
					all = append(all, s)
				}
			}
		}
	}
	return all
}
