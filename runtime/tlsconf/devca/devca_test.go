package devca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	b, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLeaf(t *testing.T) {
	ca, err := New()
	if err != nil {
		t.Fatal(err)
	}
	root := parse(t, ca.PEM())
	if !root.IsCA || !strings.Contains(root.Subject.CommonName, "not for production") || time.Until(root.NotAfter) > AuthorityLasts {
		t.Errorf("authority: %v until %v", root.Subject, root.NotAfter)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	l, err := ca.Issue("users", "users.local", "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, l.Cert)
	if k, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || k.Curve != elliptic.P256() || time.Until(c.NotAfter) > LeafLasts || c.IsCA {
		t.Errorf("leaf: %T until %v, authority %v", c.PublicKey, c.NotAfter, c.IsCA)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		for host, fits := range map[string]bool{"users.local": true, "10.0.0.1": true, "localhost": false} {
			_, err := c.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}})
			if (err == nil) != fits {
				t.Errorf("%s, usage %d: %v", host, usage, err)
			}
		}
	}
	if l, err = ca.Issue("x"); err != nil || parse(t, l.Cert).VerifyHostname("127.0.0.1") != nil {
		t.Error("without hosts it is for the loopback")
	}
}

func TestWriteFiles(t *testing.T) {
	ca, err := New()
	if err != nil {
		t.Fatal(err)
	}
	l, err := ca.Issue("x")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "certs")
	for range 2 { // the second replaces
		cert, key, root, err := l.WriteFiles(dir, "x")
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string][]byte{cert: l.Cert, key: l.Key, root: ca.PEM()} {
			if got, err := os.ReadFile(path); err != nil || string(got) != string(want) {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, _, _, err := l.WriteFiles(dir, "../x"); err == nil {
		t.Error("a name that leads elsewhere")
	}
}
