package devca

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

func created(t *testing.T, names ...string) (*Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "certs")
	f, err := Create(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if _, _, err := f.Issue(Request{Name: n}); err != nil {
			t.Fatal(err)
		}
	}
	return f, dir
}

func mutual(dir, name string) *tlsconf.Config {
	return tlsconf.Mutual(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"), filepath.Join(dir, TrustFile))
}

// shake connects two configurations, and returns what either side said of it.
func shake(t *testing.T, client, server *tlsconf.Config) error {
	t.Helper()
	sc, err := server.Server()
	if err != nil {
		t.Fatal(err)
	}
	cc, err := client.Client("localhost")
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

func TestAFolderIsFoundAgain(t *testing.T) {
	_, dir := created(t, "users", "support")
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Issue(Request{Name: "later"}); err != nil {
		t.Fatal(err)
	}
	if names, err := f.Names(); err != nil || !slices.Equal(names, []string{"later", "support", "users"}) {
		t.Errorf("names %v, %v", names, err)
	}
	if err := shake(t, mutual(dir, "later"), mutual(dir, "users")); err != nil {
		t.Error("issued before and after:", err)
	}
	if info, err := os.Stat(filepath.Join(dir, KeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is readable: %v, %v", info.Mode(), err)
	}
}

// An authority is replaced in three steps, and at none of them do two programs fail to
// meet, whichever has read its files again.
func TestAuthoritiesAreReplacedWithoutAGap(t *testing.T) {
	f, dir := created(t, "users", "support")
	before := []*tlsconf.Config{mutual(dir, "users"), mutual(dir, "support")}
	load(t, before...)
	if err := f.RenewAuthority(time.Hour); err != nil {
		t.Fatal(err)
	}
	step1 := []*tlsconf.Config{mutual(dir, "users"), mutual(dir, "support")}
	load(t, step1...)
	meet(t, before, step1)
	for _, n := range []string{"users", "support"} {
		if err := f.Renew(n); err != nil {
			t.Fatal(err)
		}
	}
	step2 := []*tlsconf.Config{mutual(dir, "users"), mutual(dir, "support")}
	load(t, step2...)
	meet(t, step1, step2)
	if n, err := f.Forget(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	step3 := []*tlsconf.Config{mutual(dir, "users"), mutual(dir, "support")}
	load(t, step3...)
	meet(t, step2, step3)
	if err := shake(t, before[0], step3[1]); err == nil {
		t.Error("an authority that was forgotten is trusted")
	}
}

func load(t *testing.T, all ...*tlsconf.Config) {
	t.Helper()
	for _, c := range all {
		if err := c.Load(); err != nil {
			t.Fatal(err)
		}
	}
}

func meet(t *testing.T, a, b []*tlsconf.Config) {
	t.Helper()
	all := append(slices.Clone(a), b...)
	for _, client := range all {
		for _, server := range all {
			if err := shake(t, client, server); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRenewedFor(t *testing.T) {
	f, dir := created(t)
	if _, _, err := f.Issue(Request{Name: "users", Hosts: []string{"users.test", "10.0.0.1"}, URIs: []string{"spiffe://shop.test/users"}, Lasts: time.Hour}); err != nil {
		t.Fatal(err)
	}
	first := leaf(t, dir, "users")
	if err := f.Renew("users"); err != nil {
		t.Fatal(err)
	}
	second := leaf(t, dir, "users")
	if first == second {
		t.Error("it was not renewed")
	}
	c := parse(t, []byte(second))
	if !slices.Equal(c.DNSNames, []string{"users.test"}) || c.IPAddresses[0].String() != "10.0.0.1" || c.URIs[0].String() != "spiffe://shop.test/users" {
		t.Errorf("for %v %v %v", c.DNSNames, c.IPAddresses, c.URIs)
	}
	if d := time.Until(c.NotAfter); d > time.Hour || d < 58*time.Minute {
		t.Errorf("it lasts %v", d)
	}
}

func leaf(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnInterruptedReplacementIsFound(t *testing.T) {
	f, dir := created(t)
	key, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.RenewAuthority(0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, KeyFile), key, 0o600); err != nil { // as if it had stopped before the key
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.old) != 1 || !strings.HasPrefix(string(again.ca.trust), string(again.ca.pem)) {
		t.Error("it is not the one that issued before")
	}
}

func TestFoldersThatAreNone(t *testing.T) {
	_, dir := created(t)
	if _, err := Create(dir, 0); err == nil {
		t.Error("an authority was overwritten")
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("an empty directory is an authority")
	}
	for name, text := range map[string]string{KeyFile: "rubbish", TrustFile: "rubbish"} {
		_, dir := created(t)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is rubbish: %v", name, err)
		}
	}
	_, a := created(t)
	_, b := created(t)
	key, err := os.ReadFile(filepath.Join(b, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a, KeyFile), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(a); err == nil {
		t.Error("another authority's key")
	}
	f, _ := created(t)
	for _, r := range []Request{{}, {Name: "ca"}, {Name: "../x"}, {Name: ".x"}, {Name: "x", URIs: []string{"no uri"}}} {
		if _, _, err := f.Issue(r); err == nil {
			t.Errorf("%+v was issued", r)
		}
	}
	if err := f.Renew("nobody"); err == nil {
		t.Error("renewed what was not issued")
	}
}
