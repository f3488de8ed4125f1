package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/admit"
)

// WithAdmission makes a server work on as many calls at a time as it can without getting
// slower, and refuse the others at once: [admit.Default] says how that is found out.
// Callers are told so by a header, see [admit.Header], so that a Conn tries elsewhere
// without taking the server for broken. Without this option a server takes everything:
// that suits one behind something else that limits its load.
//
// Streams are not counted: how long they last says nothing of the server. Messages have
// limits of their own, from the broker.
func WithAdmission(config admit.Config) ServerOption {
	return serverOption(func(s *Server) {
		s.admission = &admission{limiter: admit.New(config), priority: sentPriority}
	})
}

// WithPriorities says how important calls are to a server with admission, which is to be
// given before this. Unless said, the caller does, by [admit.PriorityHeader]; where not
// every caller is to be believed, decide by the operation.
func WithPriorities(of func(spec *Spec, meta Meta) admit.Priority) ServerOption {
	return serverOption(func(s *Server) {
		if s.admission == nil {
			s.wrong = append(s.wrong, Errorf(InvalidArgument, "WithPriorities needs WithAdmission before it"))
			return
		}
		s.admission.priority = of
	})
}

func sentPriority(_ *Spec, meta Meta) admit.Priority {
	return admit.ParsePriority(meta.Get(admit.PriorityHeader))
}

type priorityKey struct{}

// WithPriority returns a context whose calls tell the server how important they are: see
// [admit.Priority]. It does not travel further than to that server.
func WithPriority(ctx context.Context, p admit.Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// prioritize tells the server how important the call is.
func prioritize(ctx context.Context, h http.Header) {
	switch p, _ := ctx.Value(priorityKey{}).(admit.Priority); p {
	case admit.Sheddable:
		h.Set(admit.PriorityHeader, "sheddable")
	case admit.Critical:
		h.Set(admit.PriorityHeader, "critical")
	}
}

// admission is a server's.
type admission struct {
	limiter  *admit.Limiter
	priority func(*Spec, Meta) admit.Priority
}

// A ticket is what an admitted call leaves behind: how it ended.
type ticket struct{ code Code }

type ticketKey struct{}

// noteOutcome tells the ticket of an admitted call how it ended.
func noteOutcome(ctx context.Context, err error) {
	if t, ok := ctx.Value(ticketKey{}).(*ticket); ok {
		t.code = codeOf(err)
	}
}

// telling reports whether the time of a call with this outcome tells something of the
// server. What was refused for what it says was refused fast, however busy the server is.
func (t *ticket) telling() bool {
	return t.code == OK || t.code == DeadlineExceeded || t.code == Canceled
}

// serve lets next answer, when it is admitted.
func (a *admission) serve(s *Server, m *mounted, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if m.long || m.spec.Kind.Streams() {
		next(w, r)
		return
	}
	if !a.enter(r.Context(), s.rank(m.spec, r.Header)) {
		s.busy(w, r)
		return
	}
	t, start := &ticket{code: Unknown}, s.now()
	defer func() {
		now := s.now()
		a.limiter.Done(now, &m.admit, now-start, t.telling())
	}()
	next(w, r.WithContext(context.WithValue(r.Context(), ticketKey{}, t)))
}

// rank is how important a call is.
func (s *Server) rank(spec *Spec, meta Meta) admit.Priority {
	if r := s.rule(spec); r != nil {
		if p, ok := r.priority(); ok {
			return p
		}
	}
	return s.admission.priority(spec, meta)
}

// enter returns when the call is admitted, or false when it is not.
func (a *admission) enter(ctx context.Context, p admit.Priority) bool {
	if a.limiter.Ask(p, nil) == admit.Admitted {
		return true
	}
	if p == admit.Sheddable {
		return false
	}
	woken := make(chan struct{})
	w := &admit.Waiter{Wake: func() { close(woken) }}
	switch a.limiter.Ask(p, w) {
	case admit.Admitted:
		return true
	case admit.Refused:
		return false
	}
	t := time.NewTimer(a.limiter.Config().Wait)
	defer t.Stop()
	select {
	case <-woken:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return !a.limiter.Leave(w)
}

const busyMessage = "the server has too many calls already; try again"

// busy refuses a request, in the caller's protocol.
func (s *Server) busy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(admit.Header, "overload")
	s.turnAway(w, r, &Error{Code: Unavailable, Message: busyMessage})
}

// turnAway answers a request that no handler sees, in the caller's protocol.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, e *Error) {
	h := w.Header()
	if r.ProtoMajor == 1 && r.ContentLength != 0 {
		h.Set("Connection", "close") // or net/http would wait for a body that nobody wants
	}
	media := r.Header.Get("Content-Type")
	switch _, rpc := s.rpc[r.URL.Path]; {
	case strings.HasPrefix(media, "application/grpc"):
		h.Set("Content-Type", media) // a reply of trailers only, which stand where headers do
		h.Set("Grpc-Status", strconv.Itoa(int(e.Code)))
		h.Set("Grpc-Message", percent(e.Message))
		w.WriteHeader(http.StatusOK)
	case rpc:
		h.Set("Content-Type", "application/json")
		w.WriteHeader(e.HTTPStatus())
		body, _ := json.Marshal(map[string]string{"code": e.Code.String(), "message": e.Message})
		_, _ = w.Write(body)
	default:
		s.WriteError(w, r, e)
	}
}

// percent encodes what gRPC wants encoded (PROTOCOL-HTTP2.md, Percent-Encoded).
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
