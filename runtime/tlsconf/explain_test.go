package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // "": not about certificates
	}{
		{nil, ""},
		{errors.New("connection reset by peer"), ""},
		{fmt.Errorf("dial: %w", x509.UnknownAuthorityError{}), "give that authority to tlsconf.Roots"},
		{x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"a.example"}}, Host: "b.example"}, "a.example, not b.example"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "expired"},
		{tls.AlertError(116), "it wants a client certificate; use tlsconf.Mutual"},
		{tls.AlertError(48), "does it trust the authority"},
		{tls.AlertError(42), "it may want a client certificate"},
		{tls.AlertError(70), "TLS 1.3 is the least"},
		{errors.New("remote error: tls: internal error"), "refused the handshake"},
		{errors.New("tls: failed to verify certificate: x509: no"), "x509: no"},
	} {
		if got := Explain(c.err); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: %q", c.err, got)
		}
	}
}
