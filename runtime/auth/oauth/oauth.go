// Package oauth gets tokens of OAuth 2.0 (RFC 6749) for clients: by client credentials, by
// a refresh token, or from any oauth2.TokenSource. Tokens are kept, fetched once however
// many ask, and renewed before they expire and when a server refuses them.
//
//	token, err := oauth.ClientCredentials(oauth.For(users.OAuth, "desk", auth.Env("DESK_SECRET")))
//	conn, err := concordat.NewConn(target, concordat.WithCredentials(users.OAuth, token))
//
// It imports runtime/auth, runtime/auth/internal/web, runtime/tlsconf, golang.org/x/oauth2
// and the standard library.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/auth/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Client is who asks for tokens, and where.
type Client struct {
	ID     string
	Secret auth.Source // asked for each token; nil: a public client

	TokenURL     string
	DiscoveryURL string // of an OpenID provider, which names its TokenURL; used where that is ""

	Scopes []string
	Params url.Values // what else the server wants: audience, resource
	// SecretInBody sends ID and Secret in the body, for servers that do not know basic
	// authentication, although they should (RFC 6749, 2.3.1).
	SecretInBody bool

	TLS       *tlsconf.Config // nil: tlsconf.System
	Plaintext bool            // lets TokenURL be http://
	// Early is how long before its end a token is renewed: auth.DefaultEarly, unless said.
	Early time.Duration
}

// For returns a Client that asks where the contract says.
func For(s *auth.Scheme, id string, secret auth.Source) Client {
	return Client{ID: id, Secret: secret, TokenURL: s.TokenURL, DiscoveryURL: s.DiscoveryURL}
}

func (c *Client) check() error {
	switch {
	case c.ID == "":
		return errors.New("oauth: the client's ID is empty")
	case c.TokenURL != "":
		return web.Check("oauth: the token URL", c.TokenURL, c.Plaintext)
	}
	return web.Check("oauth: the discovery URL", c.DiscoveryURL, c.Plaintext)
}

// ClientCredentials gets tokens for the program itself (RFC 6749, 4.4). It does no I/O
// before the first call.
func ClientCredentials(c Client) (*auth.Cache, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	f := &fetcher{Client: c, http: web.Client(c.TLS, c.Plaintext)}
	return &auth.Cache{From: auth.SourceFunc(f.byClient), Early: c.Early}, nil
}

// Refresh gets tokens for somebody who gave this program a refresh token (RFC 6749, 6).
// saved, unless nil, is told when the server gives another one in its place, which then is
// the only one that holds.
func Refresh(c Client, token string, saved func(token string)) (*auth.Cache, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if token == "" {
		return nil, errors.New("oauth: the refresh token is empty")
	}
	f := &fetcher{Client: c, http: web.Client(c.TLS, c.Plaintext), refresh: token, saved: saved}
	return &auth.Cache{From: auth.SourceFunc(f.byRefresh), Early: c.Early}, nil
}

// From gives the tokens of ts, which keeps them itself.
func From(ts oauth2.TokenSource) auth.Source {
	return auth.SourceFunc(func(context.Context) (auth.Credential, error) { return credential(ts.Token()) })
}

func credential(t *oauth2.Token, err error) (auth.Credential, error) {
	if err != nil {
		return auth.Credential{}, explain(err)
	}
	if t.AccessToken == "" {
		return auth.Credential{}, errors.New("the server gave no token")
	}
	return auth.Credential{Value: t.AccessToken, Expires: t.Expiry}, nil
}

// explain leaves out of err what the server wrote, which may hold anything.
func explain(err error) error {
	r, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return err
	}
	status := "?"
	if r.Response != nil {
		status = r.Response.Status
	}
	if r.ErrorCode == "" {
		return fmt.Errorf("the token server answered %s", status)
	}
	return fmt.Errorf("the token server answered %s: %q", status, r.ErrorCode) // RFC 6749, 5.2
}

// A fetcher fetches tokens; auth.Cache sees to it that it does so once at a time.
type fetcher struct {
	Client
	http *http.Client

	mu      sync.Mutex
	refresh string
	saved   func(string)
	token   string // the token URL that was discovered
}

// prepare returns the context that x/oauth2 takes its client from, the secret and the URL.
func (f *fetcher) prepare(ctx context.Context) (_ context.Context, secret, tokenURL string, err error) {
	if f.Secret != nil {
		c, err := f.Secret.Credential(ctx)
		if err != nil {
			return nil, "", "", fmt.Errorf("the client's secret: %w", err)
		}
		secret = c.Value
	}
	if tokenURL, err = f.endpoint(ctx); err != nil {
		return nil, "", "", err
	}
	return context.WithValue(ctx, oauth2.HTTPClient, f.http), secret, tokenURL, nil
}

func (f *fetcher) style() oauth2.AuthStyle {
	if f.SecretInBody {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

func (f *fetcher) byClient(ctx context.Context) (auth.Credential, error) {
	ctx, secret, tokenURL, err := f.prepare(ctx)
	if err != nil {
		return auth.Credential{}, err
	}
	conf := clientcredentials.Config{ClientID: f.ID, ClientSecret: secret, TokenURL: tokenURL,
		Scopes: f.Scopes, EndpointParams: f.Params, AuthStyle: f.style()}
	return credential(conf.Token(ctx))
}

func (f *fetcher) byRefresh(ctx context.Context) (auth.Credential, error) {
	ctx, secret, tokenURL, err := f.prepare(ctx)
	if err != nil {
		return auth.Credential{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	conf := oauth2.Config{ClientID: f.ID, ClientSecret: secret, Scopes: f.Scopes,
		Endpoint: oauth2.Endpoint{TokenURL: tokenURL, AuthStyle: f.style()}}
	t, err := conf.TokenSource(ctx, &oauth2.Token{RefreshToken: f.refresh}).Token()
	c, err := credential(t, err)
	if err == nil && t.RefreshToken != "" && t.RefreshToken != f.refresh {
		f.refresh = t.RefreshToken
		if f.saved != nil {
			f.saved(f.refresh)
		}
	}
	return c, err
}

// endpoint is where tokens are, as the contract or the provider says.
func (f *fetcher) endpoint(ctx context.Context) (string, error) {
	if f.TokenURL != "" {
		return f.TokenURL, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.token != "" {
		return f.token, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.DiscoveryURL, nil)
	if err != nil {
		return "", err
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var says struct {
		TokenURL string `json:"token_endpoint"`
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", f.DiscoveryURL, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&says); err != nil {
		return "", fmt.Errorf("%s: %w", f.DiscoveryURL, err)
	}
	if err := web.Check("the token URL that the provider names,", says.TokenURL, f.Plaintext); err != nil {
		return "", err
	}
	f.token = says.TokenURL
	return f.token, nil
}
