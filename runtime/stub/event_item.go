package stub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
	"github.com/concordat-dev/concordat/runtime/internal/sse"
)

// events is a source of server-sent events.
type events struct {
	*sse.Reader
	part  *part
	whole bool
	end   string
	mode  codec.Mode
	limit int64
	wrong func(error) error
	fails func(data []byte) error // the failure that an event named "error" tells of, or nil
}

func (s *events) next(base pointer) error {
	e, err := s.Next()
	switch {
	case errors.Is(err, sse.ErrTooLong):
		return tooLong(s.limit)
	case err != nil:
		return err
	case s.end != "" && string(e.Data) == s.end:
		return io.EOF
	}
	if e.Name == "error" {
		if err := s.fails(e.Data); err != nil {
			return err
		}
	}
	var bad codec.Error
	if s.whole {
		decodeEvent(&e, s.part, base, s.mode, &bad)
	} else {
		decodeData(e.Data, s.part, base, s.mode, &bad)
	}
	if err := bad.Err(); err != nil {
		return s.wrong(err)
	}
	return nil
}

// decodeData reads an item that is the data of an event: text as it is, all else as JSON.
func decodeData(data []byte, p *part, base pointer, m codec.Mode, e *codec.Error) {
	if plainText(&p.Field) {
		param.ParseText(string(data), &p.Field, base, m, "", e)
		return
	}
	decodeItem(data, p, base, m, e)
}

// plainText says whether values stand in an event without the quotes of JSON.
func plainText(f *codec.Field) bool {
	switch k, _ := f.Resolve(); k {
	case codec.String, codec.Enum, codec.Time, codec.Date, codec.UUID, codec.Bytes:
		return true
	}
	return false
}

// decodeEvent reads an item that is an event with its fields, as the JSON object that the
// contract describes. Data is text or JSON, as its schema says; where that leaves both
// open, what is JSON is JSON.
func decodeEvent(e *sse.Event, p *part, base pointer, m codec.Mode, bad *codec.Error) {
	data := e.Data
	kind := dataOf(&p.Field, 0)
	if kind == dataText || kind == dataEither && !json.Valid(data) {
		data = (&codec.Field{}).AppendJSONText(nil, string(data))
	}
	b := []byte{'{'}
	if len(data) > 0 {
		b = member(b, "data", data)
	}
	name := e.Name
	if name == "" && needsName(&p.Field, 0) {
		name = "message" // WHATWG HTML, 9.2.6
	}
	if name != "" {
		b = member(b, "event", jsonText(name))
	}
	if e.Named {
		b = member(b, "id", jsonText(e.ID))
	}
	if e.Retry >= 0 {
		b = member(b, "retry", strconv.AppendInt(nil, e.Retry, 10))
	}
	decodeItem(append(b, '}'), p, base, m, bad)
}

func jsonText(s string) []byte { return (&codec.Field{}).AppendJSONText(nil, s) }

func member(b []byte, name string, value []byte) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(append(append(append(b, '"'), name...), `":`...), value...)
}

// What the data of an event may be.
const (
	dataEither = iota
	dataText
	dataJSON
)

// dataOf says what the data of an item's events is, by the item's table.
func dataOf(f *codec.Field, depth int) int {
	k, t := f.Resolve()
	switch {
	case k == codec.Object:
		i := t.Find("data")
		if i < 0 {
			return dataEither
		}
		d := &t.Fields[i]
		if plainText(d) {
			return dataText
		}
		if dk, dt := d.Resolve(); dk == codec.Const {
			if dt.Const != "" && dt.Const[0] == '"' {
				return dataText
			}
		} else if dk == codec.Union || dk == codec.Raw {
			return dataEither
		}
		return dataJSON
	case k == codec.Union && depth < 8 && len(t.Union.Variants) > 0:
		all := -1
		for i := range t.Union.Variants {
			v := t.Union.Variants[i].T
			one := dataOf(&codec.Field{T: v, Kind: v.Kind}, depth+1)
			if all >= 0 && one != all {
				return dataEither
			}
			all = one
		}
		return all
	}
	return dataEither
}

// needsName says whether an item's schema requires the name of the event.
func needsName(f *codec.Field, depth int) bool {
	k, t := f.Resolve()
	switch {
	case k == codec.Object:
		i := t.Find("event")
		return i >= 0 && t.Fields[i].Flag&codec.Req != 0
	case k == codec.Union && depth < 8:
		for i := range t.Union.Variants {
			v := t.Union.Variants[i].T
			if needsName(&codec.Field{T: v, Kind: v.Kind}, depth+1) {
				return true
			}
		}
	}
	return false
}

// appendEvent writes an item as an event.
func appendEvent(b []byte, p *part, whole bool, base pointer, m codec.Mode) ([]byte, error) {
	if whole {
		return appendWhole(b, p, base, m)
	}
	var data []byte
	var err error
	if plainText(&p.Field) {
		data, _, err = param.AppendText([]byte{}, &p.Field, base, m)
	} else {
		data, err = p.Append(nil, base, m)
	}
	if err != nil {
		return b, err
	}
	return sse.Append(b, "", nil, -1, data), nil
}

// appendWhole writes an item that holds the fields of an event.
func appendWhole(b []byte, p *part, base pointer, m codec.Mode) ([]byte, error) {
	text, err := p.Append(nil, base, m)
	if err != nil {
		return b, err
	}
	var e struct {
		Data      json.RawMessage
		Event, ID *string
		Retry     *json.Number
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return b, fmt.Errorf("the item is no event: %w", err)
	}
	retry := int64(-1)
	if e.Retry != nil {
		if retry, err = e.Retry.Int64(); err != nil || retry < 0 {
			return b, fmt.Errorf("retry is %s, which is no number of milliseconds", *e.Retry)
		}
	}
	if !sse.Fits(value(e.Event)) || !sse.Fits(value(e.ID)) {
		return b, errors.New("event and id of an item must stand on one line each")
	}
	data := []byte(e.Data)
	if kind := dataOf(&p.Field, 0); kind != dataJSON && len(data) > 0 && data[0] == '"' {
		data = unquoted(data, kind == dataText)
	}
	return sse.Append(b, value(e.Event), e.ID, retry, data), nil
}

// unquoted is the text of a JSON string. Where data may be JSON as well, text that would be
// taken for JSON keeps its quotes.
func unquoted(data []byte, always bool) []byte {
	var s string
	if json.Unmarshal(data, &s) != nil || !always && (s == "" || json.Valid([]byte(s))) {
		return data
	}
	return []byte(s)
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
