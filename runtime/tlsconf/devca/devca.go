// Package devca is a certificate authority FOR DEVELOPMENT AND TESTS ONLY. It keeps its
// key in memory or in a plain file, asks nobody who they are, and revokes nothing:
// whoever can read its key can be anyone. In production, certificates come from an
// authority that your organisation runs.
//
// It imports runtime/tlsconf and the standard library.
package devca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// How long certificates last. Clocks that are late by up to an hour are forgiven.
const (
	AuthorityLasts = 7 * 24 * time.Hour
	LeafLasts      = 24 * time.Hour
	skew           = time.Hour
)

// A CA issues certificates. It is safe for concurrent use.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
	// trust is what leaves come with: pem, and the authorities before it.
	trust []byte
}

// A Leaf is a certificate with its key, fit for servers and clients, in PEM form.
type Leaf struct{ Cert, Key, CA []byte }

// New returns a fresh authority (ECDSA P-256), which exists in memory only.
func New() (*CA, error) { return fresh(AuthorityLasts) }

func fresh(lasts time.Duration) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := template("Concordat development CA, not for production", lasts)
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	text := block("CERTIFICATE", der)
	return &CA{cert: cert, key: key, pem: text, trust: text}, nil
}

// PEM returns the authority's certificate.
func (ca *CA) PEM() []byte { return ca.pem }

// A Request says what a certificate is to prove. Only Name is required.
type Request struct {
	Name  string        // the subject's common name
	Hosts []string      // names and addresses; none of them and no URIs: localhost and the loopback addresses
	URIs  []string      // such as a SPIFFE id, "spiffe://example.org/users"
	Lasts time.Duration // 0: LeafLasts; never longer than the authority
}

// Issue returns a certificate for name, valid for the hosts (names or addresses);
// without hosts, for localhost and the loopback addresses.
func (ca *CA) Issue(name string, hosts ...string) (*Leaf, error) {
	return ca.IssueFor(Request{Name: name, Hosts: hosts})
}

// IssueFor returns a certificate (ECDSA P-256) for servers and clients.
func (ca *CA) IssueFor(r Request) (*Leaf, error) {
	t, err := ca.template(r)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.cert, key.Public(), ca.key)
	if err != nil {
		return nil, err
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &Leaf{Cert: block("CERTIFICATE", der), Key: block("PRIVATE KEY", k), CA: ca.trust}, nil
}

func (ca *CA) template(r Request) (*x509.Certificate, error) {
	if r.Lasts == 0 {
		r.Lasts = LeafLasts
	}
	if len(r.Hosts)+len(r.URIs) == 0 {
		r.Hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	t := template(r.Name, min(r.Lasts, time.Until(ca.cert.NotAfter)))
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, h := range r.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	for _, text := range r.URIs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" {
			return nil, fmt.Errorf("devca: %q is not a URI such as spiffe://example.org/users", text)
		}
		t.URIs = append(t.URIs, u)
	}
	return t, nil
}

// Mutual is Issue as a TLS configuration, for servers and clients.
func (ca *CA) Mutual(name string, hosts ...string) (*tlsconf.Config, error) {
	l, err := ca.Issue(name, hosts...)
	if err != nil {
		return nil, err
	}
	return tlsconf.MutualPEM(l.Cert, l.Key, l.CA), nil
}

// WriteFiles writes name.crt, name.key (readable by the owner only) and ca.crt into dir,
// which it makes, and returns their paths. Existing files are replaced.
func (l *Leaf) WriteFiles(dir, name string) (cert, key, ca string, err error) {
	if filepath.Base(name) != name {
		return "", "", "", fmt.Errorf("devca: %q is not a file name", name)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", "", err
	}
	cert, key, ca = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"), filepath.Join(dir, "ca.crt")
	for _, f := range []struct {
		path string
		data []byte
		mode os.FileMode
	}{{key, l.Key, 0o600}, {cert, l.Cert, 0o644}, {ca, l.CA, 0o644}} {
		if err := replace(f.path, f.data, f.mode); err != nil {
			return "", "", "", err
		}
	}
	return cert, key, ca, nil
}

// replace writes a file in one step, so that nobody reads half of it.
func replace(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(mode)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func template(name string, lasts time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // never fails: crypto/rand
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(lasts),
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
