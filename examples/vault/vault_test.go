package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/concordat-dev/concordat/examples/vault/vault"
	"github.com/concordat-dev/concordat/examples/vault/vault/vaulttest"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/auth/oauth"
	"github.com/concordat-dev/concordat/runtime/auth/oidc"
)

func TestGeneratedIsCurrent(t *testing.T) {
	out, err := exec.Command("go", "run", "github.com/concordat-dev/concordat/cmd/concordat", "generate", "--check").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// A fake is called without any of this.
func TestFake(t *testing.T) {
	var v vault.Vault = implementation()
	ctx := auth.With(t.Context(), &auth.Principal{Subject: "ann"})
	if r, err := v.Greet(ctx, &vault.GreetRequest{}); err != nil || r.Body != "ann" {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := (vaulttest.Vault{}).Greet(t.Context(), nil); concordat.ErrorOf(err).Code != concordat.Unimplemented {
		t.Error(err)
	}
}

// calls are the operations that say who calls.
var calls = map[string]func(context.Context, *vault.Client) (string, error){
	"status": func(ctx context.Context, c *vault.Client) (string, error) {
		return body(c.Status(ctx, &vault.StatusRequest{}))(func(r *vault.StatusResponse) string { return r.Body })
	},
	"greet": func(ctx context.Context, c *vault.Client) (string, error) {
		return body(c.Greet(ctx, &vault.GreetRequest{}))(func(r *vault.GreetResponse) string { return r.Body })
	},
	"get secret": func(ctx context.Context, c *vault.Client) (string, error) {
		return body(c.GetSecret(ctx, &vault.GetSecretRequest{Name: "a"}))(func(r *vault.GetSecretResponse) string { return r.Body })
	},
	"put secret": func(ctx context.Context, c *vault.Client) (string, error) {
		return "", c.PutSecret(ctx, &vault.PutSecretRequest{Name: "a", Body: "text"})
	},
	"delete secret": func(ctx context.Context, c *vault.Client) (string, error) {
		return "", c.DeleteSecret(ctx, &vault.DeleteSecretRequest{Name: "a"})
	},
	"get backup": func(ctx context.Context, c *vault.Client) (string, error) {
		day, _ := concordat.ParseDate("2026-11-23")
		return body(c.GetBackup(ctx, &vault.GetBackupRequest{Day: day, Part: new(int64(3))}))(func(r *vault.GetBackupResponse) string { return r.Body })
	},
	"get session": func(ctx context.Context, c *vault.Client) (string, error) {
		return body(c.GetSession(ctx, &vault.GetSessionRequest{}))(func(r *vault.GetSessionResponse) string { return r.Body })
	},
	"get machine": func(ctx context.Context, c *vault.Client) (string, error) {
		return body(c.GetMachine(ctx, &vault.GetMachineRequest{}))(func(r *vault.GetMachineResponse) string { return r.Body })
	},
	"get ledger": func(ctx context.Context, c *vault.Client) (string, error) {
		return body(c.GetLedger(ctx, &vault.GetLedgerRequest{}))(func(r *vault.GetLedgerResponse) string { return r.Body })
	},
}

func body[T any](r *T, err error) func(func(*T) string) (string, error) {
	return func(of func(*T) string) (string, error) {
		if err != nil {
			return "", err
		}
		return of(r), nil
	}
}

func TestEveryWayIn(t *testing.T) {
	w := newWorld(t)
	client := func(opts ...concordat.ConnOption) *vault.Client { return w.client(t, opts...) }
	with := concordat.WithCredentials
	token := func(scopes ...string) auth.Source { return w.token(t, scopes...) }
	for _, c := range []struct {
		name, call string
		client     *vault.Client
		want       string         // what the vault says
		code       concordat.Code // or how it refuses
	}{
		{"nobody asks", "status", client(), "anonymous", 0},
		{"optional, absent", "greet", client(), "anonymous", 0},
		{"optional, there", "greet", client(with(vault.Bearer, auth.Static("token-of-bob"))), "bob", 0},
		{"optional, wrong", "greet", client(with(vault.Bearer, auth.Static("guess"))), "anonymous", 0},
		{"key in a header", "get secret", client(with(vault.Key, auth.Static("key-of-the-desk"))), "desk", 0},
		{"wrong key", "get secret", client(with(vault.Key, auth.Static("key-of-the-Desk"))), "", concordat.Unauthenticated},
		{"the other way", "get secret", client(with(vault.OAuth, token("secrets.read"))), "desk", 0},
		{"the first way wins", "get secret", client(with(vault.OAuth, auth.Static("never sent")), with(vault.Key, auth.Static("key-of-the-desk"))), "desk", 0},
		{"scope", "put secret", client(with(vault.OAuth, token("secrets.read", "secrets.write"))), "", 0},
		{"too small a scope", "put secret", client(with(vault.OAuth, token("secrets.read"))), "", concordat.PermissionDenied},
		{"OpenID", "put secret", client(with(vault.Login, auth.Static(w.login.sign(t, w.login.claims())))), "", 0},
		{"both", "delete secret", client(with(vault.Key, auth.Static("key-of-the-desk")), with(vault.Password, auth.Password("root", "päss:word"))), "", 0},
		{"one of both is wrong", "delete secret", client(with(vault.Key, auth.Static("key-of-the-desk")), with(vault.Password, auth.Password("root", "pass"))), "", concordat.Unauthenticated},
		{"key in the query", "get backup", client(with(vault.Link, auth.Static("a signature & more"))), "link 2026-11-23 3", 0},
		{"key in a cookie", "get session", client(with(vault.Session, auth.Static("session-of-ann"))), "ann, ann@example.com", 0},
		{"certificate", "get machine", client(w.machine(t, "desk-1", "spiffe://retail/desk")), "spiffe://retail/desk", 0},
		{"a scheme of its own", "get ledger", client(with(vault.Signed, answering{})), "signer", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := calls[c.call](t.Context(), c.client)
			if e := concordat.ErrorOf(err); got != c.want || (c.code == 0) != (err == nil) || err != nil && e.Code != c.code {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	w.holdSecrets(t)
}

// holdSecrets checks that nothing that was logged shows a credential.
func (w *world) holdSecrets(t *testing.T) {
	t.Helper()
	log := w.log.String()
	for _, secret := range []string{"key-of-the", "token-", "guess", "session-of", "signature &", "signature+%26", "secret-of", "answer-to", "ey", "never sent"} {
		if secret != "ey" && strings.Contains(log, secret) {
			t.Errorf("the log shows %q:\n%s", secret, log)
		}
	}
}

// token is a source that asks the token server.
func (w *world) token(t *testing.T, scopes ...string) *auth.Cache {
	t.Helper()
	c := oauth.For(vault.OAuth, "desk", auth.Static("secret-of-the-desk"))
	c.TokenURL, c.TLS, c.Scopes = w.tokens.URL+"/token", w.trust, scopes
	source, err := oauth.ClientCredentials(c)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestNothingLeavesWithoutCredentials(t *testing.T) {
	w := newWorld(t)
	for name, opts := range map[string][]concordat.ConnOption{
		"get secret":    nil,
		"put secret":    {concordat.WithCredentials(vault.Key, auth.Static("key"))},
		"delete secret": {concordat.WithCredentials(vault.Key, auth.Static("key"))},
		"get machine":   nil,
		"get ledger":    {concordat.WithCredentials(vault.Signed, auth.Env("CONCORDAT_NO_SUCH_VARIABLE"))},
	} {
		_, err := calls[name](t.Context(), w.client(t, opts...))
		if e := concordat.ErrorOf(err); err == nil || e.Code != concordat.Unauthenticated || e.Status != 0 || !strings.Contains(err.Error(), "credentials") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.server.Stats()) != 0 {
		t.Errorf("the server heard of it: %+v", w.server.Stats())
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	token, err := w.token(t, "secrets.read").Credential(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path string
		header             []string
		status             int
		challenges         []string
	}{
		{"nothing", "GET", "/secrets/a", nil, 401, []string{`APIKey realm="vault.Vault", in=header, name="X-API-Key"`, `Bearer realm="vault.Vault"`}},
		{"bad token", "GET", "/secrets/a", []string{"Authorization", "Bearer guess"}, 401, []string{`APIKey realm="vault.Vault", in=header, name="X-API-Key"`, `Bearer realm="vault.Vault", error="invalid_token"`}},
		{"scheme in capitals", "GET", "/secrets/a", []string{"Authorization", "BEARER " + token.Value}, 200, nil},
		{"two keys", "GET", "/secrets/a", []string{"X-API-Key", "key-of-the-desk", "X-API-Key", "other"}, 401, nil},
		{"empty key", "GET", "/secrets/a", []string{"X-API-Key", ""}, 401, nil},
		{"small scope", "PUT", "/secrets/a", []string{"Authorization", "Bearer " + token.Value}, 403, []string{`Bearer realm="vault.Vault", error="insufficient_scope", scope="secrets.write"`}},
		{"one of two", "DELETE", "/secrets/a", []string{"X-API-Key", "key-of-the-desk"}, 401, []string{`APIKey realm="vault.Vault", in=header, name="X-API-Key"`, `Basic realm="vault.Vault", charset="UTF-8"`}},
		{"the other of two", "DELETE", "/secrets/a", []string{"Authorization", "Basic cm9vdDpww6RzczpvcmQ="}, 401, nil},
		{"broken basic", "DELETE", "/secrets/a", []string{"Authorization", "Basic ???", "X-API-Key", "key-of-the-desk"}, 401, nil},
		{"no certificate", "GET", "/machine", nil, 401, []string{`ClientCertificate realm="vault.Vault"`}},
		{"challenge", "GET", "/ledger", nil, 401, []string{`Digest realm="vault", nonce="n-1"`}},
		{"twice in the query", "GET", "/backups/2026-11-23?signature=a+signature+%26+more&signature=x", nil, 401, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, header, text := w.raw(t, c.method, c.path, nil, c.header...)
			if status != c.status || c.challenges != nil && !slices.Equal(header.Values("WWW-Authenticate"), c.challenges) {
				t.Errorf("%d %q %s", status, header.Values("WWW-Authenticate"), text)
			}
			if status == 401 && len(header.Values("WWW-Authenticate")) == 0 {
				t.Error("401 without a challenge (RFC 9110, 15.5.2)")
			}
		})
	}
	w.holdSecrets(t)
	counted := map[string][2]int64{}
	for _, o := range w.server.Stats() {
		counted[o.Name] = [2]int64{o.Failures[concordat.Unauthenticated], o.Failures[concordat.PermissionDenied]}
	}
	if want := map[string][2]int64{"vault.Vault/GetSecret": {4, 0}, "vault.Vault/PutSecret": {0, 1}, "vault.Vault/DeleteSecret": {3, 0},
		"vault.Vault/GetMachine": {1, 0}, "vault.Vault/GetLedger": {1, 0}, "vault.Vault/GetBackup": {1, 0}}; fmt.Sprint(counted) != fmt.Sprint(want) {
		t.Errorf("counted %v", counted)
	}
}

// What the contract declares for 401 is what the caller gets.
func TestDeclaredRefusal(t *testing.T) {
	w := newWorld(t)
	_, err := calls["get secret"](t.Context(), w.client(t, concordat.WithCredentials(vault.Key, auth.Static("wrong"))))
	if p, ok := concordat.Detail[vault.Problem](err); !ok || p.Status != 401 || concordat.ErrorOf(err).Status != 401 || strings.Contains(err.Error(), "wrong") {
		t.Errorf("%v", err)
	}
}

// The body of a stranger is not read, and interceptors do not see the call.
func TestRefusedBeforeTheBody(t *testing.T) {
	seen := 0
	w := newWorld(t, concordat.WithInterceptors(func(ctx context.Context, _ *concordat.Call, in any, next concordat.Next) (any, error) {
		seen++
		return next(ctx, in)
	}))
	r, body := io.Pipe() // never written to
	defer body.Close()
	if status, _, text := w.raw(t, "PUT", "/secrets/a", r, "Content-Type", "text/plain"); status != 401 || seen != 0 {
		t.Errorf("%d %s, seen %d times", status, text, seen)
	}
}

func TestTokensAreSharedAndRenewed(t *testing.T) {
	w := newWorld(t)
	source := w.token(t, "secrets.read", "secrets.write")
	source.Pause = 1
	c := w.client(t, concordat.WithCredentials(vault.OAuth, source))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := calls["put secret"](t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.tokens.asked.Load(); n != 1 {
		t.Errorf("20 calls asked for %d tokens", n)
	}
	w.tokens.revoke()
	if _, err := calls["put secret"](t.Context(), c); err != nil {
		t.Errorf("after the token was revoked: %v", err)
	}
	if n := w.tokens.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	w.tokens.grant = []string{} // a fresh token that is no better
	w.tokens.revoke()
	if _, err := calls["put secret"](t.Context(), c); concordat.ErrorOf(err).Code != concordat.PermissionDenied {
		t.Errorf("without scopes: %v", err)
	}
	if n := w.tokens.asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
	source.Pause = time.Hour
	w.tokens.revoke()
	for range 5 {
		if _, err := calls["put secret"](t.Context(), c); concordat.ErrorOf(err).Code != concordat.Unauthenticated {
			t.Errorf("of tokens that are worth nothing: %v", err)
		}
	}
	if n := w.tokens.asked.Load(); n != 3 {
		t.Errorf("a server that refuses everything made us ask %d times", n)
	}
}

func TestRefreshTokens(t *testing.T) {
	w := newWorld(t)
	var saved []string
	conf := oauth.Client{ID: "desk", Secret: auth.Static("secret-of-the-desk"), TokenURL: w.tokens.URL + "/token", TLS: w.trust, SecretInBody: true}
	w.tokens.grant = []string{"secrets.read"}
	source, err := oauth.Refresh(conf, "refresh-0", func(token string) { saved = append(saved, token) })
	if err != nil {
		t.Fatal(err)
	}
	source.Pause = 1
	c := w.client(t, concordat.WithCredentials(vault.OAuth, source))
	for range 3 {
		if _, err := calls["get secret"](t.Context(), c); err != nil {
			t.Fatal(err)
		}
		w.tokens.revoke()
	}
	if !slices.Equal(saved, []string{"refresh-1", "refresh-2", "refresh-3"}) {
		t.Errorf("saved %v", saved)
	}
}

func TestTokenServersThatFail(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*oauth.Client){
		"secret":   func(c *oauth.Client) { c.Secret = auth.Static("wrong-secret") },
		"redirect": func(c *oauth.Client) { c.TokenURL = w.tokens.URL + "/elsewhere" },
		"absent":   func(c *oauth.Client) { c.TokenURL = w.tokens.URL + "/nowhere" },
		"trust":    func(c *oauth.Client) { c.TLS = nil },
	} {
		conf := oauth.Client{ID: "desk", Secret: auth.Static("secret-of-the-desk"), TokenURL: w.tokens.URL + "/token", TLS: w.trust}
		change(&conf)
		source, err := oauth.ClientCredentials(conf)
		if err != nil {
			t.Fatal(err)
		}
		before := w.tokens.asked.Load()
		_, err = calls["get secret"](t.Context(), w.client(t, concordat.WithCredentials(vault.OAuth, source)))
		if err == nil || strings.Contains(err.Error(), "secret-of") || strings.Contains(err.Error(), "wrong-secret") || !strings.Contains(err.Error(), "scheme oauth") {
			t.Errorf("%s: %v", name, err)
		}
		if name != "secret" && w.tokens.asked.Load() != before {
			t.Errorf("%s: a token was asked for", name)
		}
	}
	for what, c := range map[string]oauth.Client{
		"plaintext": {ID: "desk", TokenURL: "http://login.example.com/token"},
		"ID":        {TokenURL: "https://login.example.com/token"},
		"https":     {ID: "desk"},
	} {
		if _, err := oauth.ClientCredentials(c); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOpenIDTokens(t *testing.T) {
	w := newWorld(t)
	call := func(token string) concordat.Code {
		_, err := calls["put secret"](t.Context(), w.client(t, concordat.WithCredentials(vault.Login, auth.Static(token))))
		if err != nil && strings.Contains(err.Error(), token) {
			t.Error("the error shows the token")
		}
		if err == nil {
			return concordat.OK
		}
		return concordat.ErrorOf(err).Code
	}
	but := func(name string, value any) string {
		c := w.login.claims()
		c[name] = value
		return w.login.sign(t, c)
	}
	good := w.login.sign(t, w.login.claims())
	public := w.login.public()
	text, err := public.Keys[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for name, c := range map[string]struct {
		token string
		want  concordat.Code
	}{
		"good":              {good, concordat.OK},
		"scp as a list":     {but("scp", []string{"secrets.write"}), concordat.OK},
		"audience in a set": {but("aud", []string{"other", "vault"}), concordat.OK},
		"no scope":          {but("scope", "secrets.read"), concordat.PermissionDenied},
		"expired":           {but("exp", time.Now().Add(-time.Minute).Unix()), concordat.Unauthenticated},
		"not yet":           {but("nbf", time.Now().Add(time.Hour).Unix()), concordat.Unauthenticated},
		"other audience":    {but("aud", "billing"), concordat.Unauthenticated},
		"other issuer":      {but("iss", "https://evil.example.com"), concordat.Unauthenticated},
		"no end":            {but("exp", nil), concordat.Unauthenticated},
		"no subject":        {but("sub", ""), concordat.Unauthenticated},
		"unsigned":          {"eyJhbGciOiJub25lIn0." + parts[1] + ".", concordat.Unauthenticated},
		"signature cut":     {good[:len(good)-4], concordat.Unauthenticated},
		"payload changed":   {parts[0] + "." + strings.Split(but("sub", "mallory"), ".")[1] + "." + parts[2], concordat.Unauthenticated},
		"public key as HMAC": {signed(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: append(text, make([]byte, 32)...), KeyID: "key-0"}}, w.login.claims()),
			concordat.Unauthenticated},
		"rubbish": {"rubbish", concordat.Unauthenticated},
	} {
		if got := call(c.token); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	w.login.rotate(t)
	if got := call(w.login.sign(t, w.login.claims())); got != concordat.OK {
		t.Errorf("after the keys rotated: %v", got)
	}
	if got := call(good); got != concordat.OK {
		t.Errorf("signed by the key before: %v", got)
	}
	w.login.down.Store(true)
	w.login.rotate(t)
	if got := call(w.login.sign(t, w.login.claims())); got != concordat.Unavailable {
		t.Errorf("when the keys cannot be fetched: %v", got)
	}
	if got := call(good); got != concordat.OK {
		t.Errorf("a known key needs nobody: %v", got)
	}
}

// Tokens that no key has signed do not make us ask the provider each time.
func TestStrangersDoNotFloodTheProvider(t *testing.T) {
	w := newWorld(t)
	verify, err := oidc.Verifier(oidc.Config{Issuer: w.login.URL, Audience: "vault", TLS: w.trust, Refetch: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	good := w.login.sign(t, w.login.claims())
	for range 10 {
		if _, err := verify(t.Context(), &auth.Presented{Credential: auth.Credential{Value: good[:len(good)-8] + "AAAAAAAA"}}); err == nil || errors.Is(err, auth.ErrUnavailable) {
			t.Error(err)
		}
	}
	if n := w.login.keysAsked.Load(); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
	if who, err := verify(t.Context(), &auth.Presented{Credential: auth.Credential{Value: good}}); err != nil || who.Subject != "carol" || who.Issuer != w.login.URL {
		t.Errorf("%v, %v", who, err)
	}
	for what, c := range map[string]oidc.Config{"audience": {Issuer: "https://a"}, "issuer": {Audience: "a"}, "plaintext": {Issuer: "http://a.example", Audience: "a"}} {
		if _, err := oidc.Verifier(c); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if c := oidc.For(vault.Login, "vault"); c.Issuer != "https://login.example.com" {
		t.Errorf("%+v", c)
	}
}

// An OpenID provider also says where its tokens are.
func TestDiscoveredTokenURL(t *testing.T) {
	w := newWorld(t)
	c := oauth.For(vault.Login, "desk", auth.Static("s"))
	c.DiscoveryURL, c.TLS = w.login.URL+"/.well-known/openid-configuration", w.trust
	source, err := oauth.ClientCredentials(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Credential(t.Context()); err == nil || !strings.Contains(err.Error(), "404") { // it issues none
		t.Error(err)
	}
}

// Credentials do not leave in plaintext unless that was asked for, nor after a redirect.
func TestCredentialsStayHome(t *testing.T) {
	key := concordat.WithCredentials(vault.Key, auth.Static("key-of-the-desk"))
	if _, err := concordat.NewConn("http://localhost:1", key); err == nil || !strings.Contains(err.Error(), "WithPlaintext") {
		t.Errorf("plaintext: %v", err)
	}
	stolen := 0
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen++ }))
	defer thief.Close()
	home := httptest.NewServer(http.RedirectHandler(thief.URL+"/secrets/a", http.StatusTemporaryRedirect))
	defer home.Close()
	conn, err := concordat.NewConn(home.URL, key, concordat.WithPlaintext())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := calls["get secret"](t.Context(), vault.NewClient(conn)); err == nil || stolen != 0 {
		t.Errorf("%v, and the thief was called %d times", err, stolen)
	}
}

// What an interceptor sends itself is enough.
func TestOwnHeaders(t *testing.T) {
	w := newWorld(t)
	own := concordat.WithInterceptors(func(ctx context.Context, c *concordat.Call, in any, next concordat.Next) (any, error) {
		c.SetMeta("X-API-Key", "key-of-the-desk")
		return next(ctx, in)
	})
	if got, err := calls["get secret"](t.Context(), w.client(t, own)); err != nil || got != "desk" {
		t.Errorf("%q, %v", got, err)
	}
}

// A server that cannot verify what its contract demands does not start, and lets nobody in.
func TestFailsClosed(t *testing.T) {
	quiet := (&world{log: new(safeBuffer)}).logging()
	srv := concordat.NewServer(concordat.WithPlaintext(), quiet, concordat.WithVerifier(vault.Key, auth.Keys(map[string]string{"desk": "key"})))
	vault.Register(srv, implementation())
	err := srv.Run(t.Context())
	for _, scheme := range []string{"oauth", "login", "password", "link", "session", "bearer", "signed", "mutual TLS"} {
		if err == nil || !strings.Contains(err.Error(), scheme) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
	for path, want := range map[string]int{"/secrets/a": 200, "/session": 503, "/machine": 401, "/status": 200, "/greeting": 200} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("X-API-Key", "key")
		r.Header.Set("Cookie", "session=s")
		r.Header.Set("Authorization", "Bearer x")
		srv.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	open := concordat.NewServer(concordat.WithoutAuthentication())
	vault.Register(open, implementation())
	rec := httptest.NewRecorder()
	open.ServeHTTP(rec, httptest.NewRequest("GET", "/secrets/a", nil))
	if rec.Code != 200 || rec.Body.String() != "anonymous" {
		t.Errorf("WithoutAuthentication: %d %s", rec.Code, rec.Body)
	}
}

// A verifier that panics lets nobody in, and the server goes on.
func TestVerifiersThatFail(t *testing.T) {
	for want, verify := range map[int]auth.Verifier{
		503: func(context.Context, *auth.Presented) (*auth.Principal, error) { panic("no") },
		401: func(context.Context, *auth.Presented) (*auth.Principal, error) { return nil, nil },
		403: func(context.Context, *auth.Presented) (*auth.Principal, error) {
			return nil, fmt.Errorf("blocked: %w", auth.ErrForbidden)
		},
	} {
		w := newWorld(t, concordat.WithVerifier(vault.Key, verify))
		for range 2 {
			if status, _, text := w.raw(t, "GET", "/secrets/a", nil, "X-API-Key", "x"); status != want || strings.Contains(text, "blocked") {
				t.Errorf("%d, want %d: %s", status, want, text)
			}
		}
	}
}

// The query keeps what it had.
func TestQueryKeys(t *testing.T) {
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://h/p?a=1", nil)
	before := req.URL
	if err := vault.Link.Apply(req, auth.Credential{Value: "x&y=z"}); err != nil || req.URL.Query().Get("signature") != "x&y=z" || req.URL.Query().Get("a") != "1" || before.RawQuery != "a=1" {
		t.Errorf("%v, %v", err, req.URL)
	}
	if _, err := url.ParseQuery(req.URL.RawQuery); err != nil {
		t.Error(err)
	}
}
