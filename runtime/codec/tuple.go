package codec

import (
	"strconv"
	"unsafe"
)

// tuple reads a list whose positions are fields. What follows them goes to Extra.
func (d *dec) tuple(t *Type, p unsafe.Pointer, pos int) int {
	if pos = d.open(pos, '[', wantArray); pos < 0 || !d.enter(pos-1) {
		return -1
	}
	at := pos - 1
	if t.Extra != nil {
		*(*sliceHeader)(unsafe.Add(p, t.ExtraOff)) = sliceHeader{}
	}
	for n := 0; ; n++ {
		more, next := d.more(n, pos)
		if pos = next; pos < 0 {
			return -1
		}
		if !more {
			if n < t.Required && d.mode&Lenient == 0 && !d.violate(at, CodeMinItems, "must have at least "+strconv.Itoa(t.Required)+" items") {
				return -1
			}
			d.depth--
			return pos
		}
		if n < len(t.Fields) {
			pos = d.position(&t.Fields[n], p, pos)
		} else {
			pos = d.behind(t, p, pos, n == len(t.Fields))
		}
		if pos < 0 {
			return -1
		}
	}
}

func (d *dec) position(f *Field, p unsafe.Pointer, pos int) int {
	p = unsafe.Add(p, f.Off)
	if f.Flag&^Req != 0 || d.mode&Lenient != 0 {
		q, next, done := d.flagged(f, p, pos)
		if done {
			return next
		}
		p = q
	}
	return d.field(f, p, pos)
}

// behind reads an item after the positions; first is the first of them.
func (d *dec) behind(t *Type, p unsafe.Pointer, pos int, first bool) int {
	if t.Extra != nil {
		_, next := d.element(t.Extra, t.Extra.Extend(unsafe.Add(p, t.ExtraOff)), pos)
		return next
	}
	if t.Closed && first && d.mode&Lenient == 0 && !d.violate(pos, CodeMaxItems, "must have at most "+strconv.Itoa(len(t.Fields))+" items") {
		return -1
	}
	d.unknown++
	return d.skip(pos)
}

// tuple writes the positions up to the last that is there, then Extra.
func (e *enc) tuple(t *Type, p unsafe.Pointer, b []byte) []byte {
	if !e.enter() {
		return e.tooDeep(b)
	}
	b = append(b, '[')
	open := len(b)
	gap := false // a position is missing
	for i := range t.Fields {
		f := &t.Fields[i]
		fp, has := e.flagged(f, unsafe.Add(p, f.Off))
		if has == nothing {
			gap = true
			continue
		}
		if len(b) > open {
			b = append(b, ',')
		}
		switch {
		case gap:
			b = e.fail(b, CodeRequired, "is there, but the item before it is missing")
		case has == null:
			b = append(b, "null"...)
		case has == missing:
			b = e.fail(b, CodeRequired, "is required, but nil")
		default:
			b = e.value(f.Kind, f.T, fp, b)
		}
	}
	if t.Extra != nil {
		b = e.behind(t.Extra, unsafe.Add(p, t.ExtraOff), b, gap, len(b) > open)
	}
	e.depth--
	return append(b, ']')
}

func (e *enc) behind(t *Type, p unsafe.Pointer, b []byte, gap, more bool) []byte {
	h, size := (*sliceHeader)(p), t.stride()
	for i := range h.len {
		if more || i > 0 {
			b = append(b, ',')
		}
		if gap {
			return e.fail(b, CodeRequired, "is there, but an item before it is missing")
		}
		b = e.element(t, unsafe.Add(h.ptr, uintptr(i)*size), b)
	}
	return b
}
