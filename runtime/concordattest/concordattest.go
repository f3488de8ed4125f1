// Package concordattest helps programs test what they built with Concordat: a server on
// the loopback with a connection to it, mutual TLS and all, gone when the test ends.
//
//	conn := concordattest.Serve(t, func(s *concordat.Server) { users.Register(s, impl) })
//	u, err := users.NewClient(conn).GetUser(t.Context(), …)
//
// It imports runtime, runtime/tlsconf, runtime/tlsconf/devca and the standard library.
package concordattest

import (
	"context"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// Serve starts a server with what register registers, and returns a connection to it by
// mutual TLS. When the test ends, both are closed, and a server that did not drain is a
// failure of the test. opts that suit one side go to that side, an Option to both.
func Serve(t testing.TB, register func(*concordat.Server), opts ...any) *concordat.Conn {
	t.Helper()
	conf := TLS(t)
	server := []concordat.ServerOption{concordat.WithTLS(conf)}
	conn := []concordat.ConnOption{concordat.WithTLS(conf)}
	for _, o := range opts {
		s, forServer := o.(concordat.ServerOption)
		c, forConn := o.(concordat.ConnOption)
		if forServer {
			server = append(server, s)
		}
		if forConn {
			conn = append(conn, c)
		}
		if !forServer && !forConn {
			t.Fatalf("concordattest.Serve: %T is no option of a connection or a server", o)
		}
	}
	srv := concordat.NewServer(server...)
	register(srv)
	return Dial(t, Run(t, srv), conn...)
}

// Run runs s until the test ends, and returns its address once it accepts calls.
func Run(t testing.TB, s *concordat.Server) (addr string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-ended:
		stop()
		t.Fatalf("the server did not start: %v", err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	return s.Addr()
}

// Dial returns a connection to target that is closed when the test ends.
func Dial(t testing.TB, target string, opts ...concordat.ConnOption) *concordat.Conn {
	t.Helper()
	c, err := concordat.NewConn(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TLS returns a configuration for mutual TLS on the loopback, of an authority that
// exists for this call only.
func TLS(t testing.TB) *tlsconf.Config {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	conf, err := ca.Mutual(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

// Eventually waits until ok is true, and fails the test when it never is.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
