package runtime

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"
)

// DefaultConnectionAge is how old connections of a server become.
const DefaultConnectionAge = 30 * time.Minute

// WithConnectionAge bounds how old a connection becomes: DefaultConnectionAge, unless said,
// and 0 for no bound. The first reply after that, give or take a tenth, asks the client to
// use another connection from then on (GOAWAY, or Connection: close), which costs no call:
// so clients find new servers, and load spreads again. Streams begun before go on for as
// long as they like, or, where grace is positive, for that much longer: then they end with
// Unavailable, and are to be opened again.
func WithConnectionAge(most, grace time.Duration) ServerOption {
	return serverOption(func(s *Server) { s.age, s.grace = most, grace })
}

// A life is that of a connection.
type life struct{ old, over time.Time }

type lifeKey struct{}

// withLife notes when a connection that begins now is old.
func (s *Server) withLife(ctx context.Context) context.Context {
	if s.age <= 0 {
		return ctx
	}
	l := &life{old: time.Now().Add(s.age - s.age/10 + rand.N(s.age/5+1))}
	if s.grace > 0 {
		l.over = l.old.Add(s.grace)
	}
	return context.WithValue(ctx, lifeKey{}, l)
}

// retire asks the client of an old connection for a new one.
func retire(w http.ResponseWriter, r *http.Request) {
	if l, ok := r.Context().Value(lifeKey{}).(*life); ok && time.Now().After(l.old) {
		w.Header().Set("Connection", "close")
	}
}

// errOld is why a stream ends with its connection.
var errOld = &Error{Code: Unavailable, Message: "the connection is too old; open the stream again"}
