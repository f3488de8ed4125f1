package stub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
)

// A brokenStream is the data of the event by which a stream of events says that it failed:
// problem details (RFC 9457) with two members more.
type brokenStream struct {
	problem
	// Body is the body that the contract declares for such a failure.
	Body json.RawMessage `json:"body,omitempty"`
	// Reopen says that the stream would have gone on, had its server not shut down.
	Reopen bool `json:"reopen,omitempty"`
}

// ended is why the server itself ends a stream, as when it shuts down; nil where it does not.
func ended(ctx context.Context) error {
	if e, ok := errors.AsType[*concordat.Error](context.Cause(ctx)); ok && ctx.Err() != nil {
		return e
	}
	return nil
}

// failing describes the error that a stream ends with.
func (h *handler) failing(r *http.Request, err error) []byte {
	e := h.server.Public(r.Context(), h.op.Name, err)
	f := brokenStream{problem: problem{Status: e.HTTPStatus(), Detail: e.Message, Code: e.Code.String()}}
	f.Reopen = ended(r.Context()) == err
	if own, ok := errors.AsType[*concordat.Error](err); ok && own.Detail != nil {
		if p, status, base := h.declared(own, nil); p != nil && p.form == asJSON {
			if body, err := appendBody(nil, p, nil, base, codec.Response); err == nil {
				f.Status, f.Body = status, body
			}
		}
	}
	if f.Title = http.StatusText(f.Status); f.Title == "" {
		f.Title = e.Code.String()
	}
	b, _ := json.Marshal(f) // of text, numbers and what is JSON
	return b
}

// failed is the failure that an event named "error" tells of; nil where its data are no
// problem details, and the event is one of the contract's own.
func (x *exchange) failed(data []byte) error {
	var f brokenStream
	if json.Unmarshal(data, &f) != nil || f.Title == "" || f.Status < 400 || f.Status > 599 {
		return nil
	}
	e := &concordat.Error{Code: concordat.CodeOf(f.Status), Status: f.Status, Message: clip(strings.TrimSpace(f.Detail))}
	if e.Message == "" {
		e.Message = clip(f.Title)
	}
	if f.Reopen {
		e.Status = 0 // no word on this call: as if the connection had broken
	}
	if i, ok := replyFor(x.op, f.Status, "application/json"); ok && len(f.Body) > 0 && x.op.Replies[i].Failure && x.plan.replies[i].form == asJSON {
		e.Detail = x.detail(f.Body, &x.plan.replies[i])
	}
	return e
}
