package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
)

// A Peer is the identity in a client certificate that TLS has verified.
type Peer struct {
	SPIFFE      string   // "spiffe://domain/path" (SPIFFE X.509-SVID, 2); "" for none
	DNS         []string // names of the certificate
	URIs        []string
	Emails      []string
	IPs         []string
	CommonName  string
	Subject     string // distinguished name (RFC 2253): "CN=desk,O=Retail"
	Certificate *x509.Certificate
}

// Name returns the identity that says most: SPIFFE, the first DNS name, CommonName, Subject.
func (p *Peer) Name() string {
	switch {
	case p == nil:
		return ""
	case p.SPIFFE != "":
		return p.SPIFFE
	case len(p.DNS) > 0:
		return p.DNS[0]
	case p.CommonName != "":
		return p.CommonName
	}
	return p.Subject
}

// peerOf returns the identity of the verified client certificate, or nil.
func peerOf(cs *tls.ConnectionState) *Peer {
	if cs == nil || len(cs.VerifiedChains) == 0 || len(cs.PeerCertificates) == 0 {
		return nil
	}
	return newPeer(cs.PeerCertificates[0])
}

func newPeer(c *x509.Certificate) *Peer {
	p := &Peer{DNS: c.DNSNames, Emails: c.EmailAddresses, CommonName: c.Subject.CommonName, Subject: c.Subject.String(), Certificate: c}
	for _, ip := range c.IPAddresses {
		p.IPs = append(p.IPs, ip.String())
	}
	for _, u := range c.URIs {
		p.URIs = append(p.URIs, u.String())
	}
	if len(c.URIs) == 1 && c.URIs[0].Scheme == "spiffe" && c.URIs[0].Host != "" { // exactly one, or it is no SVID
		p.SPIFFE = c.URIs[0].String()
	}
	return p
}

type connectionKey struct{}

// WithConnection returns a context in which PeerOf finds the peer of a TLS connection, by
// its state. Servers use it, once for each connection.
func WithConnection(ctx context.Context, state func() tls.ConnectionState) context.Context {
	return context.WithValue(ctx, connectionKey{}, state)
}

// ConnectionOf returns the state of the TLS connection that a call came by; false in
// plaintext.
func ConnectionOf(ctx context.Context) (tls.ConnectionState, bool) {
	state, ok := ctx.Value(connectionKey{}).(func() tls.ConnectionState)
	if !ok {
		return tls.ConnectionState{}, false
	}
	return state(), true
}

// PeerOf returns who is at the other end of the connection that a call came by, when it
// has a certificate that TLS has verified; nil otherwise. It needs no scheme.
func PeerOf(ctx context.Context) *Peer {
	for _, p := range Principals(ctx) {
		if p.Peer != nil {
			return p.Peer
		}
	}
	if state, ok := ctx.Value(connectionKey{}).(func() tls.ConnectionState); ok {
		cs := state()
		return peerOf(&cs)
	}
	return nil
}

// identities are all names by which a policy may know the peer.
func (p *Peer) identities() []string {
	if p == nil {
		return nil
	}
	all := slices.Clone(p.URIs)
	for _, d := range p.DNS {
		all = append(all, "dns:"+d)
	}
	for _, e := range p.Emails {
		all = append(all, "email:"+e)
	}
	for _, ip := range p.IPs {
		all = append(all, "ip:"+ip)
	}
	if p.CommonName != "" {
		all = append(all, "cn:"+p.CommonName)
	}
	return append(all, "subject:"+p.Subject)
}
