package codec

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"
)

// Values of kind Custom are of a Go type that the program brings itself. They are read
// and written by its json.Marshaler and json.Unmarshaler, by its encoding.TextMarshaler
// and TextUnmarshaler, or as encoding/json does it.

// label names a Go type in messages.
func (t *Type) label() string { return strings.TrimPrefix(fmt.Sprintf("%T", t.Go), "*") }

// custom reads a value of a type that the program brings.
func (d *dec) custom(t *Type, p unsafe.Pointer, pos int) int {
	pos = d.space(pos)
	next := d.skip(pos)
	if next < 0 {
		return -1
	}
	if !t.Open && d.s[pos:next] == "null" { // which encoding/json never hands to a pointer
		return d.fail(pos, CodeType, "must not be null")
	}
	if json.Unmarshal([]byte(d.s[pos:next]), typed(t.Go, p)) != nil {
		return d.fail(pos, CodeType, "must be what "+t.label()+" reads")
	}
	return next
}

// custom writes a value of a type that the program brings.
func (e *enc) custom(t *Type, p unsafe.Pointer, b []byte) []byte {
	text, err := json.Marshal(typed(t.Go, p))
	if err != nil {
		return e.fail(b, CodeType, "cannot be written by "+t.label())
	}
	return append(b, text...)
}

// customText appends the value at p as it stands in a path, query or header.
func (t *Type) customText(b []byte, p unsafe.Pointer) ([]byte, error) {
	v := typed(t.Go, p)
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		return append(b, text...), err
	}
	text, err := json.Marshal(v)
	var s string
	if err == nil && bytes.HasPrefix(text, []byte{'"'}) && json.Unmarshal(text, &s) == nil {
		return append(b, s...), nil
	}
	return append(b, text...), err
}

// readText reads what customText writes. What has no text of its own is tried as JSON
// first, then as a string.
func (t *Type) readText(text string, p unsafe.Pointer) error {
	v := typed(t.Go, p)
	if u, ok := v.(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	if json.Valid([]byte(text)) && json.Unmarshal([]byte(text), v) == nil {
		return nil
	}
	return json.Unmarshal(appendString(nil, "", text), v)
}
