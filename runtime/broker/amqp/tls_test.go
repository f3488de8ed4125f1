//go:build unix

package amqp_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/internal/rabbit"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/amqp"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

func authority(t *testing.T) *devca.CA {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func issue(t *testing.T, ca *devca.CA, name string) *devca.Leaf {
	t.Helper()
	l, err := ca.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTLS(t *testing.T) {
	ca := authority(t)
	cert, key, roots, err := issue(t, ca, "localhost").WriteFiles(t.TempDir(), "server")
	if err != nil {
		t.Fatal(err)
	}
	s := rabbit.Run(t, rabbit.Options{Cert: cert, Key: key, CA: roots, Plugins: []string{"rabbitmq_auth_mechanism_ssl"},
		Config: []string{"auth_mechanisms.1 = PLAIN", "auth_mechanisms.2 = AMQPLAIN", "auth_mechanisms.3 = EXTERNAL", "ssl_cert_login_from = common_name"}})
	ours, theirs := issue(t, ca, "guest"), issue(t, authority(t), "guest")
	mutual := tlsconf.MutualPEM(ours.Cert, ours.Key, ours.CA)
	for what, c := range map[string]struct {
		config    *tlsconf.Config
		user      string
		mechanism string
		want      string // "": it works
	}{
		"mutual":                   {mutual, "guest:guest@", "", ""},
		"AMQPLAIN":                 {mutual, "guest:guest@", "AMQPLAIN", ""},
		"who the certificate says": {mutual, "", "EXTERNAL", ""},
		"wrong password":           {mutual, "guest:no@", "", `check the password of "guest"`},
		"we trust somebody else":   {tlsconf.MutualPEM(ours.Cert, ours.Key, theirs.CA), "guest:guest@", "", "issued by an unknown authority; give that authority to tlsconf"},
		"no client certificate":    {tlsconf.RootsPEM(ours.CA), "guest:guest@", "", "tlsconf.Mutual"},
		"certificate of stranger":  {tlsconf.MutualPEM(theirs.Cert, theirs.Key, ours.CA), "guest:guest@", "", "does it trust the authority that issued our certificate"},
	} {
		t.Run(what, func(t *testing.T) {
			b := open(t, "amqps://"+c.user+s.SecureAddr(), amqp.WithTLS(c.config), amqp.WithMechanism(c.mechanism), amqp.WithoutMandatory())
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			err := b.Publish(ctx, &broker.Message{Address: "secret/1", Body: []byte("x")})
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), s.SecureAddr()) {
				t.Error(err)
			}
		})
	}
	t.Run("replaced while it runs", func(t *testing.T) { replaced(t, s, ca) })
}

// A certificate that the server refuses any more costs nothing, once it is replaced: the
// connection that was there comes back by itself.
func replaced(t *testing.T, s *rabbit.Server, ca *devca.CA) {
	dir := t.TempDir()
	cert, key, roots, err := issue(t, ca, "guest").WriteFiles(dir, "client")
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, "amqps://guest:guest@"+s.SecureAddr(), amqp.WithTLS(tlsconf.Mutual(cert, key, roots)))
	got, h := into(16)
	subscribe(t, b, broker.Subscription{Address: "replaced/{id}", Group: "g"}, h)
	if err := b.Publish(t.Context(), &broker.Message{Address: "replaced/1"}); err != nil {
		t.Fatal(err)
	}
	get(t, got)
	stranger := issue(t, authority(t), "guest")
	write(t, cert, stranger.Cert)
	write(t, key, stranger.Key)
	time.Sleep(tlsconf.Recheck)
	if _, err := s.Control("close_all_connections", "maintenance"); err != nil {
		t.Fatal(err)
	}
	good := issue(t, ca, "guest")
	write(t, cert, good.Cert)
	write(t, key, good.Key)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.Publish(ctx, &broker.Message{Address: "replaced/2"}); err != nil {
		t.Fatal(err)
	}
	if m := get(t, got); m.Address != "replaced/2" {
		t.Errorf("got %s", m.Address)
	}
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
