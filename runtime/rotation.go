package runtime

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/stats"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// The wires are the transports of a connection while certificates and roots stay what
// they are. Connections that were made by others must not be used any more, nor resumed,
// so new content takes new wires: roots cannot be swapped in a transport that lives.
type wires struct {
	rest, rpc  wire
	sessions   tls.ClientSessionCache
	generation atomic.Value // string: tlsconf's, of the first handshake
	carriage   carriage
}

// since notes the content by which the first connection was made.
func (w *wires) since(generation string) { w.generation.CompareAndSwap(nil, generation) }

// outlived reports whether some connection was made by other content than what is now.
func (w *wires) outlived(generation string) bool {
	g := w.generation.Load()
	return g != nil && g != generation
}

func (w *wires) closeIdle() {
	w.rest.CloseIdleConnections()
	w.rpc.CloseIdleConnections()
	w.carriage.retire()
}

// retire closes connections as the calls on them end.
func (w *wires) retire(again time.Duration) {
	w.closeIdle()
	if again <= idleTimeout { // afterwards, they have closed by themselves
		time.AfterFunc(again, func() { w.retire(2 * again) })
	}
}

func (c *Conn) wires() *wires { return c.wired.Load().(*wires) }

// newWires makes transports, which connect when they are used.
func (c *Conn) newWires() *wires {
	w := &wires{sessions: tls.NewLRUClientSessionCache(0)}
	w.rest = c.newWire(w, false)
	w.rpc = c.newWire(w, true)
	return w
}

// rotate reads certificates and roots, beside the calls, and changes the wires when they
// say something new. What is invalid is reported, and what there was stays in use.
func (c *Conn) rotate() {
	if c.tls == nil || !c.rotating.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer c.rotating.Store(false)
		c.reloaded(c.String(), &c.alarmed)
		if w := c.wires(); w.outlived(c.tls.Generation()) {
			c.wired.Store(c.newWires())
			w.retire(time.Second)
			c.log.Info("certificates or roots have changed; new connections from now on", "target", c.String())
		}
	}()
}

// reloaded reads certificates and roots, and reports what is wrong with them, once.
func (k *common) reloaded(of string, alarmed *atomic.Bool) {
	err := k.tls.Load()
	if err == nil {
		err = k.tls.Err()
	}
	switch before := alarmed.Swap(err != nil); {
	case err != nil && !before:
		k.log.Error("the new certificates are invalid; the old ones stay in use", "of", of, "error", err, "expires", k.tls.Expires())
	case err == nil && before:
		k.log.Info("the certificates are valid again", "of", of)
	}
}

// watchTLS reads the server's certificates and roots also while nobody connects.
func (s *Server) watchTLS(ctx context.Context) error {
	tick := time.NewTicker(tlsconf.Recheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.reloaded("server", &s.alarmed)
		}
	}
}

type verifiedKey struct{}

// verified is by which content the peer of a connection was let in.
type verified struct{ generation atomic.Value }

// stillIn reports whether the peer of r would be let in today, too: connections outlive
// the roots by which they were made. One that would not is answered, and closed.
func (s *Server) stillIn(w http.ResponseWriter, r *http.Request) bool {
	v, ok := r.Context().Value(verifiedKey{}).(*verified)
	if !ok || r.TLS == nil {
		return true
	}
	now := s.tls.Generation()
	if v.generation.CompareAndSwap(nil, now) || v.generation.Load() == now {
		return true
	}
	if err := s.tls.Still(*r.TLS); err != nil {
		w.Header().Set("Connection", "close") // in HTTP/2, too, net/http makes that a goodbye
		s.turnAway(w, r, Errorf(Unauthenticated, "the certificate by which this connection was made is trusted no more; connect anew"))
		s.log.Warn("a peer is not let in any more", "peer", r.RemoteAddr, "error", err)
		return false
	}
	v.generation.Store(now)
	return true
}

// side is what metrics say of the whole.
func (k *common) side(name, peer string) stats.Side {
	s := stats.Side{Name: name, Peer: peer, Operations: k.Stats(), Plaintext: k.plaintext}
	if k.tls != nil {
		s.Expires, s.Stale = k.tls.Expires(), k.tls.Err() != nil
	}
	return s
}
