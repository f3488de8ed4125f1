package runtime

import (
	"io"
	"net"
	"net/http"
	"net/netip"

	"github.com/concordat-dev/concordat/runtime/policy/stats"
)

// serveAdmin serves health and statistics where WithAdmin says. The port is open to
// whoever reaches it, so it must be of the loopback interface.
func (s *Server) serveAdmin() (stop func(), err error) {
	if s.admin == "" {
		return func() {}, nil
	}
	if host, _, err := net.SplitHostPort(s.admin); err != nil || !loopback(host) {
		return nil, Errorf(InvalidArgument, "WithAdmin(%q): say an address of the loopback interface, such as 127.0.0.1:9090: it has neither TLS nor passwords", s.admin)
	}
	ln, err := net.Listen("tcp", s.admin)
	if err != nil {
		return nil, Errorf(Unavailable, "cannot listen for WithAdmin: %w", err)
	}
	h := &http.Server{Handler: s.AdminHandler(), ReadHeaderTimeout: readHeaderTimeout}
	go func() { _ = h.Serve(ln) }()
	return func() { h.Close() }, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// AdminHandler returns what WithAdmin serves, for programs that have a mux of their own.
func (s *Server) AdminHandler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	m.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ready, _ := s.IsReady(""); !ready || !s.up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "not serving\n")
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	m.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(w, s.metrics())
	})
	m.HandleFunc("GET /policies", s.servePolicies)
	m.HandleFunc("PUT /policies", s.servePolicies)
	return m
}

func (s *Server) metrics() string {
	sides := []stats.Side{s.side(Incoming.String(), "")}
	for _, c := range s.watched {
		sides = append(sides, c.side(Outgoing.String(), c.String()))
	}
	return stats.Prometheus(sides, codeNames[:])
}
