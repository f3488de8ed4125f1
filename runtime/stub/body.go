package stub

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// A payload is an encoded request body: held, so that every attempt can send it, or a
// stream, which only one can. The zero payload is no body.
type payload struct {
	media  []string
	held   *buffer
	stream io.Reader
	size   int64 // of stream; -1 when unknown
	opened *atomic.Bool
	items  *outgoing // of a sequence; nil for none
}

func (p *payload) release() {
	if p.held != nil {
		p.held.release()
	}
	if p.items != nil {
		p.items.release()
	}
}

// spent says that an attempt began to read the stream, so that no other can send it.
func (p *payload) spent() bool { return p.stream != nil && p.opened.Load() }

// attach gives req the body.
func (p *payload) attach(req *http.Request) {
	switch {
	case p.held != nil:
		req.ContentLength = int64(len(p.held.b))
		if req.ContentLength == 0 {
			req.Body = http.NoBody
			return
		}
		req.Body = p.held.reader()
		req.GetBody = func() (io.ReadCloser, error) { return p.held.reader(), nil }
	case p.stream != nil:
		req.ContentLength = p.size
		req.Body = &streamBody{p.stream, p.opened}
	}
}

// A streamBody notes that the stream was touched. It does not close it: the stream
// belongs to the caller.
type streamBody struct {
	io.Reader
	opened *atomic.Bool
}

func (s *streamBody) Read(b []byte) (int, error) {
	s.opened.Store(true)
	return s.Reader.Read(b)
}

func (s *streamBody) Close() error { return nil }

// newStream wraps r, whose size is taken from the readers that know theirs.
func newStream(media []string, r io.Reader) payload {
	p := payload{media: media, stream: r, size: -1, opened: new(atomic.Bool)}
	if l, ok := r.(interface{ Len() int }); ok {
		p.size = int64(l.Len())
	}
	return p
}

// encode writes the body at base for the wire.
func encode(b *part, media string, fs []FormField, base pointer, m codec.Mode) (payload, error) {
	p, _ := b.Value(base)
	switch b.form {
	case asStream:
		r := *(*io.Reader)(p)
		var begins []byte
		if strings.Contains(media, "*") {
			begins = start(r)
		}
		return newStream(b.sniffed(media, begins), r), nil
	case asMultipart:
		return encodeMultipart(b, fs, p, m)
	}
	buf := newBuffer()
	var err error
	if buf.b, err = appendBody(buf.b, b, fs, base, m); err != nil {
		buf.release()
		return payload{}, err
	}
	return payload{media: b.sniffed(media, buf.b), held: buf}, nil
}

// start returns what a stream begins with, if it can be rewound.
func start(r io.Reader) []byte {
	s, ok := r.(io.ReadSeeker)
	if !ok {
		return nil
	}
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	b := make([]byte, 512)
	n, _ := io.ReadFull(s, b)
	if _, err = s.Seek(at, io.SeekStart); err != nil {
		return nil // who sends it will see
	}
	return b[:n]
}

// appendBody writes a body that is neither a stream nor multipart.
func appendBody(buf []byte, b *part, fs []FormField, base pointer, m codec.Mode) ([]byte, error) {
	p, ok := b.Value(base)
	switch b.form {
	case asBytes:
		if !ok {
			return buf, nil
		}
		return append(buf, *(*[]byte)(p)...), nil
	case asText:
		buf, _, err := param.AppendText(buf, &b.Field, base, m)
		return buf, err
	case asForm:
		if !ok {
			return buf, nil
		}
		return param.AppendForm(buf, objectOf(&b.Field), fs, p, m)
	case asValue:
		return b.value.Append(buf, unsafe.Add(base, b.Off))
	case asFormat:
		text := newBuffer()
		defer text.release()
		var err error
		if text.b, err = b.Append(text.b, base, m); err != nil {
			return buf, err
		}
		return b.format.Append(buf, text.b)
	}
	return b.Append(buf, base, m)
}

// objectOf returns the table of an object, following a recursive edge.
func objectOf(f *codec.Field) *codec.Type {
	t := f.T
	for t.Lazy != nil {
		t = t.Lazy.ConcordatTable()
	}
	return t
}

// decodeBody reads a whole body that is neither a stream nor multipart. What is wrong
// with it is added to e.
func decodeBody(data []byte, b *part, fs []FormField, base pointer, m codec.Mode, e *codec.Error) {
	switch b.form {
	case asBytes:
		*(*[]byte)(b.New(base)) = bytes.Clone(data)
	case asText:
		param.ParseText(string(data), &b.Field, base, m, "", e)
	case asForm:
		param.ParseForm(objectOf(&b.Field), fs, string(data), b.New(base), m, e)
	case asValue:
		collect(e, b.value.Read(data, unsafe.Add(base, b.Off)))
	case asFormat:
		text, err := b.format.JSON(data)
		if err == nil {
			err = b.Decode(text, base, codec.Options{Mode: m | codec.Owned})
		}
		collect(e, err)
	default:
		collect(e, b.Decode(data, base, codec.Options{Mode: m}))
	}
}

// collect adds what err holds to e.
func collect(e *codec.Error, err error) {
	if err == nil {
		return
	}
	ce, ok := err.(*codec.Error)
	if !ok {
		ce = &codec.Error{Malformed: true, Violations: []codec.Violation{{Code: codec.CodeSyntax, Message: err.Error()}}}
	}
	for _, v := range ce.Violations {
		e.Add(v)
	}
	e.Malformed = e.Malformed || ce.Malformed
}
