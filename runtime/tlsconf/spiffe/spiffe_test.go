package spiffe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/spiffe"
)

// A domain is a trust domain with its authority.
type domain struct {
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newDomain(t *testing.T, name string) *domain {
	t.Helper()
	key := newKey(t)
	u := &url.URL{Scheme: "spiffe", Host: name}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, URIs: []*url.URL{u},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &domain{name, c, key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// svid issues a certificate for id; signed by d, whatever domain the id is of.
func (d *domain) svid(t *testing.T, id string) *workload.X509SVID {
	t.Helper()
	u, err := url.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), URIs: []*url.URL{u},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, d.cert, key.Public(), d.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &workload.X509SVID{SpiffeId: id, X509Svid: der, X509SvidKey: secret, Bundle: d.cert.Raw}
}

// An agent serves the Workload API over gRPC on a socket, as SPIRE's agent does: one
// stream per workload, on which it says everything again when something changes.
type agent struct {
	workload.UnimplementedSpiffeWorkloadAPIServer
	mu      sync.Mutex
	current *workload.X509SVIDResponse
	changed chan struct{}
}

func (a *agent) say(r *workload.X509SVIDResponse) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current = r
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *agent) state() (*workload.X509SVIDResponse, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current, a.changed
}

func (a *agent) FetchX509SVID(_ *workload.X509SVIDRequest, s grpc.ServerStreamingServer[workload.X509SVIDResponse]) error {
	if md, _ := metadata.FromIncomingContext(s.Context()); md.Get("workload.spiffe.io") == nil {
		return status.Error(codes.InvalidArgument, "the security header is missing")
	}
	for {
		r, changed := a.state()
		if r == nil {
			return status.Error(codes.PermissionDenied, "no identity issued")
		}
		if err := s.Send(r); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-s.Context().Done():
			return nil
		}
	}
}

// started returns an agent and its address.
func started(t *testing.T, first *workload.X509SVIDResponse) (*agent, string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "agent.sock")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{current: first, changed: make(chan struct{})}
	s := grpc.NewServer()
	workload.RegisterSpiffeWorkloadAPIServer(s, a)
	go func() { _ = s.Serve(ln) }()
	t.Cleanup(s.Stop)
	return a, "unix://" + socket
}

func only(s *workload.X509SVID) *workload.X509SVIDResponse {
	return &workload.X509SVIDResponse{Svids: []*workload.X509SVID{s}}
}

func open(t *testing.T, r *workload.X509SVIDResponse) (*spiffe.Source, *agent) {
	t.Helper()
	a, addr := started(t, r)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := spiffe.Open(ctx, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, a
}

// meet connects two configurations, and returns what either side said of it.
func meet(t *testing.T, client, server *tlsconf.Config) error {
	t.Helper()
	sc, err := server.Server()
	if err != nil {
		t.Fatal(err)
	}
	cc, err := client.Client("10.0.0.1") // no certificate here bears a host's name
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	said := make(chan error, 1)
	go func() {
		b, err := ln.Accept()
		if err == nil {
			defer b.Close()
			err = tls.Server(b, sc).HandshakeContext(t.Context())
		}
		said <- err
	}()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	c := tls.Client(a, cc)
	if err := c.HandshakeContext(t.Context()); err != nil {
		return err
	}
	_, _ = c.Read(make([]byte, 1)) // takes tickets, or the server's refusal
	return <-said
}

func TestWhoIsLetIn(t *testing.T) {
	shop, bank := newDomain(t, "shop.test"), newDomain(t, "bank.test")
	users, _ := open(t, only(shop.svid(t, "spiffe://shop.test/users")))
	support, _ := open(t, only(shop.svid(t, "spiffe://shop.test/support")))
	stranger, _ := open(t, only(bank.svid(t, "spiffe://bank.test/teller")))
	if id := users.ID(); id != "spiffe://shop.test/users" {
		t.Errorf("ID %s", id)
	}
	for _, c := range []struct {
		name           string
		client, server *spiffe.Source
		from, to       spiffe.Allow
		want           string
	}{
		{"by id", support, users, spiffe.IDs("spiffe://shop.test/users"), spiffe.IDs("spiffe://shop.test/support"), ""},
		{"by domain", support, users, spiffe.Domain("shop.test"), spiffe.Domain("shop.test"), ""},
		{"the server is another", support, users, spiffe.IDs("spiffe://shop.test/orders"), spiffe.Domain("shop.test"), "spiffe://shop.test/users is not let in"},
		{"the client is another", support, users, spiffe.Domain("shop.test"), spiffe.IDs("spiffe://shop.test/orders"), "spiffe://shop.test/support is not let in"},
		{"another domain", stranger, users, spiffe.Domain("shop.test"), spiffe.Domain("shop.test"), "unknown authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := meet(t, c.client.TLS(c.from), c.server.TLS(c.to))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// The authority of a federated domain is trusted, but not with ids of ours.
func TestAuthoritiesSpeakForTheirOwnDomain(t *testing.T) {
	shop, bank := newDomain(t, "shop.test"), newDomain(t, "bank.test")
	federated := func(s *workload.X509SVID, others ...*domain) *workload.X509SVIDResponse {
		r := only(s)
		r.FederatedBundles = map[string][]byte{}
		for _, o := range others {
			r.FederatedBundles["spiffe://"+o.name] = o.cert.Raw
		}
		return r
	}
	users, _ := open(t, federated(shop.svid(t, "spiffe://shop.test/users"), bank))
	teller, _ := open(t, federated(bank.svid(t, "spiffe://bank.test/teller"), shop))
	if err := meet(t, teller.TLS(spiffe.Domain("shop.test")), users.TLS(spiffe.Domain("bank.test"))); err != nil {
		t.Error("a federated peer:", err)
	}
	forged := bank.svid(t, "spiffe://shop.test/support")
	cert, key := pemOf(t, forged)
	ca := pemCert(bank.cert.Raw)
	ca = append(ca, pemCert(shop.cert.Raw)...)
	client := tlsconf.MutualPEM(cert, key, ca).Identify(func([]*x509.Certificate) error { return nil })
	err := meet(t, client, users.TLS(spiffe.Domain("shop.test")))
	if err == nil {
		t.Error("bank.test issued an id of shop.test, and it was believed")
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	shop := newDomain(t, "shop.test")
	users, a := open(t, only(shop.svid(t, "spiffe://shop.test/users")))
	a.say(only(shop.svid(t, "spiffe://shop.test/users-2")))
	for deadline := time.Now().Add(10 * time.Second); users.ID() != "spiffe://shop.test/users-2"; {
		if time.Now().After(deadline) {
			t.Fatal("the new certificate was not taken")
		}
		time.Sleep(5 * time.Millisecond)
	}
	peer, _ := open(t, only(shop.svid(t, "spiffe://shop.test/support")))
	if err := meet(t, peer.TLS(spiffe.IDs("spiffe://shop.test/users-2")), users.TLS(spiffe.Domain("shop.test"))); err != nil {
		t.Error(err)
	}
}

func TestNoWorkloadAPI(t *testing.T) {
	t.Setenv("SPIFFE_ENDPOINT_SOCKET", "")
	if _, err := spiffe.Open(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "SPIFFE_ENDPOINT_SOCKET") {
		t.Errorf("no address: %v", err)
	}
	if _, err := spiffe.Open(t.Context(), "http://somewhere"); err == nil {
		t.Error("a scheme that is none")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := spiffe.Open(ctx, "unix://"+filepath.Join(t.TempDir(), "gone.sock"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "does an agent run there") {
		t.Errorf("no agent: %v", err)
	}
}

func pemCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func pemOf(t *testing.T, s *workload.X509SVID) (cert, key []byte) {
	t.Helper()
	return pemCert(s.X509Svid), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: s.X509SvidKey})
}
