package stub

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/internal/sse"
)

// streamed says whether the replies of an operation are items of a stream.
func streamed(k concordat.Kind) bool { return k == concordat.ServerStream || k == concordat.Bidi }

// sequenceOf is how items follow each other in a media type.
func sequenceOf(media string) form {
	switch essence := parseMedia(media).essence; {
	case essence == sse.Media:
		return asEvents
	case strings.HasSuffix(essence, "json-seq"):
		return asRecords
	}
	return asLines
}

func (f form) isSequence() bool { return f >= asEvents }

// A source gives the items of a stream as they arrive.
type source interface {
	// next decodes the next item into base. io.EOF is the end of the stream.
	next(base pointer) error
}

// recordSeparator begins a text of a JSON text sequence (RFC 7464, 2.2).
const recordSeparator = 0x1e

// texts is a source of JSON texts: one on each line, or with a record separator each.
type texts struct {
	r     *bufio.Reader
	part  *part
	mode  codec.Mode
	limit int64
	buf   []byte
	wrong func(error) error // makes the error of an item that does not hold to the contract
}

func newTexts(r io.Reader, p *part, m codec.Mode, limit int64, wrong func(error) error) *texts {
	return &texts{r: bufio.NewReader(r), part: p, mode: m, limit: limit, wrong: wrong}
}

func (t *texts) next(base pointer) error {
	text, err := t.text()
	if err != nil {
		return err
	}
	var e codec.Error
	decodeItem(text, t.part, base, t.mode, &e)
	if err := e.Err(); err != nil {
		return t.wrong(err)
	}
	return nil
}

// text returns the next text, valid until the next call. Blank ones count for nothing.
func (t *texts) text() ([]byte, error) {
	t.buf = t.buf[:0]
	for {
		line, err := t.r.ReadSlice('\n')
		t.buf = append(t.buf, line...)
		if int64(len(t.buf)) > t.limit {
			return nil, tooLong(t.limit)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		text := bytes.Trim(t.buf, "\x1e \t\r\n")
		switch {
		case err != nil && (err != io.EOF || len(text) == 0):
			return nil, err
		case len(text) == 0:
			t.buf = t.buf[:0]
		case t.part.form != asRecords || err != nil || json.Valid(text):
			return text, nil
		case bytes.IndexByte(text, recordSeparator) >= 0:
			return nil, t.wrong(errors.New("a text of the sequence was cut off"))
		}
	}
}

func tooLong(limit int64) error {
	return concordat.Errorf(concordat.ResourceExhausted, "an item of the stream is larger than %d bytes; WithMaxBody sets the limit", limit)
}

// decodeItem reads one item that is a JSON text.
func decodeItem(text []byte, p *part, base pointer, m codec.Mode, e *codec.Error) {
	collect(e, p.Decode(text, base, codec.Options{Mode: m}))
}

// appendItem writes one item with what follows or precedes it in its form. An event is
// whole where the item says its fields, else data alone.
func appendItem(b []byte, p *part, events bool, base pointer, m codec.Mode) ([]byte, error) {
	if p.form == asEvents {
		return appendEvent(b, p, events, base, m)
	}
	if p.form == asRecords {
		b = append(b, recordSeparator)
	}
	b, err := p.Append(b, base, m)
	return append(b, '\n'), err
}
