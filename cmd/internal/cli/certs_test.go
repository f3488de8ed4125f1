package cli_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/cmd/internal/cli"
)

// inspect runs concordat certs inspect.
func inspect(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), append([]string{"certs", "inspect"}, args...), cli.Env{
		Out: &stdout, Err: &stderr, Dir: t.TempDir(), Getenv: func(string) string { return "" },
	})
	return code, stdout.String(), stderr.String()
}

func TestServersAreInspectedThoughTheyDoNotVerify(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	code, out, said := inspect(t, s.Listener.Addr().String(), "--json")
	if code != cli.OK {
		t.Fatalf("exit %d: %s", code, said)
	}
	var got struct {
		Certificates []struct {
			SHA256 string   `json:"sha256"`
			Hosts  []string `json:"hosts"`
		} `json:"certificates"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Certificates) == 0 || len(got.Certificates[0].SHA256) != 64 || !serves(s.Certificate(), got.Certificates[0].Hosts) {
		t.Errorf("%s", out)
	}
}

func serves(c *x509.Certificate, hosts []string) bool {
	for _, h := range hosts {
		if c.VerifyHostname(strings.TrimSpace(h)) != nil {
			return false
		}
	}
	return len(hosts) == len(c.DNSNames)+len(c.IPAddresses)
}

func TestServersWithoutACertificate(t *testing.T) {
	s := httptest.NewServer(nil)
	defer s.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, addr := range []string{s.Listener.Addr().String(), closed.Addr().String()} {
		code, _, said := inspect(t, addr)
		if code != cli.Network || !strings.Contains(said, "shows no certificate") {
			t.Errorf("exit %d: %s", code, said)
		}
	}
}
