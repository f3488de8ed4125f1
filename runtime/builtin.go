package runtime

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/deadline"
)

// MountBuiltin routes a method that the server answers by itself, unless a handler is
// registered for its path, before or after. h makes the handler when there is none yet.
// open says that everybody may ask, whatever admission and authorization say. Stubs call
// it.
func (s *Server) MountBuiltin(spec *Spec, open bool, h func() http.Handler) {
	if _, ok := s.rpc[spec.Route]; ok {
		return
	}
	m := &mounted{spec: spec, rpc: h(), builtin: true, open: open}
	if !open {
		s.protect(m)
	}
	s.rpc[spec.Route] = m
}

// UntilDrain returns a request whose context is done, and whose body ends with an error,
// when the server begins to drain: for streams that would go on for as long as the client
// likes. The caller calls stop when it is done with the request. Stubs call it.
func (s *Server) UntilDrain(w http.ResponseWriter, r *http.Request) (_ *http.Request, stop func()) {
	ctx, cancel := context.WithCancel(r.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, changed := s.IsReady("")
			if changed == nil {
				_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // where it is not known, the drain time ends
				cancel()
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return r.WithContext(ctx), func() { cancel(); <-done }
}

const (
	// afterDeadline is how long writing the failure of a call may take that came too late.
	afterDeadline = 5 * time.Second
	// slack lets the deadline itself end a call, before its connection does: in HTTP/1.1
	// the context is cancelled by a read that fails, which would be another status.
	slack = 100 * time.Millisecond
)

// bounded lets m answer a call that does not stream within its deadline: the client's,
// which its protocol knows, or the server's where the client names none. Neither a body
// that trickles in nor a client that does not read keeps it for longer.
func (s *Server) bounded(m *mounted, w http.ResponseWriter, r *http.Request) {
	limit, sent := sentTimeout(r.Header)
	if !sent {
		limit = s.limitOf(m.spec)
	}
	if limit <= 0 {
		m.rpc.ServeHTTP(w, r)
		return
	}
	if !sent {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		r = r.WithContext(ctx)
	}
	late := make(chan struct{})
	timer := time.AfterFunc(limit+slack, func() {
		defer close(late)
		c := http.NewResponseController(w) // not every writer can
		_ = c.SetReadDeadline(time.Now())
		_ = c.SetWriteDeadline(time.Now().Add(afterDeadline))
	})
	defer func() {
		if timer.Stop() {
			return
		}
		<-late
		if r.ProtoMajor < 2 { // the next request has the same connection
			_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		}
	}()
	m.rpc.ServeHTTP(w, r)
}

// sentTimeout is what the client gives, by any of the protocols. What cannot be read
// counts as none: the protocol refuses it.
func sentTimeout(h http.Header) (d time.Duration, sent bool) {
	if v := h[deadline.Header]; len(v) > 0 {
		d, _ = deadline.Parse(v[0])
		return d, true
	}
	if v := h["Connect-Timeout-Ms"]; len(v) > 0 {
		ms, _ := strconv.ParseInt(v[0], 10, 64)
		if len(v[0]) > 10 { // of which the protocol has no more
			ms = 0
		}
		return time.Duration(ms) * time.Millisecond, true
	}
	return 0, false
}
