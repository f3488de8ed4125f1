package stub

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// Handle answers op by impl, whose argument holds to the contract.
func Handle[In, Out any](s *concordat.Server, op *Op[In, Out], impl func(context.Context, *In) (*Out, error)) {
	handle(s, (*operation)(op), (*In)(nil), (*Out)(nil), func(ctx context.Context, in pointer) (pointer, error) {
		out, err := impl(ctx, (*In)(in))
		return pointer(out), err
	})
}

// HandleExec is Handle for an operation that returns nothing.
func HandleExec[In any](s *concordat.Server, op *Op[In, None], impl func(context.Context, *In) error) {
	handle(s, (*operation)(op), (*In)(nil), (*None)(nil), func(ctx context.Context, in pointer) (pointer, error) {
		return pointer(&none), impl(ctx, (*In)(in))
	})
}

var none None

// handle mounts the handler of an operation.
func handle(s *concordat.Server, op *operation, in, out any, impl func(context.Context, pointer) (pointer, error)) {
	h := &handler{op: op, plan: planOf(op), server: s, in: in, out: out, impl: impl}
	h.last = h.run
	mount := s.Mount
	if h.plan.streams || op.Kind.Streams() {
		mount = s.MountStream
	}
	mount(&op.Spec, h.plan.method, h.plan.template, h.serve)
}

// A handler serves one operation.
type handler struct {
	op      *operation
	plan    *plan
	server  *concordat.Server
	in, out any // nil pointers of these types
	impl    func(ctx context.Context, in pointer) (out pointer, err error)
	last    concordat.Next // run, made once

	pump func(any, func(pointer) error) error // of streams: sends their items
}

// run is what the interceptors surround.
func (h *handler) run(ctx context.Context, in any) (any, error) {
	if !same(in, h.in) {
		return nil, swapped("request", in)
	}
	out, err := h.impl(ctx, address(in))
	if err != nil {
		return nil, err
	}
	return typed(h.out, out), nil
}

// result returns where the result lies; nil where it is none of this operation.
func (h *handler) result(out any) pointer {
	if !same(out, h.out) {
		return nil
	}
	return address(out)
}

// A served is what one request needs memory for, in one piece.
type served struct {
	call  concordat.Call
	wrong invalid
	end   func(error)             // of a stream
	stop  context.CancelCauseFunc // of a stream that is one reply of several
}

// serve answers one request. One that does not hold to the contract passes the
// interceptors, too, which may refuse it for a better reason and count it; the argument is
// then filled in part.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, path []string) {
	var wanted accept
	if lines := r.Header["Accept"]; len(lines) > 0 && lines[0] != "*/*" {
		wanted = parseAccept(lines)
	}
	if !h.acceptable(wanted) {
		h.fail(w, r, &concordat.Error{Code: concordat.InvalidArgument, Status: http.StatusNotAcceptable,
			Message: "this operation answers with " + strings.Join(h.offers(), ", ")})
		return
	}
	in, base := fresh(h.in)
	v := &served{call: concordat.Call{Spec: &h.op.Spec, Side: concordat.Incoming, Meta: r.Header, Peer: r.RemoteAddr}}
	cleanup, invalid := h.bind(r, path, base, &v.wrong)
	if cleanup != nil {
		defer cleanup()
	}
	next := h.last
	if invalid != nil {
		if e := concordat.ErrorOf(invalid); e.Status == http.StatusUnsupportedMediaType {
			w.Header()["Accept"] = takes(h.op)
		}
		next = func(context.Context, any) (any, error) { return nil, invalid }
	}
	if h.pump != nil && invalid == nil {
		next = func(ctx context.Context, in any) (any, error) {
			out, err := h.last(ctx, in)
			if err == nil {
				v.end = v.call.Stream()
			}
			return out, err
		}
	}
	if h.plan.mixed && invalid == nil {
		var done func()
		r, done = h.flowing(r, v, &next)
		defer done()
	}
	ctx := r.Context()
	if invalid != nil {
		// net/http cancels it when the body breaks off, which is not why the call fails
		ctx = context.WithoutCancel(ctx)
	}
	out, err := h.server.Intercept(ctx, &v.call, in, next)
	beside(w.Header(), v.call.ReplyMeta)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if v.call.Raw != nil {
		v.call.Raw(w, r)
		return
	}
	if h.pump != nil {
		if v.end == nil { // an interceptor answered
			v.end = func(error) {}
		}
		i := h.offer(wanted)
		if i < 0 {
			h.fail(w, r, errors.New("the contract declares no stream"))
			return
		}
		h.respond(w, r, i, statusOf(&h.op.Replies[i]), v, func(send func(pointer) error) error { return h.pump(out, send) })
		return
	}
	h.answer(w, r, wanted, v, h.result(out))
}

// beside adds what handler and interceptors want to be sent with the reply, of which the
// length is no part.
func beside(header http.Header, meta concordat.Meta) {
	for k, v := range meta {
		if k != "Content-Length" {
			header[k] = v
		}
	}
}

// acceptable says whether some success can be written as the client wants.
func (h *handler) acceptable(wanted accept) bool {
	if len(wanted) == 0 || !h.plan.negotiates || len(h.op.Replies) == 0 {
		return true
	}
	for i := range h.op.Replies {
		r := &h.op.Replies[i]
		if !r.Failure && (strings.Contains(r.Media, "*") || wanted.quality(r.Media) > 0) {
			return true
		}
	}
	return false
}

func (h *handler) offers() []string {
	var all []string
	for i := range h.op.Replies {
		if r := &h.op.Replies[i]; !r.Failure && r.Media != "" && !slices.Contains(all, r.Media) {
			all = append(all, r.Media)
		}
	}
	return all
}

// status returns the status that the handler's result asks for; 0 for none.
func (h *handler) status(out pointer) int {
	if !h.op.HasStatus {
		return 0
	}
	return *(*int)(unsafe.Add(out, h.op.StatusOff))
}

// choose finds the reply to write: by status where the result has one, else the first
// success whose body is there, and among the media types of that status the most wanted.
func (h *handler) choose(status int, wanted accept, out pointer) int {
	first, media := -1, named(h.op.HasOutMedia, h.op.OutMediaOff, out)
	for i := range h.op.Replies {
		r := &h.op.Replies[i]
		if r.Failure || status != 0 && !r.is(status) {
			continue
		}
		if h.present(i, out) && h.suits(i, media) {
			return h.wanted(i, media, wanted, out)
		}
		if first < 0 || h.op.Replies[first].Media != "" && r.Media == "" {
			first = i
		}
	}
	return first
}

// present says whether the result holds the body of a reply.
func (h *handler) present(i int, out pointer) bool {
	return h.op.Replies[i].Media != "" && h.plan.replies[i].present(out)
}

// wanted finds the most wanted of the media types that the reply at i has.
func (h *handler) wanted(i int, media string, wanted accept, out pointer) int {
	if len(wanted) == 0 {
		return i
	}
	best, score := i, -1
	for j := i; j < len(h.op.Replies); j++ {
		r := &h.op.Replies[j]
		if r.Failure || r.Status != h.op.Replies[i].Status || !h.present(j, out) || !h.suits(j, media) || media == "" && h.another(j) {
			continue
		}
		if q := wanted.quality(h.plan.replies[j].media); q > score {
			best, score = j, q
		}
	}
	return best
}

// is reports whether the reply stands for status.
func (r *Reply) is(status int) bool {
	return r.Status == status || r.Status == status/100 || r.Status == 0
}
