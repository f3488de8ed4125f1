// Package natsembed runs a NATS server with JetStream inside a program: for demos, tests
// and development on one machine, where a server of its own would be too much.
//
// It imports nats-server; nothing that runs in production should import it.
package natsembed

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Server is a NATS server on a loopback port.
type Server struct {
	s   *server.Server
	dir string
	own bool
	url string
}

// Options configure a Server. The zero value is a plaintext server on a free port that
// keeps its streams in a temporary folder.
type Options struct {
	Addr string          // host; 127.0.0.1 by default
	Port int             // 0: a free one
	Dir  string          // of the streams; "": a temporary one, removed by Close
	TLS  *tlsconf.Config // nil: plaintext
}

// Start runs a server and returns when it accepts connections.
func Start(o Options) (*Server, error) {
	s := &Server{dir: o.Dir}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "concordat-nats-")
		if err != nil {
			return nil, err
		}
		s.dir, s.own = dir, true
	}
	opts := &server.Options{
		Host: o.Addr, Port: o.Port, JetStream: true, StoreDir: s.dir, NoSigs: true, NoLog: true,
		ServerName: "concordat-embedded",
	}
	if opts.Host == "" {
		opts.Host = "127.0.0.1"
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	if err := s.secure(opts, o.TLS); err != nil {
		return nil, errors.Join(err, s.clean())
	}
	var err error
	if s.s, err = server.NewServer(opts); err != nil {
		return nil, errors.Join(err, s.clean())
	}
	s.s.Start()
	if !s.s.ReadyForConnections(20 * time.Second) {
		s.s.Shutdown()
		return nil, errors.Join(errors.New("natsembed: the server does not start"), s.clean())
	}
	s.url = fmt.Sprintf("nats://%s", s.s.Addr())
	return s, nil
}

func (s *Server) secure(opts *server.Options, c *tlsconf.Config) error {
	if c == nil {
		return nil
	}
	t, err := c.Server()
	if err != nil {
		return err
	}
	opts.TLSConfig, opts.TLSVerify = t, t.ClientAuth == tls.RequireAndVerifyClientCert
	opts.TLSTimeout = 5
	return nil
}

// URL is where clients connect: "nats://127.0.0.1:39041".
func (s *Server) URL() string { return s.url }

// Port is the port that the server listens on.
func (s *Server) Port() int {
	if a, ok := s.s.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// Close stops the server and waits until it has stopped.
func (s *Server) Close() error {
	s.s.Shutdown()
	s.s.WaitForShutdown()
	return s.clean()
}

func (s *Server) clean() error {
	if s.own {
		return os.RemoveAll(s.dir)
	}
	return nil
}
