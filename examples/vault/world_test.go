// Package vault_test calls the generated vault in every way that its contract knows, over
// TLS, with real issuers of tokens beside it.
package vault_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/concordat-dev/concordat/examples/vault/vault"
	"github.com/concordat-dev/concordat/examples/vault/vault/vaulttest"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/auth/oidc"
	"github.com/concordat-dev/concordat/runtime/concordattest"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// An account is what the vault knows of a session.
type account struct{ email string }

// A world is a vault, who issues tokens for it, and what they were asked.
type world struct {
	ca     *devca.CA
	server *concordat.Server
	addr   string
	tokens *tokenServer
	login  *provider
	log    *safeBuffer
	trust  *tlsconf.Config // of clients without a certificate
}

func newWorld(t *testing.T, opts ...concordat.ServerOption) *world {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{ca: ca, log: new(safeBuffer), trust: tlsconf.RootsPEM(ca.PEM())}
	w.tokens = newTokenServer(t, w)
	w.login = newProvider(t, w)
	conf, err := ca.Mutual("vault")
	if err != nil {
		t.Fatal(err)
	}
	w.server = concordat.NewServer(append(w.verifiers(t), append(opts, concordat.WithTLS(conf.Optional()), w.logging())...)...)
	vault.Register(w.server, implementation())
	w.addr = concordattest.Run(t, w.server)
	return w
}

func (w *world) logging() concordat.Option {
	return concordat.WithLogger(slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

// verifiers are one for each scheme of the contract.
func (w *world) verifiers(t *testing.T) []concordat.ServerOption {
	t.Helper()
	login, err := oidc.Verifier(oidc.Config{Issuer: w.login.URL, Audience: "vault", TLS: w.trust, Refetch: 1})
	if err != nil {
		t.Fatal(err)
	}
	return []concordat.ServerOption{
		concordat.WithVerifier(vault.Key, auth.Keys(map[string]string{"desk": "key-of-the-desk", "nobody": ""})),
		concordat.WithVerifier(vault.Link, auth.Keys(map[string]string{"link": "a signature & more"})),
		concordat.WithVerifier(vault.Session, auth.Tokens(func(_ context.Context, id string) (*auth.Principal, error) {
			if !auth.Equal(id, "session-of-ann") {
				return nil, errors.New("no such session")
			}
			return &auth.Principal{Subject: "ann", Detail: &account{"ann@example.com"}}, nil
		})),
		concordat.WithVerifier(vault.Password, auth.Passwords(func(_ context.Context, user, password string) (*auth.Principal, error) {
			if user != "root" || !auth.Equal(password, "päss:word") {
				return nil, errors.New("wrong")
			}
			return &auth.Principal{Subject: user}, nil
		})),
		concordat.WithVerifier(vault.Bearer, auth.Keys(map[string]string{"bob": "token-of-bob"})),
		concordat.WithVerifier(vault.OAuth, w.tokens.verify),
		concordat.WithVerifier(vault.Login, login),
		concordat.WithVerifier(vault.Signed, challenge),
	}
}

const nonce = "n-1"

// challenge is a scheme of its own: the value must answer the nonce.
func challenge(_ context.Context, p *auth.Presented) (*auth.Principal, error) {
	if p.Value != "answer-to-"+nonce {
		return nil, &auth.Challenge{Value: `Digest realm="vault", nonce="` + nonce + `"`}
	}
	return &auth.Principal{Subject: "signer"}, nil
}

// answering answers the challenge, once it has heard one.
type answering struct{}

func (answering) Credential(context.Context) (auth.Credential, error) {
	return auth.Credential{Sign: func(*http.Request) error { return nil }}, nil
}

func (answering) Renew(_ context.Context, _ auth.Credential, challenges []string) (auth.Credential, error) {
	for _, c := range challenges {
		if _, n, ok := strings.Cut(c, `nonce="`); ok && strings.HasPrefix(c, "Digest ") {
			return auth.Credential{Value: "answer-to-" + strings.TrimSuffix(n, `"`)}, nil
		}
	}
	return auth.Credential{}, errors.New("no challenge")
}

// implementation says who calls.
func implementation() vaulttest.Vault {
	who := func(ctx context.Context) string {
		var all []string
		for _, p := range auth.Principals(ctx) {
			all = append(all, p.String())
		}
		if a, ok := auth.Detail[*account](ctx); ok {
			all = append(all, a.email)
		}
		if len(all) == 0 {
			return "anonymous"
		}
		return strings.Join(all, ", ")
	}
	return vaulttest.Vault{
		OnStatus: func(ctx context.Context, _ *vault.StatusRequest) (*vault.StatusResponse, error) {
			return &vault.StatusResponse{Body: who(ctx)}, nil
		},
		OnGreet: func(ctx context.Context, _ *vault.GreetRequest) (*vault.GreetResponse, error) {
			return &vault.GreetResponse{Body: who(ctx)}, nil
		},
		OnGetSecret: func(ctx context.Context, _ *vault.GetSecretRequest) (*vault.GetSecretResponse, error) {
			return &vault.GetSecretResponse{Body: who(ctx)}, nil
		},
		OnPutSecret:    func(context.Context, *vault.PutSecretRequest) error { return nil },
		OnDeleteSecret: func(context.Context, *vault.DeleteSecretRequest) error { return nil },
		OnGetBackup: func(ctx context.Context, in *vault.GetBackupRequest) (*vault.GetBackupResponse, error) {
			return &vault.GetBackupResponse{Body: fmt.Sprint(who(ctx), " ", in.Day, " ", *in.Part)}, nil
		},
		OnGetSession: func(ctx context.Context, _ *vault.GetSessionRequest) (*vault.GetSessionResponse, error) {
			return &vault.GetSessionResponse{Body: who(ctx)}, nil
		},
		OnGetMachine: func(ctx context.Context, _ *vault.GetMachineRequest) (*vault.GetMachineResponse, error) {
			return &vault.GetMachineResponse{Body: auth.PeerOf(ctx).Name()}, nil
		},
		OnGetLedger: func(ctx context.Context, _ *vault.GetLedgerRequest) (*vault.GetLedgerResponse, error) {
			return &vault.GetLedgerResponse{Body: who(ctx)}, nil
		},
	}
}

// client calls the vault, without a certificate unless opts say otherwise.
func (w *world) client(t *testing.T, opts ...concordat.ConnOption) *vault.Client {
	t.Helper()
	all := append([]concordat.ConnOption{concordat.WithTLS(w.trust), concordat.WithRetries(0), w.logging()}, opts...)
	return vault.NewClient(concordattest.Dial(t, "https://"+w.addr, all...))
}

// machine is a client's certificate.
func (w *world) machine(t *testing.T, name string, uris ...string) concordat.Option {
	t.Helper()
	l, err := w.ca.IssueFor(devca.Request{Name: name, Hosts: []string{"127.0.0.1"}, URIs: uris})
	if err != nil {
		t.Fatal(err)
	}
	return concordat.WithTLS(tlsconf.MutualPEM(l.Cert, l.Key, l.CA))
}

// raw sends what curl would, without a certificate.
func (w *world) raw(t *testing.T, method, path string, body io.Reader, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+w.addr+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	conf, err := w.trust.Client("127.0.0.1", "http/1.1")
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: conf, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// serveTLS serves h with a certificate of the world.
func (w *world) serveTLS(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	l, err := w.ca.Issue("issuer")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(l.Cert, l.Key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
