package stub

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// read turns the server's reply into out or an error. keep, if there is one, takes the
// reply's body over and returns it.
func (x *exchange) read(resp *http.Response, out pointer, keep func() *callBody) error {
	i, ok := replyFor(x.op, resp.StatusCode, parseMedia(resp.Header.Get("Content-Type")).essence)
	if !ok {
		return x.undeclared(resp)
	}
	if x.op.Replies[i].Failure {
		return x.failure(resp, i)
	}
	return x.success(resp, i, out, keep)
}

// replyFor finds what the contract says of a status: the status itself, its class, default.
// Several of them are told apart by media type, of which the first is taken for any.
func replyFor(o *operation, status int, media string) (int, bool) {
	for _, want := range [...]int{status, status / 100, 0} {
		best, score := -1, 0
		for i := range o.Replies {
			r := &o.Replies[i]
			if r.Status != want || want == 0 && r.Failure == (status < 400) {
				continue
			}
			if s := covers(r.Media, media) + 1; s > score {
				best, score = i, s
			}
		}
		if best >= 0 {
			return best, true
		}
	}
	return -1, false
}

func (x *exchange) mode() codec.Mode {
	if x.conn.ValidatesResponses() {
		return codec.Response
	}
	return codec.Response | codec.Lenient
}

func (x *exchange) success(resp *http.Response, i int, out pointer, keep func() *callBody) error {
	r, p := &x.op.Replies[i], &x.plan.replies[i]
	if x.op.HasStatus {
		*(*int)(unsafe.Add(out, x.op.StatusOff)) = resp.StatusCode
	}
	if x.op.HasOutMedia && r.Media != "" {
		*(*string)(unsafe.Add(out, x.op.OutMediaOff)) = mediaOf(resp.Header, p)
	}
	var wrong codec.Error
	if len(r.Headers) > 0 {
		param.ParseHeader(r.Headers, resp.Header, out, x.mode(), &wrong)
	}
	if r.Media == "" {
		_, _ = io.CopyN(io.Discard, resp.Body, maxText) // so that the connection can be used again
	} else if x.plan.method != http.MethodHead {
		if err := x.content(resp, r, p); err != nil {
			return err
		}
		if p.form == asStream {
			*(*io.ReadCloser)(p.New(out)) = keep()
		} else if r.Items != nil {
			x.flow(resp, r, p, out, keep())
		} else if err := x.body(resp, p, out, &wrong); err != nil {
			return err
		}
	}
	if err := wrong.Err(); err != nil {
		return mismatch(resp, "%s answered %d, but not as the contract says: %w", x.op.Name, resp.StatusCode, err)
	}
	return nil
}

// mismatch is the error of a success that the contract does not allow. It has the status,
// since repeating the call would not help.
func mismatch(resp *http.Response, format string, args ...any) error {
	e := concordat.Errorf(concordat.Internal, format, args...)
	e.Status = resp.StatusCode
	return e
}

// content refuses a reply in another form than the contract's, such as a proxy's page.
func (x *exchange) content(resp *http.Response, r *Reply, p *part) error {
	got := resp.Header.Get("Content-Type")
	if got == "" || got == r.Media {
		return nil
	}
	m := parseMedia(got)
	if p.form.covers(r.Media, m.essence) > 0 || p.form == asJSON && isJSON(m.essence) || p.form == asFormat && isXML(m.essence) || p.form == asText && strings.HasPrefix(m.essence, "text/") {
		return nil
	}
	return mismatch(resp, "%s answered %d with %s, but the contract says %s; is there something between client and server?",
		x.op.Name, resp.StatusCode, m.essence, r.Media)
}

// body reads the whole body into the field at p of base.
func (x *exchange) body(resp *http.Response, p *part, base pointer, wrong *codec.Error) error {
	buf := newBuffer()
	defer buf.release()
	var err error
	if buf.b, err = readAll(buf.b, limited(resp.Body, x.conn.MaxBody()), resp.ContentLength); err != nil {
		return broken(x.op.Name, err)
	}
	if len(buf.b) == 0 && p.Flag&(codec.Ptr|codec.Maybe) != 0 {
		return nil
	}
	decodeBody(buf.b, p, nil, base, x.mode(), wrong)
	return nil
}

// broken is the error of a reply that ended too soon or is too large.
func broken(name string, err error) error {
	if e, ok := errors.AsType[*concordat.Error](err); ok {
		return e
	}
	if e := concordat.ErrorOf(err); e.Code != concordat.Unknown {
		return e
	}
	return concordat.Errorf(concordat.Unavailable, "%s: the reply broke off: %w", name, err)
}

// limited reads n bytes of r and then fails.
func limited(r io.Reader, n int64) io.Reader {
	return &limitedReader{r, n, n}
}

type limitedReader struct {
	r        io.Reader
	left, of int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, &http.MaxBytesError{Limit: l.of}
	}
	return n, err
}

// failure makes the error of a declared failure.
func (x *exchange) failure(resp *http.Response, i int) error {
	e := &concordat.Error{Code: concordat.CodeOf(resp.StatusCode), Status: resp.StatusCode}
	p := &x.plan.replies[i]
	if x.op.Replies[i].Media == "" {
		e.Message = x.text(resp, nil)
		return e
	}
	if p.form == asStream || p.form == asMultipart {
		e.Message = http.StatusText(resp.StatusCode)
		return e
	}
	data, err := readAll(nil, limited(resp.Body, x.conn.MaxBody()), resp.ContentLength)
	if err != nil {
		e.Message = http.StatusText(resp.StatusCode)
		return e
	}
	e.Message = x.text(resp, data)
	e.Detail = x.detail(data, p)
	return e
}

// detail reads the body of a failure; nil where it is not what the contract says.
func (x *exchange) detail(data []byte, p *part) any {
	detail, base := newDetail(p)
	if base == nil {
		return nil
	}
	bare := *p
	bare.Off, bare.Flag = 0, p.Flag&^(codec.Ptr|codec.Maybe)
	var wrong codec.Error
	if decodeBody(data, &bare, nil, base, x.mode(), &wrong); wrong.Err() != nil {
		return nil
	}
	return detail
}

// newDetail allocates the body of a failure.
func newDetail(p *part) (any, pointer) {
	t := p.T
	if t == nil {
		t = tableOf(p.Kind)
	}
	for t != nil && t.Go == nil && t.Lazy != nil {
		t = t.Lazy.ConcordatTable()
	}
	if t == nil {
		return nil, nil
	}
	return t.New()
}

// tableOf allocates the kinds that need no table of their own.
func tableOf(k codec.Kind) *codec.Type {
	switch k {
	case codec.String:
		return &codec.StringTable
	case codec.Bool:
		return &codec.BoolTable
	case codec.Int32:
		return &codec.Int32Table
	case codec.Int64:
		return &codec.Int64Table
	case codec.Float64:
		return &codec.Float64Table
	case codec.Bytes:
		return &codec.BytesTable
	case codec.Raw:
		return &codec.RawTable
	}
	return nil
}

// undeclared makes the error of a status that the contract does not name.
func (x *exchange) undeclared(resp *http.Response) error {
	e := &concordat.Error{Code: concordat.CodeOf(resp.StatusCode), Status: resp.StatusCode, Message: x.text(resp, nil)}
	if e.Code == concordat.OK {
		e.Code = concordat.Internal
		e.Message = x.op.Name + " answered with a status that the contract does not declare"
	}
	return e
}

// maxText is how much of an undeclared failure's body is read for its text.
const maxText = 16 << 10

// text says in a line what went wrong: by problem details (RFC 9457) or any JSON object
// with a message, or the first line of a text; else the status. data is the body, if it
// was read already.
func (x *exchange) text(resp *http.Response, data []byte) string {
	short := http.StatusText(resp.StatusCode)
	media := parseMedia(resp.Header.Get("Content-Type")).essence
	if data == nil {
		data, _ = io.ReadAll(io.LimitReader(resp.Body, maxText))
	}
	switch {
	case isJSON(media):
		var p struct{ Title, Detail, Message string }
		if json.Unmarshal(data, &p) != nil {
			break
		}
		for _, s := range []string{p.Detail, p.Message, p.Title} {
			if s != "" {
				return clip(s)
			}
		}
	case media == "text/plain":
		line, _, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
		if line = strings.TrimSpace(line); line != "" {
			return clip(line)
		}
	}
	return short
}

// clip keeps what others say short.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
