package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What a server puts up with.
const (
	readHeaderTimeout = 10 * time.Second
	idleConnection    = 2 * time.Minute
	maxRequestHeader  = 64 << 10
)

// Run serves until ctx is done. Then it stops accepting, lets calls and messages in
// flight finish within the drain time, and returns nil if they all did; otherwise the
// error says what was cut. A background task that fails ends Run the same way, with its
// error. Run may be called once.
func (s *Server) Run(ctx context.Context) error {
	if s.ran.Swap(true) {
		return Errorf(FailedPrecondition, "Run may be called once; make a new server")
	}
	if err := errors.Join(append(s.wrong, s.governed())...); err != nil {
		return err
	}
	h, err := httpServer(s)
	if err != nil {
		return err
	}
	ln, err := s.bind()
	if err != nil {
		return err
	}
	stopAdmin, err := s.serveAdmin()
	if err != nil {
		ln.Close()
		return err
	}
	defer stopAdmin()
	return serve(ctx, s, h, ln)
}

// httpServer is what net/http needs to know. It and what takes its
// result are no methods, for the reason that router gives.
func httpServer(s *Server) (*http.Server, error) {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	h := &http.Server{
		Handler:           s,
		Protocols:         p,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleConnection,
		MaxHeaderBytes:    maxRequestHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		HTTP2:             &http.HTTP2Config{SendPingTimeout: 3 * pingAfter, PingTimeout: pingAfter},
	}
	switch {
	case s.tls != nil && s.plaintext:
		return nil, Errorf(InvalidArgument, "WithTLS and WithPlaintext exclude each other")
	case s.plaintext:
		p.SetUnencryptedHTTP2(true)
		return h, nil
	case s.tls == nil:
		return nil, Errorf(FailedPrecondition, "the server has no certificate: give it WithTLS(tlsconf.Mutual(…)), or say WithPlaintext() if that is meant")
	}
	p.SetHTTP2(true)
	var err error
	h.TLSConfig, err = s.tls.Server("h2", "http/1.1")
	if err != nil {
		return nil, Errorf(FailedPrecondition, "%w", err)
	}
	return h, nil
}

func (s *Server) bind() (net.Listener, error) {
	ln := s.ln
	if ln == nil {
		var err error
		if ln, err = net.Listen("tcp", s.listen); err != nil {
			return nil, Errorf(Unavailable, "cannot listen: %w; choose another address by WithAddr", err)
		}
	}
	s.addr.Store(ln.Addr().String())
	return ln, nil
}

// serve runs everything side by side until ctx is done or a part fails.
func serve(ctx context.Context, s *Server, h *http.Server, ln net.Listener) error {
	run, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	h.BaseContext = func(net.Listener) context.Context { return calls }
	h.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return s.withLife(withBatched(withPeer(ctx, c), c))
	}

	var parts parts
	for _, t := range s.tasks {
		parts.add(t.name, func() error { return s.background(run, t) }, fail)
	}
	parts.add("", func() error { return accept(h, ln) }, fail)
	if s.tls != nil {
		parts.add("", func() error { return s.watchTLS(run) }, fail)
	}
	s.up.Store(true)
	close(s.ready)
	withdraw := s.announce(run, fail)
	<-run.Done()
	s.up.Store(false)
	s.health.change(func() { s.health.drains = true })

	withdraw()

	defer time.AfterFunc(s.drain/streamShare, func() { s.endStreams(ErrDraining) }).Stop()
	err := drainAll(s, h, &parts)
	if cause := context.Cause(run); ctx.Err() == nil {
		return errors.Join(cause, err)
	}
	return err
}

func accept(h *http.Server, ln net.Listener) error {
	var err error
	ln = batchedListener{ln}
	if h.TLSConfig != nil {
		err = h.ServeTLS(ln, "", "")
	} else {
		err = h.Serve(ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return Errorf(Unavailable, "serving ended: %w", err)
}

// background runs t. A task that ends early without an error just ends.
func (s *Server) background(ctx context.Context, t task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(t.name, p)
		}
	}()
	if err := t.run(ctx); err != nil && !(ctx.Err() != nil && errors.Is(err, ctx.Err())) {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return nil
}

// drainAll waits for calls and tasks, and says what it could not wait for.
func drainAll(s *Server, h *http.Server, parts *parts) error {
	stop, cancel := context.WithTimeout(context.Background(), s.drain)
	defer cancel()
	err := h.Shutdown(stop)
	failed := parts.wait(stop)
	if err == nil && stop.Err() == nil {
		return failed
	}
	cutOff := s.running(parts)
	h.Close()
	if len(cutOff) == 0 {
		return errors.Join(failed, Errorf(DeadlineExceeded, "connections were still open after %v of draining; WithDrain gives more time", s.drain))
	}
	return errors.Join(failed, Errorf(DeadlineExceeded, "cut off after %v of draining: %s; WithDrain gives more time", s.drain, strings.Join(cutOff, ", ")))
}

// running names what is in flight.
func (s *Server) running(parts *parts) []string {
	var names []string
	for _, o := range s.Stats() {
		if o.InFlight > 0 {
			names = append(names, fmt.Sprintf("%s (%d)", o.Name, o.InFlight))
		}
	}
	for _, n := range parts.left() {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// parts are the goroutines of Run.
type parts struct {
	mu   sync.Mutex
	wg   sync.WaitGroup
	on   []string
	errs []error
}

// add runs f beside the others; an error ends them all.
func (p *parts) add(name string, f func() error, fail func(error)) {
	p.mu.Lock()
	p.on = append(p.on, name)
	p.mu.Unlock()
	p.wg.Go(func() {
		err := f()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.on = slices.Delete(p.on, slices.Index(p.on, name), slices.Index(p.on, name)+1)
		if err != nil {
			p.errs = append(p.errs, err)
			fail(err)
		}
	})
}

// wait returns when all have ended, or ctx has.
func (p *parts) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { p.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.errs...)
}

func (p *parts) left() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.on)
}
