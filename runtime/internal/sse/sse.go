// Package sse reads and writes streams of server-sent events as HTML defines them
// (WHATWG HTML, 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting an event stream").
//
// It imports the standard library.
package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Media is the media type of event streams.
const Media = "text/event-stream"

// ErrTooLong is what Next returns when an event, or a line, is longer than the limit.
var ErrTooLong = errors.New("sse: an event is longer than the limit")

// An Event is one dispatched event.
type Event struct {
	Name  string // "" stands for "message"
	Data  []byte // lines joined by LF; valid until the next call of Next
	ID    string // the last one that the stream named, in this event or before
	Named bool   // ID stands in this event itself
	Retry int64  // of this event itself: milliseconds to wait before connecting again; negative for none
}

// A Reader takes an event stream apart. Lines end in LF, CR or CRLF, a byte order mark at
// the beginning is skipped, and so are comments and fields that are not known.
type Reader struct {
	r     *bufio.Reader
	limit int64

	begun  bool // the byte order mark was looked for
	lf     bool // a LF belongs to the CR before it
	line   []byte
	data   []byte
	filled bool // there was a data field
	name   string
	id     string // of the event in the making
	named  bool
	lastID string
	wait   int64 // of the event in the making
	retry  int64
}

// NewReader returns a reader of events with at most limit bytes each.
func NewReader(r io.Reader, limit int64) *Reader {
	return &Reader{r: bufio.NewReader(r), limit: limit, wait: -1, retry: -1}
}

// LastID is the last id that an event was dispatched with, for the Last-Event-ID header.
func (r *Reader) LastID() string { return r.lastID }

// Continue makes the reader begin with the id that another stream ended with.
func (r *Reader) Continue(id string) { r.id, r.lastID = id, id }

// Retry is how long to wait before connecting again, as the stream said last; negative
// where it said nothing; at most a day.
func (r *Reader) Retry() time.Duration {
	const most = int64(24 * time.Hour / time.Millisecond)
	return time.Duration(min(r.retry, most)) * time.Millisecond
}

// Next returns the next event. At the end of the stream it returns io.EOF; what stands
// there without a blank line behind it is no event. Events without data are not
// dispatched, as HTML wants it, but their id and retry count.
func (r *Reader) Next() (Event, error) {
	for {
		line, err := r.readLine()
		if err != nil {
			return Event{}, err
		}
		if len(line) > 0 {
			if err := r.field(line); err != nil {
				return Event{}, err
			}
			continue
		}
		r.lastID = r.id
		e, filled := Event{Name: r.name, Data: r.data, ID: r.lastID, Named: r.named, Retry: r.wait}, r.filled
		r.data, r.filled, r.name, r.named, r.wait = r.data[:0], false, "", false, -1
		if filled {
			return e, nil
		}
	}
}

// field interprets one line that is not blank.
func (r *Reader) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "event":
		r.name = string(value)
	case "data":
		if r.filled {
			r.data = append(r.data, '\n')
		}
		if int64(len(r.data)+len(value)) > r.limit {
			return ErrTooLong
		}
		r.data, r.filled = append(r.data, value...), true
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id, r.named = string(value), true
		}
	case "retry":
		if ms, ok := digits(value); ok {
			r.wait, r.retry = ms, ms
		}
	}
	return nil
}

// digits is a number in ASCII digits only; the largest stands for all larger ones.
func digits(value []byte) (int64, bool) {
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil || len(value) > 0
}

// readLine returns the next line without its end, valid until the next call. It never
// waits for the byte behind a CR.
func (r *Reader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		if _, err := r.r.Peek(1); err != nil {
			return nil, err // an unfinished line is none
		}
		chunk, _ := r.r.Peek(r.r.Buffered())
		if r.lf && chunk[0] == '\n' {
			r.lf = false
			r.discard(1)
			continue
		}
		r.lf = false
		if !r.begun {
			if whole, err := r.mark(); err != nil || !whole {
				return nil, err
			}
			continue
		}
		end := bytes.IndexAny(chunk, "\r\n")
		if end < 0 {
			r.line = append(r.line, chunk...)
			r.discard(len(chunk))
		} else {
			r.line = append(r.line, chunk[:end]...)
			r.lf = chunk[end] == '\r'
			r.discard(end + 1)
		}
		if int64(len(r.line)) > r.limit+int64(len("data: ")) {
			return nil, ErrTooLong
		}
		if end >= 0 {
			return r.line, nil
		}
	}
}

// mark skips the byte order mark, if the stream begins with one.
func (r *Reader) mark() (bool, error) {
	r.begun = true
	if b, _ := r.r.Peek(1); b[0] != 0xef {
		return true, nil
	}
	b, err := r.r.Peek(3)
	if err == nil && string(b) == "\ufeff" {
		r.discard(3)
	}
	return err == nil || err == io.EOF, err
}

func (r *Reader) discard(n int) { _, _ = r.r.Discard(n) }

// Append writes an event. name is left out where it is "", id where it is nil, retry where it is
// negative. Line breaks in name and id, and zero in id, would mean something else: see Fits.
// Nil data makes an event that readers do not dispatch.
func Append(b []byte, name string, id *string, retry int64, data []byte) []byte {
	if name != "" {
		b = append(append(append(b, "event: "...), name...), '\n')
	}
	if id != nil {
		b = append(append(append(b, "id: "...), *id...), '\n')
	}
	if retry >= 0 {
		b = append(b, "retry: "...)
		b = strconv.AppendInt(b, retry, 10)
		b = append(b, '\n')
	}
	if data == nil {
		return append(b, '\n')
	}
	for {
		end := bytes.IndexAny(data, "\r\n")
		b = append(b, "data: "...)
		if end < 0 {
			b = append(b, data...)
			return append(b, "\n\n"...)
		}
		b = append(append(b, data[:end]...), '\n')
		if data[end] == '\r' && end+1 < len(data) && data[end+1] == '\n' {
			end++
		}
		data = data[end+1:]
	}
}

// Fits says whether text can be the name or the id of an event.
func Fits(text string) bool { return !strings.ContainsAny(text, "\r\n\x00") }

// Comment is a line that readers skip: what keeps a quiet stream alive.
const Comment = ":\n\n"
