// Package redisembed runs what speaks Redis' protocol inside a program: for demos, tests and
// development on one machine, where a server of its own would be too much. It is miniredis:
// an imitation that keeps all in memory, not Redis.
//
// It imports miniredis and runtime/tlsconf; nothing that runs in production should import it.
package redisembed

import (
	"net"
	"strconv"

	"github.com/alicebob/miniredis/v2"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Server listens on a loopback port.
type Server struct {
	redis  *miniredis.Miniredis
	scheme string
}

// Options configure a Server. The zero value is a plaintext server on a free port, open to
// everybody.
type Options struct {
	Port           int             // 0: a free one
	TLS            *tlsconf.Config // nil: plaintext
	User, Password string          // who may come; "" is everybody, a password alone that of the user default
}

// Start runs a server and returns when it accepts connections.
func Start(o Options) (*Server, error) {
	s := &Server{redis: miniredis.NewMiniRedis(), scheme: "redis://"}
	switch {
	case o.User != "":
		s.redis.RequireUserAuth(o.User, o.Password)
	case o.Password != "":
		s.redis.RequireAuth(o.Password)
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port))
	if o.TLS == nil {
		return s, s.redis.StartAddr(addr)
	}
	c, err := o.TLS.Server()
	if err != nil {
		return nil, err
	}
	s.scheme = "rediss://"
	return s, s.redis.StartAddrTLS(addr, c)
}

// URL is where clients connect: "redis://127.0.0.1:39041".
func (s *Server) URL() string { return s.scheme + s.redis.Addr() }

// Close stops the server.
func (s *Server) Close() error {
	s.redis.Close()
	return nil
}
