package codec

import (
	"strings"
	"unsafe"
)

const wantArray = "must be an array"

// more steps over '[' or ',' in an array; false at its end.
func (d *dec) more(n, pos int) (bool, int) {
	c, pos := d.peek(pos)
	if c == ']' {
		return false, pos + 1
	}
	if n > 0 {
		if c != ',' {
			return false, d.syntax(pos, "must be a comma or a closing bracket")
		}
		pos++
	}
	return true, pos
}

// room says how many elements an array should have room for, of which n were read
// between start and pos. Near the top the rest of the text is probably this array; but
// never more than eight times what is there, since the sender decides on the text.
func (d *dec) room(n, start, pos int) int {
	if n == 0 {
		return firstRoom
	}
	if d.depth <= 2 {
		return min(8*n, n+int(int64(len(d.s)-pos)*int64(n)/int64(pos-start+1))+1)
	}
	return 2 * n
}

// empty is what empty slices point to.
var empty uint64

func (d *dec) list(t *Type, p unsafe.Pointer, pos int) int {
	el := t.Elem
	if t.ElemFlag == 0 {
		switch el.Kind {
		case String:
			if el.Lazy == nil && (el.Rules == nil || el.Rules.Has&(ConstOf|Also) == 0) {
				v, next := d.strings(el.Rules, pos)
				*(*[]string)(p) = v
				return next
			}
		case Bool, Int32, Int64, Uint32, Uint64, Float32, Float64, EnumInt:
			return d.scalars(t, p, pos)
		}
	}
	if pos = d.open(pos, '[', wantArray); pos < 0 || !d.enter(pos-1) {
		return -1
	}
	*(*sliceHeader)(p) = sliceHeader{}
	base := unsafe.Pointer(&empty)
	size := t.stride()
	n, c, start := 0, 0, pos
	for {
		more, next := d.more(n, pos)
		if pos = next; pos < 0 {
			return -1
		}
		if !more {
			break
		}
		if n == c {
			c = d.room(n, start, pos)
			base = t.growTo(p, n, c)
			c = (*sliceHeader)(p).cap
		}
		e := unsafe.Add(base, uintptr(n)*size)
		if el.Kind == Object && t.ElemFlag == 0 && el.Rules == nil && el.Lazy == nil {
			pos = d.object(el, e, pos)
		} else {
			_, pos = d.element(t, e, pos)
		}
		if pos < 0 {
			return -1
		}
		n++
	}
	*(*sliceHeader)(p) = sliceHeader{base, n, c}
	d.depth--
	return pos
}

// scalars reads a list of numbers or booleans into one allocation: no value of theirs
// holds a comma, so that counting those up to the end of the list counts the items.
func (d *dec) scalars(t *Type, p unsafe.Pointer, pos int) int {
	if pos = d.open(pos, '[', wantArray); pos < 0 || !d.enter(pos-1) {
		return -1
	}
	*(*sliceHeader)(p) = sliceHeader{ptr: unsafe.Pointer(&empty)}
	el, size, base, c := t.Elem, kindSize[t.Elem.Kind], unsafe.Pointer(nil), 0
	for n := 0; ; n++ {
		more, next := d.more(n, pos)
		if pos = next; pos < 0 {
			return -1
		}
		if !more {
			d.depth--
			return pos
		}
		if n == 0 {
			rest, _, _ := strings.Cut(d.s[pos:], "]")
			c = 1 + strings.Count(rest, ",")
			if w := (uintptr(c)*size + 7) / 8; w <= 2 {
				base = d.slab.word(int(w))
			} else {
				base = makeScalars(el.Kind, c)
			}
		}
		if n == c {
			return d.syntax(pos, "must be a value and no list")
		}
		if pos = d.whole(el.Kind, el, nil, unsafe.Add(base, uintptr(n)*size), pos); pos < 0 {
			return -1
		}
		*(*sliceHeader)(p) = sliceHeader{base, n + 1, c}
	}
}

// element reads one value of a slice or map into the memory at p, which it returns.
func (d *dec) element(t *Type, p unsafe.Pointer, pos int) (unsafe.Pointer, int) {
	el, q := t.Elem, p
	if t.ElemFlag != 0 {
		if next, ok := d.null(pos); ok && t.ElemFlag&Null != 0 && el.Kind != Raw {
			if t.ElemFlag&Ptr != 0 {
				*(*unsafe.Pointer)(p) = nil
			} else {
				setNil(el.Kind, el, p)
			}
			return p, next
		}
		if t.ElemFlag&Ptr != 0 {
			q = alloc(el.Kind, el)
			*(*unsafe.Pointer)(p) = q
		}
	}
	return p, d.whole(el.Kind, el, nil, q, pos)
}

// strings reads the commonest list: into scratch memory first, so that it is allocated once.
// Rules are checked on the way.
func (d *dec) strings(r *Rule, pos int) ([]string, int) {
	if pos = d.open(pos, '[', wantArray); pos < 0 || !d.enter(pos-1) {
		return nil, -1
	}
	t := d.strs[:0]
	for {
		more, next := d.more(len(t), pos)
		if pos = next; pos < 0 {
			return nil, -1
		}
		if !more {
			break
		}
		v, next := d.string(pos)
		if next < 0 || r != nil && d.mode&Lenient == 0 && !d.checkString(r, v, pos) {
			return nil, -1
		}
		pos = next
		t = append(t, v)
	}
	v := make([]string, len(t))
	copy(v, t)
	clear(t)
	d.strs = t[:0]
	d.depth--
	return v, pos
}

// entry reads a map's key and its colon; ok is false at the end of the object.
func (d *dec) entry(first bool, pos int) (key string, ok bool, _ int) {
	c, pos := d.peek(pos)
	if c == '}' {
		return "", false, pos + 1
	}
	if !first {
		if c != ',' {
			return "", false, d.syntax(pos, "must be a comma or a closing brace")
		}
		c, pos = d.peek(pos + 1)
	}
	if c != '"' {
		return "", false, d.syntax(pos, "must be a property name in quotes")
	}
	if key, pos = d.string(pos); pos >= 0 {
		pos = d.colon(pos)
	}
	return key, true, pos
}

func (d *dec) dict(t *Type, p unsafe.Pointer, pos int) int {
	if el := t.Elem; el.Kind == String && t.ElemFlag == 0 && t.Map == plainMap && t.Names == nil && el.Lazy == nil && (el.Rules == nil || el.Rules.Has&(ConstOf|Also) == 0) {
		m, next := d.stringMap(el.Rules, pos)
		*(*map[string]string)(p) = m
		return next
	}
	if pos = d.open(pos, '{', wantObject); pos < 0 || !d.enter(pos-1) {
		return -1
	}
	t.Map.Make(p)
	v := unsafe.Pointer(nil)
	for n := 0; ; n++ {
		key, ok, next := d.entry(n == 0, pos)
		if pos = next; pos < 0 {
			return -1
		}
		if !ok {
			d.depth--
			return pos
		}
		if !t.takes(key) {
			if pos = d.stranger(t, pos); pos < 0 {
				return -1
			}
			continue
		}
		// Put copies the value; only objects keep what the one before left there.
		if v == nil || t.Elem.Kind >= Object {
			v = t.newElement()
		}
		if _, next = d.element(t, v, pos); next < 0 {
			return -1
		}
		if !t.Map.Put(p, key, v) {
			return d.fail(pos, CodeDuplicate, "must not be there twice")
		}
		pos = next
	}
}

// plainMap is what tables of map[string]string have.
var plainMap MapType = (*MapOf[string])(nil)

func (d *dec) stringMap(r *Rule, pos int) (map[string]string, int) {
	if pos = d.open(pos, '{', wantObject); pos < 0 || !d.enter(pos-1) {
		return nil, -1
	}
	m := map[string]string{}
	for n := 0; ; n++ {
		key, ok, next := d.entry(n == 0, pos)
		if pos = next; pos < 0 {
			return nil, -1
		}
		if !ok {
			d.depth--
			return m, pos
		}
		v, next := d.string(pos)
		if next < 0 || r != nil && d.mode&Lenient == 0 && !d.checkString(r, v, pos) {
			return nil, -1
		}
		if m[key] = v; len(m) == n {
			return nil, d.fail(pos, CodeDuplicate, "must not be there twice")
		}
		pos = next
	}
}
