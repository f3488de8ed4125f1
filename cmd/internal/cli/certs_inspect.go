package cli

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// A seen is what --json shows of one certificate. Times are UTC, by RFC 3339.
type seen struct {
	Source  string    `json:"source"` // file, or host:port
	Subject string    `json:"subject"`
	Issuer  string    `json:"issuer"`
	Hosts   []string  `json:"hosts"`
	URIs    []string  `json:"uris"`
	Key     string    `json:"key"`
	CA      bool      `json:"ca"`
	From    time.Time `json:"notBefore"`
	Until   time.Time `json:"notAfter"`
	SHA256  string    `json:"sha256"`
	Finding string    `json:"finding,omitempty"`
}

func (a *app) certsInspect() *cobra.Command {
	var asJSON bool
	var within time.Duration
	c := &cobra.Command{
		Use:   "inspect FILE|HOST:PORT ...",
		Short: "Say what is in certificates, and whether they still hold",
		Long: `Reads PEM files, or asks servers for their certificates, and says whom they are for and
how long they hold. Exits with 1 if one is out of date, or will be --within a time: for CI.
What a server shows is not verified, only shown; nothing else is sent to it.`,
		Example: "  concordat certs inspect certs/*.crt --within 720h\n  concordat certs inspect example.org:443 --json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var all []seen
			for _, source := range args {
				certs, err := a.certificates(c.Context(), source)
				if err != nil {
					return err
				}
				for _, cert := range certs {
					all = append(all, look(source, cert, time.Now(), within))
				}
			}
			return a.inspected(all, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().DurationVar(&within, "within", 0, "find fault with what expires within this `TIME`, too")
	return c
}

// certificates reads source: a file if there is one, a server otherwise.
func (a *app) certificates(ctx context.Context, source string) ([]*x509.Certificate, error) {
	text, err := a.read(source)
	if err == nil {
		return parsePEM(source, text)
	}
	if _, _, bad := net.SplitHostPort(source); bad != nil || strings.ContainsAny(source, `/\`) {
		return nil, certsFailed(err, "")
	}
	return shown(ctx, source)
}

func parsePEM(source string, text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, certsFailed(fmt.Errorf("%s: %w", source, err), "")
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, certsFailed(fmt.Errorf("%s holds no certificate in PEM form", source), "inspect reads certificates, not keys")
	}
	return all, nil
}

// shown is what the server at addr shows. To look at a certificate that does not verify
// is what people inspect for, so it is not verified; the connection carries no data.
func shown(ctx context.Context, addr string) ([]*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var got []*x509.Certificate
	d := tls.Dialer{Config: &tls.Config{
		InsecureSkipVerify: true,
		MinVersion:         tls.VersionTLS12, // to look at others' servers
		VerifyConnection: func(s tls.ConnectionState) error {
			got = s.PeerCertificates
			return nil
		},
	}}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err == nil {
		c.Close()
	}
	if len(got) == 0 {
		return nil, certsFailed(fmt.Errorf("%s shows no certificate: %w", addr, err), "name a PEM file, or a server that speaks TLS as host:port")
	}
	return got, nil
}

// look describes c, and finds fault with its dates.
func look(source string, c *x509.Certificate, now time.Time, within time.Duration) seen {
	sum := sha256.Sum256(c.Raw)
	s := seen{
		Source: source, Subject: c.Subject.String(), Issuer: c.Issuer.String(), Hosts: []string{}, URIs: []string{},
		Key: keyName(c), CA: c.IsCA, From: c.NotBefore.UTC(), Until: c.NotAfter.UTC(), SHA256: hex.EncodeToString(sum[:]),
	}
	s.Hosts = append(s.Hosts, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		s.Hosts = append(s.Hosts, ip.String())
	}
	for _, u := range c.URIs {
		s.URIs = append(s.URIs, u.String())
	}
	switch {
	case now.Before(c.NotBefore):
		s.Finding = "not valid yet"
	case now.After(c.NotAfter):
		s.Finding = "expired"
	case now.Add(within).After(c.NotAfter):
		s.Finding = fmt.Sprintf("expires within %v", within)
	}
	return s
}

func keyName(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	}
	return c.PublicKeyAlgorithm.String()
}

func (a *app) inspected(all []seen, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(a.env.Out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{"certificates": all}); err != nil {
			return &exitError{code: Generation, message: err.Error()}
		}
	}
	found := false
	for _, s := range all {
		if !asJSON {
			a.show(s)
		}
		found = found || s.Finding != ""
	}
	if found {
		return said(Findings)
	}
	return nil
}

func (a *app) show(s seen) {
	what := s.Subject
	if s.CA {
		what += " (an authority)"
	}
	fmt.Fprintf(a.env.Out, "%s: %s\n", s.Source, what)
	if names := strings.Join(append(s.Hosts, s.URIs...), ", "); names != "" {
		fmt.Fprintf(a.env.Out, "  for     %s\n", names)
	}
	fmt.Fprintf(a.env.Out, "  issuer  %s\n  key     %s\n  sha256  %s\n  until   %s", s.Issuer, s.Key, s.SHA256, s.Until.Format(time.RFC3339))
	if s.Finding != "" {
		fmt.Fprintf(a.env.Out, "  %s", strings.ToUpper(s.Finding))
	}
	fmt.Fprintln(a.env.Out)
}
