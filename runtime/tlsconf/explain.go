package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// Explain says what is wrong with a certificate, the server's or our own, when err is that
// of a client's connection, and what to do about it. It is "" where err is about something
// else. With TLS 1.3 a server refuses our certificate after the handshake, so that the
// error may come with the first read or write.
func Explain(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &unknown):
		return "its certificate was issued by an unknown authority; give that authority to tlsconf.Roots or tlsconf.Mutual"
	case errors.As(err, &name):
		return fmt.Sprintf("its certificate is for another name: %v; connect by a name that it has, or let the resolver give ServerName", name)
	case errors.As(err, &invalid):
		return fmt.Sprintf("its certificate is not valid: %v", invalid)
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		return "it refused the handshake: " + refusal(err.Error())
	case strings.Contains(err.Error(), "failed to verify certificate"):
		return err.Error()
	}
	return ""
}

// refusal says what the server's alert means. TLS 1.3 has one for a certificate that is
// missing (RFC 8446, 6.2), but there are servers that send the one for a bad one.
func refusal(alert string) string {
	switch {
	case strings.Contains(alert, "certificate required"):
		return "it wants a client certificate; use tlsconf.Mutual"
	case strings.Contains(alert, "bad certificate"):
		return alert + "; it may want a client certificate (tlsconf.Mutual); does it trust the authority that issued our certificate?"
	case strings.Contains(alert, "unknown certificate authority"):
		return alert + "; does it trust the authority that issued our certificate?"
	case strings.Contains(alert, "protocol version"):
		return alert + "; TLS 1.3 is the least we speak"
	}
	return alert
}
