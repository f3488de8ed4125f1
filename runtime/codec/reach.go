package codec

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// What other codecs need that walk the same tables: package param, multipart forms.

// Resolve follows a recursive edge to the kind and table that it stands for.
func (f *Field) Resolve() (Kind, *Type) { return resolve(f.Kind, f.T) }

// Name returns the property's name.
func (f *Field) Name() string { return f.name() }

// Find returns which of an object's fields has a name, or -1.
func (t *Type) Find(name string) int { return t.find(name) }

// Item returns the i-th element of the slice at p as a field: its address is the base.
func (t *Type) Item(p unsafe.Pointer, i int) (Field, unsafe.Pointer) {
	return t.Element(), unsafe.Add((*sliceHeader)(p).ptr, uintptr(i)*t.stride())
}

// Element returns the elements of a slice or map as a field at offset 0.
func (t *Type) Element() Field { return Field{T: t.Elem, Kind: t.Elem.Kind, Flag: t.ElemFlag} }

// Len returns the length of the slice at p.
func (t *Type) Len(p unsafe.Pointer) int { return (*sliceHeader)(p).len }

// Reset makes the slice at p empty, but not nil.
func (t *Type) Reset(p unsafe.Pointer) { *(*sliceHeader)(p) = sliceHeader{ptr: unsafe.Pointer(&empty)} }

// Extend appends a zero element to the slice at p and returns its address.
func (t *Type) Extend(p unsafe.Pointer) unsafe.Pointer {
	h := (*sliceHeader)(p)
	n := h.len
	if n == h.cap {
		t.growTo(p, n, max(firstRoom, 2*n))
	}
	h.len = n + 1
	return unsafe.Add(h.ptr, uintptr(n)*t.stride())
}

// IsText reports whether values of a kind are one piece of text: no list or object.
func (k Kind) IsText() bool { return k < Object && k != Raw }

// AppendText appends the value at p as plain text: strings without quotes, numbers as in
// JSON, a union as its variant; what is no text, as JSON.
func (f *Field) AppendText(b []byte, p unsafe.Pointer, m Mode) ([]byte, error) {
	k, t := f.Resolve()
	switch k {
	case String, Enum, Number:
		if k == Number && *(*string)(p) == "" {
			return append(b, '0'), nil
		}
		return append(b, *(*string)(p)...), nil
	case UUID:
		return appendUUID(b, (*[16]byte)(p)), nil
	case Bytes:
		return base64.StdEncoding.AppendEncode(b, *(*[]byte)(p)), nil
	case Custom:
		return t.customText(b, p)
	case Union:
		i, v := t.Union.Get(p)
		if i < 0 || v == nil {
			return b, &Error{Violations: []Violation{{Code: CodeRequired, Message: "holds no variant"}}}
		}
		if k, w := resolve(t.Union.Variants[i].T.Kind, t.Union.Variants[i].T); k.IsText() || k == Raw {
			return (&Field{Kind: k, T: w}).AppendText(b, v, m)
		}
	}
	n := len(b)
	b, err := appendValue(b, f, p, m)
	if err != nil {
		return b, err
	}
	if len(b) > n+1 && b[n] == '"' { // Time, Date, Const, Raw
		var s string
		if err := json.Unmarshal(b[n:], &s); err == nil {
			return append(b[:n], s...), nil
		}
	}
	return b, nil
}

// ParseText is the inverse of AppendText: it reads s into the value at p and checks the
// field's rules. What is wrong is added to e, with an empty pointer. A string may share
// the memory of s.
func (f *Field) ParseText(s string, p unsafe.Pointer, m Mode, e *Error) {
	k, t := f.Resolve()
	if k >= Object || k == Raw {
		f.parseJSON(s, p, m, e)
		return
	}
	d := newDec(nil, Options{Mode: m})
	d.s = s
	end := d.text(k, t, s, p)
	if end >= 0 && (f.R != nil || t != nil && t.Rules != nil) {
		d.s = `"` // so that positions are valid
		if f.needsJSON(t) {
			b, _ := appendValue(nil, &Field{Kind: k, T: t}, p, 0)
			d.s = string(b)
		}
		d.checked(k, t, f.R, p, 0, len(d.s))
	}
	for _, v := range d.vio {
		e.Add(Violation{Code: v.code, Message: v.msg})
	}
	d.free()
}

func (f *Field) needsJSON(t *Type) bool {
	const has = Unique | ConstOf | Also
	return f.R != nil && f.R.Has&has != 0 || t != nil && t.Rules != nil && t.Rules.Has&has != 0
}

// Check holds the value at p against the field's rules only; e gets what is wrong.
func (f *Field) Check(p unsafe.Pointer, m Mode, e *Error) {
	k, t := f.Resolve()
	if f.R == nil && (t == nil || t.Rules == nil) {
		return
	}
	b, err := appendValue(nil, f, p, m)
	if err != nil {
		return
	}
	d := newDec(b, Options{Mode: m})
	d.checked(k, t, f.R, p, 0, len(b))
	for _, v := range d.vio {
		e.Add(Violation{Code: v.code, Message: v.msg})
	}
	d.free()
}

// text reads all of s as a value of a kind that is one piece of text.
func (d *dec) text(k Kind, t *Type, s string, p unsafe.Pointer) int {
	want := wantInteger
	switch k {
	case Float32, Float64, Number:
		want = wantNumber
		fallthrough
	case Int32, Int64, Uint32, Uint64, EnumInt:
		if s == "" || scanNumber(s, 0) != len(s) {
			return d.fail(0, CodeType, want)
		}
		d.alias = d.mode&Owned != 0
		return d.value(k, t, p, 0)
	case Bool:
		if s != "true" && s != "false" {
			return d.fail(0, CodeType, "must be true or false")
		}
		*(*bool)(p) = s == "true"
		return len(s)
	case Time, Date, UUID, Bytes:
		if want := parseTextual(k, s, p); want != "" {
			return d.fail(0, CodeType, want)
		}
		return len(s)
	}
	if !utf8.ValidString(s) {
		return d.fail(0, CodeUTF8, "must be UTF-8")
	}
	switch k {
	case Custom:
		if t.readText(s, p) != nil {
			return d.fail(0, CodeType, "must be what "+t.label()+" reads")
		}
	case String:
		*(*string)(p) = d.own(s)
	case Enum:
		v, ok := t.member(s)
		if !ok {
			if v = d.own(s); !t.Open && d.mode&Lenient == 0 {
				d.violate(0, CodeEnum, listed(t.Enum))
			}
		}
		*(*string)(p) = v
	case Const:
		if d.mode&Lenient == 0 && !equalJSON(quoted(s), t.Const) && !(json.Valid([]byte(s)) && equalJSON(s, t.Const)) {
			d.violate(0, CodeConst, "must be "+t.Const)
		}
	default:
		return d.fail(0, CodeType, "cannot be text")
	}
	return len(s)
}

func (d *dec) own(s string) string {
	if d.alias {
		return s
	}
	return strings.Clone(s)
}

func quoted(s string) string { return string(appendString(nil, "", s)) }

// parseJSON reads lists, objects and unions from JSON text. Where anything goes, text
// that is no JSON, or does not fit as such, is a string.
func (f *Field) parseJSON(s string, p unsafe.Pointer, m Mode, e *Error) {
	g := &Field{T: f.T, R: f.R, Kind: f.Kind}
	o := Options{Mode: m &^ Owned}
	err := g.Decode([]byte(s), p, o)
	if k, _ := f.Resolve(); err != nil && (k == Union || k == Raw) {
		if g.Decode([]byte(quoted(s)), p, o) == nil {
			return
		}
	}
	if err, ok := err.(*Error); ok {
		for _, v := range err.Violations {
			v.Offset = 0
			e.Add(v)
		}
	}
}

// AppendJSONText appends s as the JSON value that it stands for where a value of f is
// expected: a number or boolean as it is, anything else in quotes.
func (f *Field) AppendJSONText(b []byte, s string) []byte {
	k, _ := f.Resolve()
	switch k {
	case Int32, Int64, Uint32, Uint64, EnumInt, Float32, Float64, Number:
		if s != "" && scanNumber(s, 0) == len(s) {
			return append(b, s...)
		}
	case Bool:
		if s == "true" || s == "false" {
			return append(b, s...)
		}
	case Object, Tuple, Slice, Map, Raw, Union, Const:
		if json.Valid([]byte(s)) {
			return append(b, s...)
		}
	}
	return appendString(b, "", s)
}

// AppendQuoted appends s as a JSON string.
func AppendQuoted(b []byte, s string) []byte { return appendString(b, "", s) }
