package runtime

import "net/http"

// WithMiddleware lets what net/http middleware there is see requests before the server
// does, the first given outermost. It knows no operations: an [Interceptor] does, and is
// the better place for most things.
func WithMiddleware(m ...func(http.Handler) http.Handler) ServerOption {
	return serverOption(func(s *Server) { s.middleware = append(s.middleware, m...) })
}

// WithoutReflection keeps the server from describing its Protobuf services to those who
// ask by gRPC's reflection (v1 and v1alpha), as it otherwise does: without it, tools such
// as grpcurl need the .proto files.
func WithoutReflection() ServerOption {
	return serverOption(func(s *Server) { s.mute.reflection = true })
}

// WithoutHealth keeps the server from answering grpc.health.v1.Health, as one that has
// Protobuf services otherwise does.
func WithoutHealth() ServerOption { return serverOption(func(s *Server) { s.mute.health = true }) }

// mute is what a server does not say.
type mute struct{ health, reflection bool }

// Reflects reports whether gRPC's reflection is to be served. Stubs ask.
func (s *Server) Reflects() bool { return !s.mute.reflection }

// TellsHealth reports whether gRPC's health service is to be served. Stubs ask.
func (s *Server) TellsHealth() bool { return !s.mute.health }

// An HTTPVersion is a version of HTTP.
type HTTPVersion uint8

// The versions. NegotiatedHTTP lets ALPN decide where there is TLS; in plaintext, where
// nothing can be negotiated, it is HTTP/1.1 for REST, and for what gRPC's kin need HTTP/2
// by prior knowledge (RFC 9113, 3.3).
const (
	NegotiatedHTTP HTTPVersion = iota
	HTTP1
	HTTP2
)

// WithHTTP makes a connection speak one version of HTTP, and no other. HTTP1 suits
// servers that speak Connect or gRPC-Web in plaintext and have no HTTP/2, as those of
// Node often are; gRPC and streams both ways at a time need HTTP2.
func WithHTTP(v HTTPVersion) ConnOption { return connOption(func(c *Conn) { c.http = v }) }

// protocols says what a transport may speak.
func (c *Conn) protocols(rpc bool) *http.Protocols {
	p := new(http.Protocols)
	switch {
	case c.plaintext && (c.http == HTTP2 || c.http == NegotiatedHTTP && rpc):
		p.SetUnencryptedHTTP2(true)
	case c.plaintext:
		p.SetHTTP1(true)
	default:
		p.SetHTTP1(c.http != HTTP2)
		p.SetHTTP2(c.http != HTTP1)
	}
	return p
}

// alpn is what the connection offers in a handshake.
func (c *Conn) alpn() []string {
	switch c.http {
	case HTTP1:
		return []string{"http/1.1"}
	case HTTP2:
		return []string{"h2"}
	}
	return []string{"h2", "http/1.1"}
}
