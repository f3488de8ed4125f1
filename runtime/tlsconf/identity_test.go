package tlsconf_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

func TestPeersKnownByIdentity(t *testing.T) {
	ca, other := authority(t), authority(t)
	l, s := leaf(t, ca, "nowhere.test"), leaf(t, other)
	named := func(want string) func([]*x509.Certificate) error {
		return func(chain []*x509.Certificate) error {
			if got := chain[0].Subject.CommonName; got != want {
				return errors.New("it is " + got)
			}
			return nil
		}
	}
	ours := tlsconf.MutualPEM(l.Cert, l.Key, l.CA)
	for _, c := range []struct {
		name           string
		client, server *tlsconf.Config
		want           string
	}{
		{"whatever the host", ours.Identify(named("test")), ours.Identify(named("test")), ""},
		{"a wrong server", ours.Identify(named("users")), ours, "it is test"},
		{"a wrong client", ours.Identify(named("test")), ours.Identify(named("users")), "bad certificate"},
		{"another authority's server", ours.Identify(named("test")), tlsconf.ServerPEM(s.Cert, s.Key), "unknown authority"},
		{"a server that asks nobody", ours.Identify(named("test")), tlsconf.ServerPEM(l.Cert, l.Key).Identify(named("users")), ""},
		{"by name after all", ours, ours, "nowhere.test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, err := c.client.Client("users.test")
			if err != nil {
				t.Fatal(err)
			}
			server, err := c.server.Server()
			if err != nil {
				t.Fatal(err)
			}
			_, err = shake(client, server)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestCertificatesFromElsewhere(t *testing.T) {
	ca := authority(t)
	l := leaf(t, ca)
	var fault error
	conf := tlsconf.PEM(func() (cert, key, roots []byte, err error) { return l.Cert, l.Key, l.CA, fault })
	if !conf.Expires().IsZero() {
		t.Error("it expires before it was read")
	}
	if err := conf.Load(); err != nil {
		t.Fatal(err)
	}
	if d := time.Until(conf.Expires()); d <= 0 || d > 24*time.Hour {
		t.Errorf("it expires in %v", d)
	}
	server, err := conf.Server()
	if err != nil {
		t.Fatal(err)
	}
	client, err := conf.Client("localhost")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shake(client, server); err != nil {
		t.Error(err)
	}
	fault = errors.New("the agent is gone")
	empty := tlsconf.PEM(func() (cert, key, roots []byte, err error) { return nil, nil, nil, fault })
	if err := empty.Load(); !errors.Is(err, fault) {
		t.Errorf("Load: %v", err)
	}
}

// Whom we let in once is asked again when the authorities change.
func TestStillLetIn(t *testing.T) {
	ca, next := authority(t), authority(t)
	l, n := leaf(t, ca), leaf(t, next)
	roots := l.CA
	conf := tlsconf.PEM(func() (cert, key, ca []byte, err error) { return l.Cert, l.Key, roots, nil })
	server, err := conf.Server()
	if err != nil {
		t.Fatal(err)
	}
	client, err := tlsconf.MutualPEM(l.Cert, l.Key, l.CA).Client("localhost")
	if err != nil {
		t.Fatal(err)
	}
	state, err := shake(client, server) // the same certificate on both sides
	if err != nil {
		t.Fatal(err)
	}
	if err := conf.Still(state); err != nil {
		t.Error("nothing has changed:", err)
	}
	replaced := tlsconf.MutualPEM(n.Cert, n.Key, n.CA)
	if err := replaced.Still(state); err == nil {
		t.Error("an authority that is trusted no more")
	}
	if err := tlsconf.ServerPEM(n.Cert, n.Key).Still(state); err != nil {
		t.Error("a server that asks nobody:", err)
	}
	state.PeerCertificates = nil
	if err := conf.Still(state); err == nil {
		t.Error("no certificate")
	}
}
