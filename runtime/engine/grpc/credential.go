package grpcengine

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"google.golang.org/grpc/credentials"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// A credential lets the runtime do TLS, on either side.
type credential struct {
	// of a client
	link   concordat.Link
	addr   string
	remote *remote
	// of a server; nil in plaintext
	config *tls.Config
}

// A peerInfo is what grpc-go keeps of a connection.
type peerInfo struct {
	credentials.TLSInfo
	peer *concordat.Peer // nil in plaintext, and on the client's side
}

func infoOf(s tls.ConnectionState) peerInfo {
	return peerInfo{TLSInfo: credentials.TLSInfo{State: s, CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}}
}

// plain is the peerInfo of a connection in plaintext.
type plain struct{ credentials.CommonAuthInfo }

// AuthType implements credentials.AuthInfo.
func (plain) AuthType() string { return "insecure" }

func insecure() plain {
	return plain{credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}}
}

// ClientHandshake implements credentials.TransportCredentials.
func (c *credential) ClientHandshake(ctx context.Context, _ string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if !c.link.Secure() {
		return raw, insecure(), nil
	}
	conn, err := c.link.Handshake(ctx, c.addr, raw)
	if err != nil {
		return nil, nil, err
	}
	return conn, infoOf(conn.ConnectionState()), nil
}

// ServerHandshake implements credentials.TransportCredentials. grpc-go bounds it.
func (c *credential) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if c.config == nil {
		return raw, insecure(), nil
	}
	conn := tls.Server(raw, c.config)
	if err := conn.Handshake(); err != nil {
		conn.Close()
		return nil, nil, err
	}
	state := conn.ConnectionState()
	if state.NegotiatedProtocol != "h2" {
		conn.Close()
		return nil, nil, errors.New("the client does not offer HTTP/2 by ALPN")
	}
	info := infoOf(state)
	info.peer = &concordat.Peer{State: state}
	return conn, info, nil
}

// Info implements credentials.TransportCredentials.
func (c *credential) Info() credentials.ProtocolInfo {
	if c.remote != nil && c.link.Secure() || c.config != nil {
		return credentials.ProtocolInfo{SecurityProtocol: "tls"}
	}
	return credentials.ProtocolInfo{SecurityProtocol: "insecure"}
}

// Clone implements credentials.TransportCredentials. Nothing here changes.
func (c *credential) Clone() credentials.TransportCredentials { return c }

// OverrideServerName implements credentials.TransportCredentials. The runtime knows names.
func (c *credential) OverrideServerName(string) error { return nil }
