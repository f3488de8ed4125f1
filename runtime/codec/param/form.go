package param

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// formParam describes how a property of a form travels: lists repeat the name, objects
// are JSON, unless an override says otherwise.
func formParam(fs []FormField, f *codec.Field, name string) Param {
	p := Param{Name: name, In: Query, Explode: true, T: f.T, R: f.R, Off: f.Off, Kind: f.Kind, Flag: f.Flag &^ codec.Req}
	k, _ := f.Resolve()
	for i := range fs {
		if fs[i].Name == name && (fs[i].Style != Default || strings.Contains(fs[i].Media, "json")) {
			p.Style, p.Explode, p.Reserved = fs[i].Style, fs[i].Explode, fs[i].Reserved
			if p.Style == Default {
				p.Style = JSON
			}
			return p
		}
	}
	if k == codec.Object || k == codec.Map || k == codec.Raw || k == codec.Slice && !textItems(f) {
		p.Style = JSON
	}
	return p
}

func textItems(f *codec.Field) bool {
	_, t := f.Resolve()
	el := t.Element()
	k, _ := el.Resolve()
	return k.IsText() || k == codec.Union
}

// AppendForm appends the object at p as application/x-www-form-urlencoded.
func AppendForm(b []byte, t *codec.Type, fs []FormField, p unsafe.Pointer, m codec.Mode) (_ []byte, err error) {
	start := len(b)
	add := func(name string, f *codec.Field, base unsafe.Pointer) error {
		q := formParam(fs, f, name)
		n := len(b)
		if n > start {
			b = append(b, '&')
		}
		t, wrote := formText, false
		if q.Reserved {
			t = reserved
		}
		if b, wrote, err = q.append(b, base, "&", t); !wrote {
			b = b[:n]
		}
		return err
	}
	f := codec.Field{Kind: t.Kind, T: t}
	k, t := f.Resolve()
	if k != codec.Object && k != codec.Map {
		return b, &codec.Error{Violations: []codec.Violation{{Code: codec.CodeType, Message: "must be an object to be a form"}}}
	}
	err = each(t, p, func(name string, f *codec.Field, base unsafe.Pointer) error {
		if f.Flag&codec.ReadOnly != 0 && m&codec.Request != 0 || f.Flag&codec.WriteOnly != 0 && m&codec.Response != 0 {
			return nil
		}
		return add(name, f, base)
	})
	return b, err
}

// ParseForm reads application/x-www-form-urlencoded into the object at p. Pointers of
// what is wrong are like those of a JSON body: "/name".
func ParseForm(t *codec.Type, fs []FormField, raw string, p unsafe.Pointer, m codec.Mode, e *codec.Error) {
	f := codec.Field{Kind: t.Kind, T: t}
	k, t := f.Resolve()
	root := &tree{}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, text, _ := strings.Cut(pair, "=")
		name, ok := unescape(name, true)
		value, ok2 := unescape(text, true)
		if !ok || !ok2 || !utf8.ValidString(name) || !utf8.ValidString(value) {
			e.Add(codec.Violation{Code: codec.CodeSyntax, Message: "must be percent-encoded UTF-8"})
			return
		}
		addForm(root, k, t, fs, name, value, text)
	}
	if err, ok := f.Decode(root.object(nil, k, t), p, codec.Options{Mode: m &^ codec.Owned}).(*codec.Error); ok {
		for _, v := range err.Violations {
			v.Offset = 0 // the text is our own
			e.Add(v)
		}
	}
}

func addForm(root *tree, k codec.Kind, t *codec.Type, fs []FormField, name, value, raw string) {
	prop := func(name string) *codec.Field {
		if k == codec.Object && t.Find(name) >= 0 {
			return &t.Fields[t.Find(name)]
		}
		return &anything
	}
	if open := strings.IndexByte(name, '['); open > 0 && t.Find(name) < 0 {
		if f := prop(name[:open]); f != &anything {
			n := root.at(name[:open])
			if n.deep(name[open:], value) {
				return
			}
		}
	}
	f := prop(name)
	n := root.at(name)
	q := formParam(fs, f, name)
	kind, _ := f.Resolve()
	switch {
	case (kind == codec.Slice || kind == codec.Tuple) && !q.Explode && q.Style != JSON:
		for more := raw != ""; more; {
			var part string
			part, raw, more = cut(raw, q.separator(false))
			part, _ = unescape(part, true)
			n.texts = append(n.texts, part)
		}
	case kind == codec.Object && !q.Explode && q.Style != JSON:
		if tr, ok := q.pairs(raw, formText); ok {
			*n = *tr
		}
	default:
		n.texts = append(n.texts, value)
	}
}

// AppendText appends the field of the value at base as plain text: scalars as they are,
// anything else as JSON. It is what a part of multipart/form-data or a text/plain body
// holds. False: the field is absent.
func AppendText(b []byte, f *codec.Field, base unsafe.Pointer, m codec.Mode) ([]byte, bool, error) {
	v, ok := f.Value(base)
	if !ok {
		return b, false, nil
	}
	b, err := f.AppendText(b, v, m)
	return b, true, err
}

// ParseText is the inverse of AppendText. What is wrong is added to e below pointer.
func ParseText(s string, f *codec.Field, base unsafe.Pointer, m codec.Mode, pointer string, e *codec.Error) {
	n := len(e.Violations)
	f.ParseText(s, f.New(base), m, e)
	locate(e, n, pointer)
}
