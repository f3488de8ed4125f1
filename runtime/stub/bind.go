package stub

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// An invalid is a request that does not hold to the contract: what is wrong outside of
// the body and in it, which pointers alone do not tell apart.
type invalid struct{ params, body codec.Error }

func (e *invalid) Error() string {
	switch {
	case e.params.Err() == nil:
		return e.body.Error()
	case e.body.Err() == nil:
		return e.params.Error()
	}
	return e.params.Error() + "; " + e.body.Error()
}

// status is 400 for what cannot be understood, 422 for what is understood and forbidden.
func (e *invalid) status() int {
	if e.params.Malformed || e.body.Malformed || slices.ContainsFunc(e.params.Violations, misread) {
		return http.StatusBadRequest
	}
	return http.StatusUnprocessableEntity
}

// misread says whether a parameter's text is not even of its type.
func misread(v codec.Violation) bool {
	switch v.Code {
	case codec.CodeSyntax, codec.CodeUTF8, codec.CodeType, codec.CodeDepth, codec.CodeDuplicate:
		return true
	}
	return false
}

// err is e for interceptors and statistics.
func (e *invalid) err() error {
	err := concordat.Errorf(concordat.InvalidArgument, "%w", e)
	err.Status = e.status()
	return err
}

// bind fills the argument at base from the request. An error is an *Error with the status
// to answer, which may wrap an *invalid. cleanup, where there is one, is called when the
// argument is not needed any more.
func (h *handler) bind(r *http.Request, path []string, base pointer, wrong *invalid) (cleanup func(), err error) {
	h.params(r, path, base, &wrong.params)
	if len(h.plan.bodies) > 0 {
		cleanup, err = h.body(r, base, &wrong.body)
	}
	switch {
	case err != nil:
		return cleanup, err
	case wrong.params.Err() != nil || wrong.body.Err() != nil:
		return cleanup, wrong.err()
	}
	return cleanup, nil
}

func (h *handler) params(r *http.Request, path []string, base pointer, e *codec.Error) {
	const m = codec.Request
	switch {
	case h.plan.composed:
		param.ParseSegments(h.op.Params, h.plan.names, path, param.Segments(h.plan.template, r.URL.EscapedPath()), base, m, e)
	case h.plan.has[Path]:
		param.ParsePath(h.op.Params, h.plan.names, path, base, m, e)
	}
	if h.plan.has[Query] {
		param.ParseQuery(h.op.Params, r.URL.RawQuery, base, m, e)
	}
	if h.plan.has[Header] {
		param.ParseHeader(h.op.Params, r.Header, base, m, e)
	}
	if h.plan.has[Cookie] {
		param.ParseCookie(h.op.Params, r.Header["Cookie"], base, m, e)
	}
}

// body reads the request's body by its media type.
func (h *handler) body(r *http.Request, base pointer, e *codec.Error) (cleanup func(), err error) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		if h.required() {
			e.Malformed = true
			e.Add(codec.Violation{Code: codec.CodeRequired, Message: "the body is missing"})
		}
		return nil, nil
	}
	i, err := h.bodyOf(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	p, fs := &h.plan.bodies[i], h.op.Bodies[i].Form
	if h.op.HasInMedia {
		*(*string)(unsafe.Add(base, h.op.InMediaOff)) = mediaOf(r.Header, p)
	}
	if items := h.op.Bodies[i].Items; items != nil {
		h.receive(r, p, items, base)
		return nil, nil
	}
	switch p.form {
	case asStream:
		*(*io.Reader)(p.New(base)) = r.Body
		return nil, nil
	case asMultipart:
		cleanup, err = decodeMultipart(r, p, fs, base, bodyMode(r.Method), e)
		return cleanup, unreadable(err)
	}
	data, err := readAll(nil, r.Body, r.ContentLength)
	if err != nil {
		return nil, unreadable(err)
	}
	if len(data) == 0 && !h.required() {
		return nil, nil
	}
	decodeBody(data, p, fs, base, bodyMode(r.Method)|codec.Owned, e)
	return nil, nil
}

// bodyMode is how a request's body is read: with defaults, but for a patch, where what is
// absent stays as it is (RFC 5789, RFC 7396).
func bodyMode(method string) codec.Mode {
	if method == http.MethodPatch {
		return codec.Request
	}
	return codec.Request | codec.Defaults
}

func (h *handler) required() bool {
	if h.op.BodyRequired {
		return true
	}
	for i := range h.plan.bodies {
		if h.plan.bodies[i].Flag&codec.Req == 0 {
			return false
		}
	}
	return true
}

// unreadable is the error of a body that ended too soon, came too late, is too large or is
// no form.
func unreadable(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return concordat.ErrorOf(err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &concordat.Error{Code: concordat.DeadlineExceeded, Status: http.StatusRequestTimeout, Message: "the body did not arrive in time"}
	}
	return &concordat.Error{Code: concordat.InvalidArgument, Status: http.StatusBadRequest, Message: "the body cannot be read: " + clip(err.Error())}
}

// bodyOf finds the declared body for a Content-Type. None is taken as the first.
func (h *handler) bodyOf(contentType string) (int, error) {
	for i := range h.op.Bodies {
		if h.op.Bodies[i].Media == contentType || contentType == "" {
			return i, nil
		}
	}
	m := parseMedia(contentType)
	best, score := -1, 0
	for i := range h.op.Bodies {
		if s := h.plan.bodies[i].form.covers(h.op.Bodies[i].Media, m.essence); s > score {
			best, score = i, s
		}
	}
	unsupported := &concordat.Error{Code: concordat.InvalidArgument, Status: http.StatusUnsupportedMediaType}
	if best < 0 {
		unsupported.Message = "this operation takes " + strings.Join(takes(h.op), ", ")
		return 0, unsupported
	}
	if f := h.plan.bodies[best].form; f != asStream && f != asBytes && !readable(m.charset) {
		unsupported.Message = "text must be in UTF-8"
		return 0, unsupported
	}
	return best, nil
}
