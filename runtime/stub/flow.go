package stub

import (
	"context"
	"io"
	"net/http"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// Some operations answer with one value or with a stream of items, as the request asks: the
// result then has a field for each, and what is not there is nil.

// flow makes the field of the result a stream of what the reply's body holds. The call ends
// when the stream does, when who ranges over it stops, or with its context.
func (x *exchange) flow(resp *http.Response, r *Reply, p *part, out pointer, body *callBody) {
	resp.Body = body
	from := x.source(resp, r, p.ofItem())
	ctx := resp.Request.Context()
	stop := context.AfterFunc(ctx, func() { // where nobody ranges over it
		body.end(context.Cause(ctx))
		body.Close()
	})
	r.Items.set(unsafe.Add(out, p.Off), func(item pointer) error {
		return x.readError(from.next(item))
	}, func(err error) {
		stop()
		body.end(err)
		body.Close()
	})
}

// readError is the error of a stream's source as the caller gets it.
func (x *exchange) readError(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return x.sent.blame(broken(x.op.Name, err))
}

// flowing prepares a request that may be answered by a stream: the call goes on until its
// end, and the context can be ended by us.
func (h *handler) flowing(r *http.Request, v *served, next *concordat.Next) (_ *http.Request, done func()) {
	ctx, stop := context.WithCancelCause(r.Context())
	v.stop = stop
	last := *next
	*next = func(ctx context.Context, in any) (any, error) {
		out, err := last(ctx, in)
		if err == nil && h.flows(h.result(out)) {
			v.end = v.call.Stream()
		}
		return out, err
	}
	return r.WithContext(ctx), func() {
		stop(nil)
		if v.end != nil {
			v.end(nil) // where another of the replies was wanted
		}
	}
}

// flows says whether a result holds a stream.
func (h *handler) flows(out pointer) bool {
	for i := range h.op.Replies {
		if out != nil && h.op.Replies[i].Items != nil && h.present(i, out) {
			return true
		}
	}
	return false
}

// flow sends the stream that the result holds, until the server shuts down.
func (h *handler) flow(w http.ResponseWriter, r *http.Request, i, status int, v *served, out pointer) {
	if v.end == nil { // an interceptor answered
		v.end = func(error) {}
	}
	if ending := h.server.Ending(); v.stop != nil {
		defer context.AfterFunc(ending, func() { v.stop(context.Cause(ending)) })()
	}
	reply := &h.op.Replies[i]
	h.respond(w, r, i, status, v, func(send func(pointer) error) error {
		return reply.Items.push(unsafe.Add(out, reply.Off), send)
	})
}
