// Package tlsconf holds the one TLS policy of Concordat: TLS 1.3, verification always
// on, mutual by one call. Certificates and roots are read when a handshake needs them,
// and again when the files change, told by their content: a new pair that is invalid
// leaves the old one in place.
//
// It imports only the standard library.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Recheck is how long files are trusted before a handshake reads them again.
const Recheck = time.Second

// A Config says who we are and whom we trust. It is safe for concurrent use, may serve
// any number of connections and servers, and does no I/O before the first handshake or
// [Config.Load].
type Config struct {
	source   source
	checks   []func(tls.ConnectionState) error
	lax      bool                                  // of a server: clients need no certificate
	identify func(chain []*x509.Certificate) error // nil: by host name

	mu      sync.Mutex // one reader at a time
	checked time.Time
	last    error        // why the newest content was refused
	now     atomic.Value // *material
}

// Mutual proves who we are with a certificate and demands that the peer's was issued by
// the authority in caFile. All files are PEM; caFile may hold several authorities.
func Mutual(certFile, keyFile, caFile string) *Config {
	return &Config{source: files{cert: certFile, key: keyFile, ca: caFile}}
}

// ServerFiles is for a server that proves who it is and lets every client in.
func ServerFiles(certFile, keyFile string) *Config {
	return &Config{source: files{cert: certFile, key: keyFile}}
}

// Roots is for a client that has no certificate of its own and trusts the authorities
// in caFile, and no other.
func Roots(caFile string) *Config { return &Config{source: files{ca: caFile}} }

// System is for a client that has no certificate of its own and trusts whom the
// operating system trusts. It is what connections use when nothing else is said.
func System() *Config { return &Config{source: pem{}} }

// MutualPEM is Mutual with PEM text in place of files.
func MutualPEM(cert, key, ca []byte) *Config { return &Config{source: pem{cert, key, ca}} }

// ServerPEM is ServerFiles with PEM text in place of files.
func ServerPEM(cert, key []byte) *Config { return &Config{source: pem{cert: cert, key: key}} }

// RootsPEM is Roots with PEM text in place of a file.
func RootsPEM(ca []byte) *Config { return &Config{source: pem{ca: ca}} }

// Check returns a Config that also calls f for every connection, resumed ones included,
// once the peer's certificate has been verified. An error ends the handshake.
func (c *Config) Check(f func(tls.ConnectionState) error) *Config {
	return &Config{source: c.source, checks: append(slices.Clip(c.checks), f), lax: c.lax, identify: c.identify}
}

// Optional returns a Config by which a server also lets clients in that show no
// certificate: for contracts that name mutual TLS as one way in of several. One that is
// shown is verified as ever.
func (c *Config) Optional() *Config {
	return &Config{source: c.source, checks: slices.Clip(c.checks), lax: true, identify: c.identify}
}

// Proves reports whether there is a certificate of our own. It reads the files.
func (c *Config) Proves() bool {
	m, err := c.current()
	return err == nil && m.cert != nil
}

// AsksClients reports whether a server asks its clients for a certificate. It reads the
// files.
func (c *Config) AsksClients() bool {
	m, err := c.current()
	return err == nil && m.roots != nil
}

// PEM is for certificates that come from elsewhere than files: an agent, or a secret
// store. read is called at most once every [Recheck], when a handshake needs it; nil cert
// and key mean that we have none, nil ca that the system's authorities are trusted. What
// is invalid leaves what was there before in place.
func PEM(read func() (cert, key, ca []byte, err error)) *Config {
	return &Config{source: supplier(read)}
}

// Identify returns a Config that knows peers by f, and not by host name: the peer's chain
// is verified all the same, and f is given it, the peer's own certificate first. An error
// ends the handshake. It is for identities that are no host names, such as SPIFFE's.
func (c *Config) Identify(f func(chain []*x509.Certificate) error) *Config {
	return &Config{source: c.source, checks: slices.Clip(c.checks), lax: c.lax, identify: f}
}

// Load reads certificates and roots now and says what is wrong with them.
func (c *Config) Load() error {
	_, err := c.current()
	return err
}

// Err returns why the newest content of the files was refused, or nil. Handshakes go on
// with the content before.
func (c *Config) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Generation identifies the content in use: it changes when a reload succeeds. It is ""
// before the first handshake.
func (c *Config) Generation() string {
	if m := c.loaded(); m != nil {
		return m.sum
	}
	return ""
}

// Expires returns when our own certificate does; the zero time where we have none, or it
// has not been read yet.
func (c *Config) Expires() time.Time {
	if m := c.loaded(); m != nil && m.cert != nil {
		return m.cert.Leaf.NotAfter
	}
	return time.Time{}
}

// Still reports, as an error, whether the peer of a connection to our server would not be
// let in any more: its certificate has expired since, or its authority is trusted no more.
func (c *Config) Still(cs tls.ConnectionState) error {
	m, err := c.current()
	if err != nil || m.roots == nil {
		return err
	}
	switch {
	case len(cs.PeerCertificates) > 0:
		return m.chain(cs, x509.ExtKeyUsageClientAuth, "")
	case c.lax:
		return nil
	}
	return errors.New("the peer showed no certificate")
}

// Client returns what a client needs to connect to serverName, offering protos by ALPN.
func (c *Config) Client(serverName string, protos ...string) (*tls.Config, error) {
	m, err := c.current()
	if err != nil {
		return nil, err
	}
	t := &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: serverName,
		RootCAs:    m.roots,
		NextProtos: protos,
	}
	t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if m.cert == nil {
			return &tls.Certificate{}, nil
		}
		return m.cert, nil
	}
	// Who is known by another identity than a host name is verified in VerifyConnection,
	// which is left out of what crypto/tls would do by itself only in the name.
	t.InsecureSkipVerify = c.identify != nil
	t.VerifyConnection = func(cs tls.ConnectionState) error {
		return c.verify(cs, x509.ExtKeyUsageServerAuth, serverName)
	}
	return t, nil
}

// Server returns what a server needs, offering protos by ALPN. Clients must show a
// certificate when the Config has authorities to check it against. Every handshake uses
// what the files say then.
func (c *Config) Server(protos ...string) (*tls.Config, error) {
	m, err := c.current()
	if err != nil {
		return nil, err
	}
	if m.cert == nil {
		return nil, fmt.Errorf("tlsconf: a server needs a certificate of its own: use tlsconf.Mutual or tlsconf.ServerFiles")
	}
	t := c.server(m, protos)
	t.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		m, err := c.current()
		if err != nil {
			return nil, err
		}
		return c.server(m, protos), nil
	}
	return t, nil
}

func (c *Config) server(m *material, protos []string) *tls.Config {
	t := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{*m.cert},
		NextProtos:   protos,
	}
	if m.roots != nil {
		t.ClientAuth = tls.RequireAndVerifyClientCert
		if c.lax {
			t.ClientAuth = tls.VerifyClientCertIfGiven
		}
		t.ClientCAs = m.roots
	}
	t.VerifyConnection = func(cs tls.ConnectionState) error {
		return c.verify(cs, x509.ExtKeyUsageClientAuth, "")
	}
	return t
}

// verify runs for every connection. A resumed one was verified when it was first made,
// perhaps against roots that have since been replaced, so it is verified again. The
// crypto/tls of today does so itself, earlier ones that users may build with do not.
func (c *Config) verify(cs tls.ConnectionState, usage x509.ExtKeyUsage, name string) error {
	m, err := c.current()
	if err != nil {
		return err
	}
	if c.identify != nil {
		if err := m.identified(cs, usage, c); err != nil {
			return err
		}
	} else if cs.DidResume && len(cs.PeerCertificates) > 0 {
		if err := m.chain(cs, usage, name); err != nil {
			return err
		}
	}
	for _, f := range c.checks {
		if err := f(cs); err != nil {
			return err
		}
	}
	return nil
}

// identified verifies a peer by c.identify. A server that asks nobody for a certificate,
// or insists on none, gets none.
func (m *material) identified(cs tls.ConnectionState, usage x509.ExtKeyUsage, c *Config) error {
	if len(cs.PeerCertificates) == 0 {
		if usage == x509.ExtKeyUsageClientAuth && (m.roots == nil || c.lax) {
			return nil
		}
		return errors.New("tlsconf: the peer showed no certificate")
	}
	if err := m.chain(cs, usage, ""); err != nil {
		return err
	}
	return c.identify(cs.PeerCertificates)
}

// chain verifies the peer's certificate against the roots of today. name is "" where the
// host does not matter.
func (m *material) chain(cs tls.ConnectionState, usage x509.ExtKeyUsage, name string) error {
	o := x509.VerifyOptions{Roots: m.roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}, Intermediates: x509.NewCertPool()}
	for _, i := range cs.PeerCertificates[1:] {
		o.Intermediates.AddCert(i)
	}
	_, err := cs.PeerCertificates[0].Verify(o)
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
	}
	return nil
}
