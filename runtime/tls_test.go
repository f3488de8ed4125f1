package runtime_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

func issue(t testing.TB, ca *devca.CA, hosts ...string) *devca.Leaf {
	t.Helper()
	l, err := ca.Issue(t.Name(), hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newCA(t testing.TB) *devca.CA {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func secured(t testing.TB, conf *tlsconf.Config) (addr string) {
	s := concordat.NewServer(concordat.WithTLS(conf))
	answer(s, &getSpec, func(context.Context, string) (string, error) { return "ok", nil })
	answer(s, &postSpec, func(context.Context, string) (string, error) { return "ok", nil })
	return concordattest.Run(t, s)
}

func TestWhoMayTalkToWhom(t *testing.T) {
	ours, theirs := newCA(t), newCA(t)
	me, other := issue(t, ours), issue(t, ours, "elsewhere.example")
	stranger := issue(t, theirs)
	mutual := secured(t, tlsconf.MutualPEM(me.Cert, me.Key, me.CA))
	open := secured(t, tlsconf.ServerPEM(me.Cert, me.Key))
	misnamed := secured(t, tlsconf.ServerPEM(other.Cert, other.Key))
	for _, c := range []struct {
		name, target string
		conf         *tlsconf.Config
		want         string // of the error; "" is success
	}{
		{"mutual", mutual, tlsconf.MutualPEM(me.Cert, me.Key, me.CA), ""},
		{"no client certificate", mutual, tlsconf.RootsPEM(ours.PEM()), "use tlsconf.Mutual"},
		{"client of another authority", mutual, tlsconf.MutualPEM(stranger.Cert, stranger.Key, ours.PEM()), "trust the authority"},
		{"server of another authority", mutual, tlsconf.MutualPEM(me.Cert, me.Key, theirs.PEM()), "unknown authority"},
		{"server of no public authority", open, tlsconf.System(), "unknown authority"},
		{"no client certificate wanted", open, tlsconf.RootsPEM(ours.PEM()), ""},
		{"another name", misnamed, tlsconf.RootsPEM(ours.PEM()), "for another name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, "https://"+c.target, concordat.WithTLS(c.conf))
			_, err := do(t.Context(), conn, &getSpec, "")
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || code(err) != concordat.Unauthenticated {
				t.Errorf("%v does not say %q", err, c.want)
			}
			if n := retries(conn); n != 0 {
				t.Errorf("a failed verification was repeated %d times", n)
			}
		})
	}
}

func TestTLS12IsRefused(t *testing.T) {
	ca := newCA(t)
	l := issue(t, ca)
	addr := secured(t, tlsconf.ServerPEM(l.Cert, l.Key))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM())
	_, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12})
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("a client with TLS 1.2: %v", err)
	}

	pair, _ := tls.X509KeyPair(l.Cert, l.Key)
	old, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(answerOK)}
	go func() { _ = s.Serve(old) }()
	defer s.Close()
	c := dial(t, "https://"+old.Addr().String(), concordat.WithTLS(tlsconf.RootsPEM(ca.PEM())))
	if _, err := do(t.Context(), c, &getSpec, ""); err == nil || !strings.Contains(err.Error(), "TLS 1.3 is the least") {
		t.Errorf("a server with TLS 1.2: %v", err)
	}
}

func TestPlaintextMustBeWrittenOut(t *testing.T) {
	plain, n := backend(t, answerOK)
	for _, target := range []string{"static:" + plain, "dns:" + plain, plain, "https://" + plain} {
		c := dial(t, target)
		if _, err := do(t.Context(), c, &getSpec, ""); err == nil || !strings.Contains(err.Error(), "WithPlaintext()") {
			t.Errorf("%s: %v", target, err)
		}
	}
	if n.Load() != 0 {
		t.Errorf("%d requests went out in plaintext", n.Load())
	}
	ca := newCA(t)
	l := issue(t, ca)
	addr := secured(t, tlsconf.ServerPEM(l.Cert, l.Key))
	resp, err := http.Get("http://" + addr + "/things/7")
	if err == nil {
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 400 {
			t.Errorf("the TLS port answers plaintext by %d %s", resp.StatusCode, b)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// A host that accepts and never shakes hands got nothing, so even a POST may go
// elsewhere.
func TestHungHandshakeIsUnsent(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the connect timeout")
	}
	t.Parallel()
	ca := newCA(t)
	l := issue(t, ca)
	conf := tlsconf.MutualPEM(l.Cert, l.Key, l.CA)
	c := dial(t, "static:"+hung(t)+","+secured(t, conf), concordat.WithTLS(conf))
	for range 3 {
		if _, err := do(t.Context(), c, &postSpec, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	ca := newCA(t)
	l := issue(t, ca)
	conf := tlsconf.MutualPEM(l.Cert, l.Key, l.CA)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &countingListener{Listener: ln}
	s := concordat.NewServer(concordat.WithTLS(conf), concordat.WithListener(counted))
	answer(s, &getSpec, func(context.Context, string) (string, error) { return "ok", nil })
	c := dial(t, "https://"+concordattest.Run(t, s), concordat.WithTLS(conf))
	for range 50 {
		if _, err := do(t.Context(), c, &getSpec, ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := counted.n.Load(); n != 1 {
		t.Errorf("%d connections for 50 calls in a row", n)
	}
}

type countingListener struct {
	net.Listener
	n atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}
