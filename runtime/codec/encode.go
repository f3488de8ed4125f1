package codec

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// enc is the state of one encoding; the text itself travels through the calls.
type enc struct {
	buf      []byte // scratch of marshal
	drop     Flag   // fields with these are left out
	depth    int
	tag, val string // discriminator that the next object writes first
	base     int    // where the text began in the caller's slice
	at       int    // of the first failure
	code     Code   // of the first failure; "" for none
	msg      string
}

var encPool = sync.Pool{New: func() any { return &enc{buf: make([]byte, 0, 1024)} }}

// maxScratch is the largest buffer that waits for the next encoding.
const maxScratch = 64 << 10

func newEnc(m Mode, base int) *enc {
	e := encPool.Get().(*enc)
	e.drop, e.base = dropped(m), base
	return e
}

// dropped says which fields do not travel in a mode.
func dropped(m Mode) (fl Flag) {
	if m&Request != 0 {
		fl |= ReadOnly
	}
	if m&Response != 0 {
		fl |= WriteOnly
	}
	return fl
}

// end returns the encoder and what went wrong.
func (e *enc) end(b []byte) error {
	err := error(nil)
	if e.code != "" {
		err = &Error{Violations: pointers(string(b[e.base:]), []violation{{at: e.at - e.base, code: e.code, msg: e.msg}})}
	}
	e.depth, e.code, e.msg, e.tag, e.val = 0, "", "", "", ""
	encPool.Put(e)
	return err
}

func appendValue(b []byte, f *Field, p unsafe.Pointer, m Mode) ([]byte, error) {
	e := newEnc(m, len(b))
	b = e.value(f.Kind, f.T, p, b)
	return b, e.end(b)
}

func marshal(f *Field, base unsafe.Pointer, m Mode) ([]byte, error) {
	e := newEnc(m, 0)
	p, ok := f.Value(base)
	if !ok && f.Flag&(Ptr|Maybe) != 0 {
		return []byte("null"), e.end(nil)
	}
	b := e.value(f.Kind, f.T, p, e.buf[:0])
	if cap(b) <= maxScratch {
		e.buf = b
	}
	out := append([]byte(nil), b...)
	return out, e.end(out)
}

// fail notes the first failure; something is written all the same, so that the text has
// its shape when the failure's pointer is looked up in it.
func (e *enc) fail(b []byte, c Code, msg string) []byte {
	if e.code == "" {
		e.at, e.code, e.msg = len(b), c, msg
	}
	return append(b, "null"...)
}

// enter counts the depth, which also ends cycles of Go pointers.
func (e *enc) enter() bool {
	e.depth++
	return e.depth <= MaxDepth && e.code == ""
}

func (e *enc) tooDeep(b []byte) []byte {
	e.depth--
	return e.fail(b, CodeDepth, "is nested too deep, or holds itself")
}

func (e *enc) object(t *Type, p unsafe.Pointer, b []byte) []byte {
	if !e.enter() {
		return e.tooDeep(b)
	}
	start := len(b)
	if e.tag != "" {
		b = appendString(appendString(b, ",", e.tag), ":", e.val)
		e.tag = ""
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		fp := unsafe.Add(p, f.Off)
		if f.Flag&^Req == 0 {
			if f.Kind == String {
				b = appendString(b, f.Key, *(*string)(fp))
				continue
			}
			if f.Flag&Req == 0 && isNil(f.Kind, f.T, fp) {
				continue
			}
		} else {
			var has presence
			if fp, has = e.flagged(f, fp); has != there {
				if has == nothing {
					continue
				}
				b = append(b, f.Key...)
				if has == null {
					b = append(b, "null"...)
				} else {
					b = e.fail(b, CodeRequired, "is required, but nil")
				}
				continue
			}
		}
		switch f.Kind {
		case String, Enum:
			b = appendString(b, f.Key, *(*string)(fp))
		case Int64:
			b = strconv.AppendInt(append(b, f.Key...), *(*int64)(fp), 10)
		case Int32:
			b = strconv.AppendInt(append(b, f.Key...), int64(*(*int32)(fp)), 10)
		case Time:
			b = e.time(append(b, f.Key...), *(*time.Time)(fp))
		case Float64:
			b = e.float(append(b, f.Key...), *(*float64)(fp), 64)
		case Bool:
			b = strconv.AppendBool(append(b, f.Key...), *(*bool)(fp))
		case UUID:
			b = appendKeyUUID(b, f.Key, (*[16]byte)(fp))
		case Object:
			if t := f.T; t.Lazy == nil {
				b = e.object(t, fp, append(b, f.Key...))
				continue
			}
			fallthrough
		default:
			b = e.value(f.Kind, f.T, fp, append(b, f.Key...))
		}
	}
	if t.Extra != nil {
		b = e.extra(t, t.Extra, t.More, unsafe.Add(p, t.ExtraOff), b)
	}
	for i := range t.More {
		b = e.extra(t, t.More[i].T, t.More[:i], unsafe.Add(p, t.More[i].Off), b)
	}
	e.depth--
	return closeObject(b, start)
}

// closeObject turns the comma that every first key begins with into the brace.
func closeObject(b []byte, start int) []byte {
	if len(b) == start {
		return append(b, "{}"...)
	}
	b[start] = '{'
	return append(b, '}')
}

type presence uint8

const (
	there presence = iota
	nothing
	null
	missing
)

// flagged finds the value of a field that has more flags than Req.
func (e *enc) flagged(f *Field, p unsafe.Pointer) (unsafe.Pointer, presence) {
	if f.Flag&e.drop != 0 {
		return p, nothing
	}
	none := nothing
	if f.Flag&Req != 0 {
		none = missing
		if f.Flag&Null != 0 {
			none = null
		}
	}
	switch {
	case f.Flag&Maybe != 0:
		switch *(*state)(unsafe.Add(p, sizeOf(f.Kind, f.T))) {
		case absent:
			return p, none
		case isNull:
			return p, null
		}
	case f.Flag&Ptr != 0:
		if p = *(*unsafe.Pointer)(p); p == nil {
			return p, none
		}
	case isNil(f.Kind, f.T, p) && none != missing:
		return p, none
	}
	return p, there
}

// isNil reports whether a value is of those that can be nil, and is.
func isNil(k Kind, t *Type, p unsafe.Pointer) bool {
	switch k {
	case Slice, Map, Union, Raw, Bytes, Reader:
		return *(*unsafe.Pointer)(p) == nil
	case Lazy:
		k, t = resolve(k, t)
		return k != Lazy && isNil(k, t, p)
	}
	return false
}

// extra writes the properties that the table does not name.
func (e *enc) extra(t, m *Type, before []More, p unsafe.Pointer, b []byte) []byte {
	m.Map.Each(p, func(key string, v unsafe.Pointer) bool {
		b = appendString(b, ",", key)
		b = append(b, ':')
		if t.find(key) >= 0 {
			b = e.fail(b, CodeDuplicate, "is a property of its own and must not be among the additional ones")
			return false
		}
		ok := true
		if b, ok = e.named(m, before, key, b); ok {
			b = e.element(m, v, b)
		}
		return ok
	})
	return b
}

func (e *enc) dict(t *Type, p unsafe.Pointer, b []byte) []byte {
	if !e.enter() {
		return e.tooDeep(b)
	}
	if _, ok := t.Map.(*MapOf[string]); ok && t.Elem.Kind == String && t.Names == nil {
		e.depth--
		return stringMap(*(*map[string]string)(p), b)
	}
	return e.entries(t, p, b)
}

// stringMap writes the commonest map without an allocation.
func stringMap(m map[string]string, b []byte) []byte {
	var few [8][2]string
	all := few[:0]
	for k, v := range m {
		all = append(all, [2]string{k, v})
		if len(m) <= len(few) {
			for i := len(all) - 1; i > 0 && all[i][0] < all[i-1][0]; i-- {
				all[i], all[i-1] = all[i-1], all[i]
			}
		}
	}
	if len(m) > len(few) {
		slices.SortFunc(all, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	}
	start := len(b)
	for i := range all {
		b = appendString(appendString(b, ",", all[i][0]), ":", all[i][1])
	}
	return closeObject(b, start)
}

// entries is apart because its closure makes b escape.
func (e *enc) entries(t *Type, p unsafe.Pointer, b []byte) []byte {
	start := len(b)
	t.Map.Each(p, func(key string, v unsafe.Pointer) bool {
		b = append(appendString(b, ",", key), ':')
		ok := true
		if b, ok = e.named(t, nil, key, b); ok {
			b = e.element(t, v, b)
		}
		return e.code == ""
	})
	e.depth--
	return closeObject(b, start)
}

func (e *enc) list(t *Type, p unsafe.Pointer, b []byte) []byte {
	if !e.enter() {
		return e.tooDeep(b)
	}
	h, el, size := (*sliceHeader)(p), t.Elem, t.stride()
	b = append(b, '[')
	for i := range h.len {
		if i > 0 {
			b = append(b, ',')
		}
		v := unsafe.Add(h.ptr, uintptr(i)*size)
		if t.ElemFlag == 0 && el.Lazy == nil && el.Kind == Object {
			b = e.object(el, v, b)
		} else if t.ElemFlag == 0 && el.Kind < Object {
			b = e.value(el.Kind, el, v, b)
		} else {
			b = e.element(t, v, b)
		}
	}
	e.depth--
	return append(b, ']')
}

// element writes one value of a slice or map.
func (e *enc) element(t *Type, p unsafe.Pointer, b []byte) []byte {
	if t.ElemFlag != 0 {
		if t.ElemFlag&Ptr != 0 {
			p = *(*unsafe.Pointer)(p)
		}
		if p == nil || t.ElemFlag&Ptr == 0 && isNil(t.Elem.Kind, t.Elem, p) {
			if t.ElemFlag&Null == 0 {
				return e.fail(b, CodeRequired, "is nil, but null is not allowed")
			}
			return append(b, "null"...)
		}
	}
	return e.value(t.Elem.Kind, t.Elem, p, b)
}

// stride returns the distance between the elements of a slice.
func (t *Type) stride() uintptr {
	if t.ElemFlag&Ptr != 0 {
		return unsafe.Sizeof(uintptr(0))
	}
	return sizeOf(t.Elem.Kind, t.Elem)
}

func (e *enc) union(u *UnionType, p unsafe.Pointer, b []byte) []byte {
	i, v := u.Get(p)
	if i < 0 || v == nil {
		return e.fail(b, CodeRequired, "holds no variant")
	}
	w := &u.Variants[i]
	k, t := resolve(w.T.Kind, w.T)
	if u.Tag != "" && k == Object && len(w.Tags) > 0 && t.find(u.Tag) < 0 {
		e.tag, e.val = u.Tag, w.Tags[0]
	}
	return e.value(k, t, v, b)
}
