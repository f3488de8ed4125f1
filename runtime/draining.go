package runtime

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// ErrDraining is why a stream ends while its server shuts down: the cause of its context,
// and what its client gets, code Unavailable. Streams that go on for as long as the client
// likes would otherwise hold up every shutdown for all of the drain time: they may end by
// themselves for half of it, see [WithDrain], and then their contexts are done.
var ErrDraining = &Error{Code: Unavailable, Message: "the server is shutting down; open the stream again"}

// streamShare is the part of the drain time after which streams end: one in so many.
const streamShare = 2

// Ending is done, with ErrDraining as its cause, when the streams of a draining server are
// to end. Stubs ask, for those that the operation's kind does not tell.
func (s *Server) Ending() context.Context { return s.ending }

// endures runs h for a reply that may go on for long: a stream ends with its connection's
// life, or when the server has drained for a while, and no reply goes on to a client that
// does not read.
func (s *Server) endures(m *mounted, w http.ResponseWriter, r *http.Request, h func(http.ResponseWriter, *http.Request)) {
	if s.patience > 0 {
		p := newPatient(w, s.patience)
		defer p.last()
		w = p
	}
	l, _ := r.Context().Value(lifeKey{}).(*life)
	ages, streams := l != nil && !l.over.IsZero(), m.spec.Kind.Streams()
	if !ages && !streams {
		h(w, r)
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	c := &cut{cancel: cancel, control: http.NewResponseController(w)}
	defer c.end()
	if ages {
		defer time.AfterFunc(time.Until(l.over), func() { c.off(errOld) }).Stop()
	}
	if streams {
		defer context.AfterFunc(s.ending, func() { c.off(ErrDraining) })()
	}
	h(w, r.WithContext(ctx))
}

// A cut ends a stream from outside.
type cut struct {
	cancel  context.CancelCauseFunc
	control *http.ResponseController

	mu   sync.Mutex
	over bool // the handler has returned: nobody may touch its writer
}

// off cancels the context, and lets what reads the request fail.
func (c *cut) off(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.cancel(cause)
		_ = c.control.SetReadDeadline(time.Now())
	}
}

func (c *cut) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.cancel(nil)
}
