package runtime

import (
	"net/http"
	"time"
)

// DefaultWriteTimeout is how long a client may keep one piece of a stream waiting.
const DefaultWriteTimeout = time.Minute

// WithWriteTimeout bounds how long a client may take to accept one piece of a reply that
// streams, once the buffers between are full: DefaultWriteTimeout, unless said, and 0 for
// no bound. Then the stream is broken off, and its handler told: its context is done, or
// yield returns false. Without a bound, a client that does not read would keep the handler
// and what it holds for as long as it likes. Calls that do not stream have a deadline as a
// whole, see WithTimeout.
func WithWriteTimeout(d time.Duration) ServerOption {
	return serverOption(func(s *Server) { s.patience = d })
}

// WriteTimeout is what WithWriteTimeout was given. Stubs ask.
func (s *Server) WriteTimeout() time.Duration { return s.patience }

// A patient writer gives each write so much time, but not the pauses between them: in
// HTTP/2 a deadline that passes ends a stream also while nothing is written.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
	timer   *time.Timer
	late    chan struct{} // after the timer has set the deadline
}

func newPatient(w http.ResponseWriter, limit time.Duration) *patient {
	p := &patient{ResponseWriter: w, control: http.NewResponseController(w), limit: limit, late: make(chan struct{}, 1)}
	p.timer = time.AfterFunc(limit, func() {
		_ = p.control.SetWriteDeadline(time.Now()) // not every writer can
		p.late <- struct{}{}
	})
	p.done()
	return p
}

// done says that nothing is being written.
func (p *patient) done() {
	if !p.timer.Stop() {
		<-p.late
	}
}

// Write implements http.ResponseWriter.
func (p *patient) Write(b []byte) (int, error) {
	p.timer.Reset(p.limit)
	defer p.done()
	return p.ResponseWriter.Write(b)
}

// FlushError is what http.ResponseController calls.
func (p *patient) FlushError() error {
	p.timer.Reset(p.limit)
	defer p.done()
	return p.control.Flush()
}

// Flush implements http.Flusher.
func (p *patient) Flush() { _ = p.FlushError() }

// Unwrap lets http.ResponseController find what it needs.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// last bounds what net/http writes when the handler has returned.
func (p *patient) last() { _ = p.control.SetWriteDeadline(time.Now().Add(p.limit)) }
