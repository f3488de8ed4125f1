package tlsconf_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

func leaf(t *testing.T, ca *devca.CA, hosts ...string) *devca.Leaf {
	t.Helper()
	l, err := ca.Issue("test", hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// shake makes a connection in memory, exchanges a byte each way (which delivers session
// tickets, and refusals), and returns what the client saw.
func shake(client, server *tls.Config) (tls.ConnectionState, error) {
	a, b := wire()
	s := tls.Server(b, server)
	go func() {
		defer s.Close()
		if err := s.Handshake(); err == nil {
			_, _ = s.Write([]byte("x"))
			_, _ = io.Copy(io.Discard, s)
		}
	}()
	c := tls.Client(a, client)
	defer c.Close()
	if err := c.Handshake(); err != nil {
		return tls.ConnectionState{}, err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return c.ConnectionState(), err
}

// A half is one end of a connection in memory. Unlike net.Pipe it buffers: both sides of
// a handshake may write at the same time.
type half struct {
	net.Conn // of a pipe, for what TLS asks besides
	in, out  chan []byte
	rest     []byte
	once     sync.Once
}

func wire() (a, b *half) {
	p, q := net.Pipe()
	x, y := make(chan []byte, 64), make(chan []byte, 64)
	return &half{Conn: p, in: x, out: y}, &half{Conn: q, in: y, out: x}
}

func (h *half) Read(p []byte) (int, error) {
	for len(h.rest) == 0 {
		next, ok := <-h.in
		if !ok {
			return 0, io.EOF
		}
		h.rest = next
	}
	n := copy(p, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}

func (h *half) Write(p []byte) (int, error) {
	h.out <- bytes.Clone(p)
	return len(p), nil
}

func (h *half) Close() error {
	h.once.Do(func() { close(h.out) })
	return nil
}

func must(t *testing.T) func(c *tls.Config, err error) *tls.Config {
	return func(c *tls.Config, err error) *tls.Config {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func TestMutual(t *testing.T) {
	ca := authority(t)
	l := leaf(t, ca)
	cert, key, roots, err := l.WriteFiles(t.TempDir(), "me")
	if err != nil {
		t.Fatal(err)
	}
	conf := tlsconf.Mutual(cert, key, roots)
	if conf.Generation() != "" {
		t.Error("files were read before they were needed")
	}
	if err := conf.Load(); err != nil || conf.Generation() == "" {
		t.Fatal(err)
	}
	cs, err := shake(must(t)(conf.Client("localhost", "h2")), must(t)(conf.Server("h2", "http/1.1")))
	if err != nil || cs.Version != tls.VersionTLS13 || cs.NegotiatedProtocol != "h2" {
		t.Errorf("%x %q %v", cs.Version, cs.NegotiatedProtocol, err)
	}
	if _, err := shake(must(t)(tlsconf.Roots(roots).Client("localhost")), must(t)(conf.Server())); err == nil {
		t.Error("a client without a certificate was let in")
	}
	if _, err := shake(must(t)(tlsconf.Roots(roots).Client("localhost")), must(t)(tlsconf.ServerFiles(cert, key).Server())); err != nil {
		t.Errorf("a server that lets every client in: %v", err)
	}
	if runtime.GOOS != "windows" {
		if i, _ := os.Stat(key); i.Mode().Perm() != 0o600 {
			t.Errorf("the key is readable by others: %v", i.Mode())
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	l := leaf(t, authority(t))
	other := leaf(t, authority(t))
	_, fromRoots := tlsconf.RootsPEM(l.CA).Server()
	_, fromSystem := tlsconf.System().Server()
	for _, c := range []struct {
		err  error
		want string
	}{
		{tlsconf.Mutual("no.crt", "no.key", "no.ca").Load(), "no.crt"},
		{tlsconf.MutualPEM(l.Cert, other.Key, l.CA).Load(), "private key does not match"},
		{tlsconf.MutualPEM(l.Cert, nil, l.CA).Load(), "certificate and key"},
		{tlsconf.RootsPEM([]byte("rubbish")).Load(), "no certificate in PEM form"},
		{fromRoots, "tlsconf.ServerFiles"},
		{fromSystem, "tlsconf.ServerFiles"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v does not say %q", c.err, c.want)
		}
	}
}

// New files are used by the next handshake; invalid ones are not.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		ca := authority(t)
		cert, key, roots, err := leaf(t, ca, "one").WriteFiles(dir, "me")
		if err != nil {
			t.Fatal(err)
		}
		conf := tlsconf.Mutual(cert, key, roots)
		server := must(t)(conf.Server())
		serves := func() string {
			got, err := server.GetConfigForClient(nil)
			if err != nil {
				t.Fatal(err)
			}
			return got.Certificates[0].Leaf.DNSNames[0]
		}
		first := conf.Generation()
		if _, _, _, err := leaf(t, ca, "two").WriteFiles(dir, "me"); err != nil {
			t.Fatal(err)
		}
		if serves() != "one" {
			t.Error("files are read again at each handshake")
		}
		time.Sleep(tlsconf.Recheck)
		if serves() != "two" || conf.Generation() == first || conf.Err() != nil {
			t.Errorf("new files are not used: %s, %v", serves(), conf.Err())
		}
		second := conf.Generation()
		if err := os.WriteFile(key, []byte("half a ke"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(tlsconf.Recheck)
		if serves() != "two" || conf.Generation() != second || conf.Err() == nil {
			t.Errorf("an invalid pair replaced a valid one: %s, %v", serves(), conf.Err())
		}
		if err := os.Remove(filepath.Join(dir, "ca.crt")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(tlsconf.Recheck)
		if serves() != "two" {
			t.Error("a missing file replaced a valid one")
		}
		if _, _, _, err := leaf(t, ca, "three").WriteFiles(dir, "me"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(tlsconf.Recheck)
		if serves() != "three" || conf.Err() != nil {
			t.Errorf("repaired files are not used: %s, %v", serves(), conf.Err())
		}
	})
}

// A session that was made under other roots, or before a check was added, must not slip
// through on resumption.
func TestResumedSessionsAreChecked(t *testing.T) {
	ca := authority(t)
	l := leaf(t, ca)
	conf := tlsconf.MutualPEM(l.Cert, l.Key, l.CA)
	server := must(t)(conf.Server())
	sessions := tls.NewLRUClientSessionCache(4)
	client := func(c *tlsconf.Config) *tls.Config {
		t := must(t)(c.Client("localhost"))
		t.ClientSessionCache = sessions
		return t
	}
	if _, err := shake(client(conf), server); err != nil {
		t.Fatal(err)
	}
	cs, err := shake(client(conf), server)
	if err != nil || !cs.DidResume {
		t.Fatalf("not resumed, so this test tests nothing: %v", err)
	}
	refused := errors.New("not this peer")
	strict := conf.Check(func(cs tls.ConnectionState) error {
		if cs.DidResume {
			return refused
		}
		return nil
	})
	if _, err := shake(client(strict), server); !errors.Is(err, refused) {
		t.Errorf("the check was skipped: %v", err)
	}
	if _, err := shake(client(conf), server); err != nil { // Go drops the session of a failed handshake
		t.Fatal(err)
	}
	elsewhere := tlsconf.MutualPEM(l.Cert, l.Key, authority(t).PEM())
	if cs, err := shake(client(elsewhere), server); err == nil {
		t.Errorf("a session made under other roots was accepted (resumed: %v)", cs.DidResume)
	}
}

func TestServerChecksResumedClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := leaf(t, authority(t)) // valid by the bubble's clock
		cert, key, roots, err := l.WriteFiles(t.TempDir(), "me")
		if err != nil {
			t.Fatal(err)
		}
		server := must(t)(tlsconf.Mutual(cert, key, roots).Server())
		client := must(t)(tlsconf.MutualPEM(l.Cert, l.Key, l.CA).Client("localhost"))
		client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for range 2 {
			if _, err := shake(client, server); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(roots, authority(t).PEM(), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(tlsconf.Recheck)
		if _, err := shake(client, server); err == nil {
			t.Error("the server resumed the session of a client whose authority it trusts no more")
		}
	})
}
