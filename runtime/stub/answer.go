package stub

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// answer writes the handler's result.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, wanted accept, v *served, out pointer) {
	if out == nil {
		h.fail(w, r, errors.New("the handler returned neither a result nor an error"))
		return
	}
	status := h.status(out)
	i := h.choose(status, wanted, out)
	if i < 0 {
		if status == 0 && len(h.op.Replies) == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.fail(w, r, fmt.Errorf("the handler returned status %d, which the contract does not declare as a success", status))
		return
	}
	media := named(h.op.HasOutMedia, h.op.OutMediaOff, out)
	reply, p := &h.op.Replies[i], h.plan.replies[i].as(media)
	if media == "" {
		media = reply.Media
	}
	if status == 0 {
		status = statusOf(reply)
	}
	if len(reply.Headers) > 0 {
		if err := param.WriteHeader(w.Header(), reply.Headers, out); err != nil {
			h.fail(w, r, fmt.Errorf("a header of the result is not what the contract allows: %w", err))
			return
		}
	}
	if reply.Media == "" || !p.present(out) && (p.form == asStream || reply.Items != nil || p.Flag&codec.Ptr != 0) {
		w.WriteHeader(status)
		return
	}
	if reply.Items != nil {
		h.flow(w, r, i, status, v, out)
		return
	}
	if p.form == asStream {
		h.stream(w, r, status, media, p, out)
		return
	}
	if err := writeBody(w, status, media, p, out); err != nil {
		h.fail(w, r, fmt.Errorf("the handler's result is not what the contract allows: %w", err))
	}
}

// statusOf returns the status of a reply whose contract may give only a class.
func statusOf(r *Reply) int {
	switch {
	case r.Status >= 100:
		return r.Status
	case r.Media == "":
		return http.StatusNoContent
	}
	return http.StatusOK
}

// writeBody writes a body that is held. Nothing was written when it returns an error.
func writeBody(w http.ResponseWriter, status int, media string, p *part, base pointer) error {
	if p.form == asMultipart {
		return errors.New("multipart replies need a stream")
	}
	buf := newBuffer()
	defer buf.release()
	var err error
	if buf.b, err = appendBody(buf.b, p, nil, base, codec.Response); err != nil {
		return err
	}
	header := w.Header()
	header["Content-Type"] = p.sniffed(media, buf.b)
	header["Content-Length"] = []string{strconv.Itoa(len(buf.b))}
	w.WriteHeader(status)
	_, _ = w.Write(buf.b) // the client is gone; nobody is left to tell
	return nil
}

// stream copies a reader to the client, piece by piece as it comes, and closes it.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, status int, media string, p *part, out pointer) {
	at, _ := p.Value(out)
	body := *(*io.ReadCloser)(at)
	defer func() { body.Close() }()
	if w.Header().Get("Content-Type") == "" {
		var start []byte
		if strings.Contains(media, "*") {
			start, body = peek(body)
		}
		w.Header()["Content-Type"] = p.sniffed(media, start)
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(flusher{w, http.NewResponseController(w)}, body); err != nil && r.Context().Err() == nil {
		h.server.Logger().Error("concordat: a streamed reply broke off", "operation", h.op.Name, "error", err)
		panic(http.ErrAbortHandler) // so that the client sees a broken reply, not a short one
	}
}

// A flusher sends each write at once, since a stream may pause for long after it.
type flusher struct {
	io.Writer
	control *http.ResponseController
}

func (f flusher) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if err == nil {
		_ = f.control.Flush() // not every writer can, and the next write tells
	}
	return n, err
}

// fail writes the handler's error: as the failure that the contract declares for it, or
// as problem details. What is no *concordat.Error is logged and stays here.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if e, ok := errors.AsType[*concordat.Error](err); ok && e.Detail != nil {
		if p, status, base := h.declared(e, parseAccept(r.Header["Accept"])); p != nil {
			if writeBody(w, status, p.media, p, base) == nil {
				return
			}
		}
	}
	writeProblem(w, r, h.server, err)
}

// declared finds the failure whose body e.Detail is: the one of e's status, or, where e
// names none, the only status that fits the type; of several media types for it, the one
// that is most wanted.
func (h *handler) declared(e *concordat.Error, wanted accept) (*part, int, pointer) {
	want, found := e.HTTPStatus(), -1
	for i := range h.op.Replies {
		r := &h.op.Replies[i]
		if !r.Failure || r.Media == "" || !sameType(&h.plan.replies[i], e.Detail) {
			continue
		}
		if r.is(want) {
			if found < 0 || !h.op.Replies[found].is(want) || rank(r) > rank(&h.op.Replies[found]) ||
				r.Status == h.op.Replies[found].Status && wanted.quality(r.Media) > wanted.quality(h.op.Replies[found].Media) {
				found = i
			}
		} else if found < 0 && e.Status == 0 && r.Status >= 100 {
			found = i
		}
	}
	if found < 0 {
		return nil, 0, nil
	}
	if r := &h.op.Replies[found]; !r.is(want) {
		want = r.Status
	}
	p := h.plan.replies[found]
	p.Off, p.Flag = 0, p.Flag&^(codec.Ptr|codec.Maybe)
	return &p, want, addressOf(e.Detail)
}

// rank prefers a status over its class, and that over default.
func rank(r *Reply) int {
	switch {
	case r.Status >= 100:
		return 2
	case r.Status > 0:
		return 1
	}
	return 0
}

// sameType says whether detail is a *T, or a T, of the reply's type T.
func sameType(p *part, detail any) bool {
	fresh, _ := newDetail(p)
	if fresh == nil {
		return false
	}
	want, got := reflect.TypeOf(fresh), reflect.TypeOf(detail)
	return got == want && !reflect.ValueOf(detail).IsNil() || got == want.Elem()
}

// addressOf returns where the value that detail is, or points to, lies.
func addressOf(detail any) pointer {
	v := reflect.ValueOf(detail)
	if v.Kind() == reflect.Pointer {
		return v.UnsafePointer()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.UnsafePointer()
}
