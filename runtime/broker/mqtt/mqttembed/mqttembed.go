// Package mqttembed runs an MQTT 5 server inside a program: for demos, tests and
// development on one machine, where a server of its own would be too much. It forgets
// everything with the process.
//
// It imports mochi-mqtt and runtime/tlsconf; nothing that runs in production should import
// it.
package mqttembed

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Server is an MQTT server on a loopback port.
type Server struct {
	s   *mqtt.Server
	url string
}

// Options configure a Server. The zero value is a plaintext server on a free port of
// 127.0.0.1 that lets everybody in.
type Options struct {
	Addr string            // host:port; "127.0.0.1:0" by default
	TLS  *tlsconf.Config   // nil: plaintext
	User map[string]string // passwords by user name; nil: everybody may come in
}

// Start runs a server and returns when it accepts connections.
func Start(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	ln, scheme, err := listen(o)
	if err != nil {
		return nil, err
	}
	s := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(hook(o.User)); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	if err := s.AddListener(listeners.NewNet("embedded", ln)); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	if err := s.Serve(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Server{s: s, url: fmt.Sprintf("%s://%s", scheme, ln.Addr())}, nil
}

func listen(o Options) (net.Listener, string, error) {
	if o.TLS == nil {
		ln, err := net.Listen("tcp", o.Addr)
		return ln, "mqtt", err
	}
	t, err := o.TLS.Server()
	if err != nil {
		return nil, "", err
	}
	ln, err := tls.Listen("tcp", o.Addr, t)
	return ln, "mqtts", err
}

func hook(users map[string]string) (mqtt.Hook, any) {
	if users == nil {
		return new(auth.AllowHook), nil
	}
	ledger := &auth.Ledger{}
	for name, password := range users {
		ledger.Auth = append(ledger.Auth, auth.AuthRule{Username: auth.RString(name), Password: auth.RString(password), Allow: true})
	}
	return new(auth.Hook), &auth.Options{Ledger: ledger}
}

// URL is where clients connect: "mqtt://127.0.0.1:39041".
func (s *Server) URL() string { return s.url }

// Close stops the server.
func (s *Server) Close() error { return s.s.Close() }
