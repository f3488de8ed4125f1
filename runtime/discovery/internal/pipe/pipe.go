// Package pipe serves HTTP within one process, without a network, so that tests of
// registries run in virtual time. Nothing but tests imports it.
//
// It imports only the standard library.
package pipe

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// A Dial is what clients of registries connect by.
type Dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// Serve serves h until the test ends, to whoever connects by the result.
func Serve(t testing.TB, h http.Handler) Dial {
	l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
	var wg sync.WaitGroup
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1)
		defer wg.Done()
		h.ServeHTTP(w, r)
	})}
	wg.Go(func() { s.Serve(l) })
	t.Cleanup(func() { s.Close(); wg.Wait() })
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-l.done:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type listener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
