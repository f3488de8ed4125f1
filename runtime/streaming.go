package runtime

import (
	"strings"
	"time"
)

// DefaultHeartbeat is how often a quiet stream of server-sent events is kept alive, unless
// WithHeartbeat says otherwise: proxies cut what is silent for a minute.
const DefaultHeartbeat = 15 * time.Second

// sends says whether the client sends more than one message: each has the limit of a body
// then, and all of them together have none.
func (k Kind) sends() bool { return k == ClientStream || k == Bidi }

// reconnecting is what a connection does when a stream of events breaks off.
type reconnecting struct{ times int }

// WithReconnects lets a stream of server-sent events that breaks off be opened again, up
// to n times in a row without an event in between; unless said, it is not. It holds for
// operations that are idempotent. The header Last-Event-ID names the last event that
// arrived, so that a server that gives its events ids leaves none out and repeats none;
// with another server events may be lost. How long to wait the server says (retry), else it is a second, doubled
// each time up to half a minute. A stream that its server ends is over, and so is one that
// is opened again with an answer of 204 (WHATWG HTML, 9.2.3).
func WithReconnects(n int) ConnOption {
	return connOption(func(c *Conn) { c.streaming.times = max(n, 0) })
}

// Reconnects returns what WithReconnects was given. Stubs ask.
func (c *Conn) Reconnects() int { return c.streaming.times }

// WithHeartbeat sets how often a comment is sent on a stream of server-sent events that is
// quiet: DefaultHeartbeat, unless said; 0 turns that off.
func WithHeartbeat(d time.Duration) ServerOption {
	return serverOption(func(s *Server) { s.beat = max(d, 0) })
}

// Heartbeat returns what WithHeartbeat was given. Stubs ask.
func (s *Server) Heartbeat() time.Duration { return s.beat }

// Below serves the REST operations that register registers below a path, such as the path
// of the server's URL in the contract, or where webhooks are to be received:
//
//	s.Below("/v1", func(s *concordat.Server) { users.Register(s, impl) })
//
// prefix begins with a slash; one at its end counts for nothing. It may hold no
// parameters. Operations of gRPC and messages are not moved.
func (s *Server) Below(prefix string, register func(*Server)) {
	trimmed := strings.TrimRight(prefix, "/")
	if trimmed != "" && !strings.HasPrefix(trimmed, "/") || strings.ContainsAny(trimmed, "{}?#") {
		s.wrong = append(s.wrong, Errorf(InvalidArgument, "Below(%q): a prefix is a path that begins with a slash and holds no parameters", prefix))
		return
	}
	outer := s.below
	defer func() { s.below = outer }()
	s.below += trimmed
	register(s)
}
