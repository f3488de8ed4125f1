package runtime

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says which pages of other origins a browser lets call the server (Fetch, section
// 3.2, CORS protocol).
type CORS struct {
	// Origins are those allowed: "https://shop.example". "*" allows every one, and cannot
	// be combined with Credentials.
	Origins []string
	// Headers may be sent, beside those that gRPC-Web, Connect and JSON need, which are
	// allowed always. "*" allows what is asked for.
	Headers []string
	// Expose are reply headers that pages may read, beside those of gRPC-Web.
	Expose []string
	// Credentials lets pages send cookies and client certificates along.
	Credentials bool
	// MaxAge is how long a browser may keep the answer: 2 hours, unless said.
	MaxAge time.Duration
}

// WithCORS lets pages of other origins call the server from browsers, by REST, gRPC-Web
// and Connect: none may, unless said.
func WithCORS(c CORS) ServerOption {
	return serverOption(func(s *Server) {
		if slices.Contains(c.Origins, "*") && c.Credentials {
			s.wrong = append(s.wrong, Errorf(InvalidArgument, `WithCORS: credentials need the origins by name, not "*"`))
		}
		if c.MaxAge <= 0 {
			c.MaxAge = 2 * time.Hour
		}
		s.cors = &c
	})
}

// What pages may always send and read: what the protocols and JSON need.
var (
	corsHeaders = []string{"accept", "authorization", "content-type", "connect-protocol-version", "connect-timeout-ms",
		"grpc-timeout", "idempotency-key", "traceparent", "tracestate", "x-grpc-web", "x-user-agent"}
	corsExposed = "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin"
)

// serve answers a preflight, or says in w what the browser needs to know and returns
// false. A page that may not is told nothing, so that its browser keeps the reply from it.
func (c *CORS) serve(s *Server, w http.ResponseWriter, r *http.Request) (done bool) {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin, method := r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method")
	preflight := origin != "" && r.Method == http.MethodOptions && method != ""
	if preflight {
		h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	}
	if !c.allow(h, origin) {
		if preflight {
			w.WriteHeader(http.StatusForbidden)
		}
		return preflight
	}
	if !preflight {
		h.Set("Access-Control-Expose-Headers", strings.Join(append([]string{corsExposed}, c.Expose...), ", "))
		return false
	}
	asked := strings.Split(strings.ToLower(strings.ReplaceAll(r.Header.Get("Access-Control-Request-Headers"), " ", "")), ",")
	for _, name := range asked {
		if name != "" && !c.mayBeSent(name) {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(s.methodsAt(r), ", "))
	if len(asked[0]) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(asked, ", "))
	}
	h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge/time.Second)))
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allow says in h that the origin is welcome, if it is.
func (c *CORS) allow(h http.Header, origin string) bool {
	switch {
	case origin == "":
		return false
	case slices.Contains(c.Origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(c.Origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
	default:
		return false
	}
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}

func (c *CORS) mayBeSent(name string) bool {
	return slices.Contains(corsHeaders, name) || slices.Contains(c.Headers, "*") ||
		slices.ContainsFunc(c.Headers, func(h string) bool { return strings.EqualFold(h, name) })
}

// methodsAt are those that the path of r knows.
func (s *Server) methodsAt(r *http.Request) []string {
	m, ok := s.rpc[r.URL.Path]
	switch {
	case !ok:
		return s.rest.Allowed(r.URL.EscapedPath())
	case m.spec.Safe:
		return []string{http.MethodGet, http.MethodPost}
	}
	return []string{http.MethodPost}
}
