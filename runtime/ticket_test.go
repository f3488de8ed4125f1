package runtime

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/concordat-dev/concordat/runtime/policy/admit"
)

// How long a call took tells something of the server where it worked on it, and only there.
func TestAdmittedCallsTell(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"answered":        {nil, true},
		"too late":        {Errorf(DeadlineExceeded, "late"), true},
		"given up":        {context.Canceled, true},
		"a wrong request": {Errorf(InvalidArgument, "wrong"), false},
		"not found":       {Errorf(NotFound, "no"), false},
		"an own error":    {http.ErrBodyNotAllowed, false},
	} {
		s := NewServer(WithPlaintext(), WithAdmission(admit.Default))
		spec := &Spec{Name: "test.Things/Get", Route: "GET /things"}
		var left *ticket
		s.Mount(spec, "GET", "/things", func(w http.ResponseWriter, r *http.Request, _ []string) {
			left, _ = r.Context().Value(ticketKey{}).(*ticket)
			_, _ = s.Intercept(r.Context(), &Call{Spec: spec, Side: Incoming}, nil, func(context.Context, any) (any, error) { return nil, c.err })
		})
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/things", nil))
		if left == nil || left.telling() != c.want {
			t.Errorf("%s: the ticket says %+v", name, left)
		}
	}
}
