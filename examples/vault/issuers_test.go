package vault_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/concordat-dev/concordat/runtime/auth"
)

// A tokenServer issues tokens of OAuth 2.0 (RFC 6749): by client credentials, and by a
// refresh token that is replaced each time.
type tokenServer struct {
	*httptest.Server
	asked atomic.Int64

	mu      sync.Mutex
	live    map[string][]string // token → scopes
	refresh string
	wrong   []string // what requests had wrong with them
	grant   []string // scopes to grant, whatever is asked; nil: what is asked
}

func newTokenServer(t *testing.T, w *world) *tokenServer {
	s := &tokenServer{live: map[string][]string{}, refresh: "refresh-0"}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.Handle("POST /elsewhere", http.RedirectHandler("/token", http.StatusTemporaryRedirect))
	s.Server = w.serveTLS(t, mux)
	return s
}

func (s *tokenServer) token(w http.ResponseWriter, r *http.Request) {
	n := s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != "desk" || secret != "secret-of-the-desk" {
		s.refuse(w, "invalid_client")
		return
	}
	says := map[string]any{"access_token": fmt.Sprintf("token-%d", n), "token_type": "Bearer", "expires_in": 3600}
	switch r.PostFormValue("grant_type") {
	case "client_credentials":
	case "refresh_token":
		if r.PostFormValue("refresh_token") != s.refresh {
			s.refuse(w, "invalid_grant")
			return
		}
		s.refresh = fmt.Sprintf("refresh-%d", n)
		says["refresh_token"] = s.refresh
	default:
		s.refuse(w, "unsupported_grant_type")
		return
	}
	scopes := s.grant
	if scopes == nil {
		scopes = strings.Fields(r.PostFormValue("scope"))
	}
	s.live[says["access_token"].(string)] = scopes
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(says)
}

func (s *tokenServer) refuse(w http.ResponseWriter, why string) {
	s.wrong = append(s.wrong, why)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why, "error_description": "you sent secret-of-the-desk"})
}

// revoke makes every token worthless.
func (s *tokenServer) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.live)
}

// verify is what a resource server would ask by introspection (RFC 7662).
func (s *tokenServer) verify(_ context.Context, p *auth.Presented) (*auth.Principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scopes, ok := s.live[p.Value]
	if !ok {
		return nil, errors.New("no such token")
	}
	return &auth.Principal{Subject: "desk", Scopes: scopes}, nil
}

// A provider is one of OpenID Connect, with keys that rotate.
type provider struct {
	*httptest.Server
	keysAsked atomic.Int64
	down      atomic.Bool

	mu   sync.Mutex
	keys []*ecdsa.PrivateKey // the last one signs
}

func newProvider(t *testing.T, w *world) *provider {
	p := &provider{}
	p.rotate(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "token_endpoint": p.URL + "/token",
			"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.keysAsked.Add(1)
		_ = json.NewEncoder(w).Encode(p.public())
	})
	p.Server = w.serveTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return p
}

func (p *provider) public() jose.JSONWebKeySet {
	p.mu.Lock()
	defer p.mu.Unlock()
	var set jose.JSONWebKeySet
	for i, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: &k.PublicKey, KeyID: fmt.Sprint("key-", i), Algorithm: "ES256", Use: "sig"})
	}
	return set
}

func (p *provider) rotate(t *testing.T) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, k)
}

// claims are those of a token that is in order.
func (p *provider) claims() map[string]any {
	return map[string]any{"iss": p.URL, "aud": "vault", "sub": "carol", "scope": "secrets.read secrets.write",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
}

// sign makes a token of claims by the newest key.
func (p *provider) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.keys) - 1
	return signed(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.keys[n], KeyID: fmt.Sprint("key-", n)}}, claims)
}

func signed(t *testing.T, key jose.SigningKey, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := o.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
