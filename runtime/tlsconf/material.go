package tlsconf

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// A material is one consistent content of a source.
type material struct {
	sum   string
	cert  *tls.Certificate // nil: none of our own
	roots *x509.CertPool   // nil: the system's, for a client; nobody's, for a server
}

// A source yields PEM text; nil where it has none.
type source interface {
	read() (cert, key, ca []byte, err error)
	// changes reports whether a later read can differ.
	changes() bool
}

type pem struct{ cert, key, ca []byte }

func (p pem) read() (cert, key, ca []byte, err error) { return p.cert, p.key, p.ca, nil }
func (pem) changes() bool                             { return false }

type files struct{ cert, key, ca string }

func (f files) read() (cert, key, ca []byte, err error) {
	one := func(name string) []byte {
		if name == "" || err != nil {
			return nil
		}
		var b []byte
		b, err = os.ReadFile(name)
		return b
	}
	cert, key, ca = one(f.cert), one(f.key), one(f.ca)
	return cert, key, ca, err
}

func (files) changes() bool { return true }

type supplier func() (cert, key, ca []byte, err error)

func (f supplier) read() (cert, key, ca []byte, err error) { return f() }
func (supplier) changes() bool                             { return true }

// current returns the material in use. It reads the source again when that can change
// and was not read lately; an error then keeps what there was.
func (c *Config) current() (*material, error) {
	m := c.loaded()
	if m != nil && !c.source.changes() {
		return m, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m = c.loaded(); m != nil && time.Since(c.checked) < Recheck {
		return m, nil
	}
	c.checked = time.Now()
	fresh, err := load(c.source, m)
	c.last = err
	if err != nil {
		if m != nil {
			return m, nil
		}
		return nil, err
	}
	c.now.Store(fresh)
	return fresh, nil
}

// load reads s, and returns old when it says the same.
func load(s source, old *material) (*material, error) {
	cert, key, ca, err := s.read()
	if err != nil {
		return nil, fmt.Errorf("tlsconf: %w", err)
	}
	sum := digest(cert, key, ca)
	if old != nil && old.sum == sum {
		return old, nil
	}
	m := &material{sum: sum}
	if cert != nil || key != nil {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("tlsconf: certificate and key: %w", err)
		}
		m.cert = &pair
	}
	if ca != nil {
		m.roots = x509.NewCertPool()
		if !m.roots.AppendCertsFromPEM(ca) {
			return nil, errors.New("tlsconf: the authorities' file holds no certificate in PEM form")
		}
	}
	return m, nil
}

func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return string(h.Sum(nil))
}

// loaded returns what was loaded last; nil before that.
func (c *Config) loaded() *material {
	m, _ := c.now.Load().(*material)
	return m
}
