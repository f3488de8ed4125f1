package protobuf

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// An encoder writes back to front. Its methods are handed the buffer b and where in it
// the first byte written so far lies, i, and return both: b[i:] is what is written.
type encoder struct {
	whole   []byte // b is its part from prefix on
	prefix  int
	front   bool // the result is to begin where whole does
	depth   int
	partial bool // something required may be missing
	err     error
}

var (
	errTooDeep = fmt.Errorf("%w: messages are nested deeper than 10,000 levels, or in a cycle", proto.Error)
	errInvalid = fmt.Errorf("%w: cannot parse invalid wire-format data", proto.Error)
)

// room is what a tag and a number or a length take at most.
const room = 5 + 10

// run writes m behind the prefix.
func (e *encoder) run(t *table, p unsafe.Pointer, m proto.Message) ([]byte, error) {
	spare := e.whole[e.prefix:cap(e.whole)]
	b := spare[:min(len(spare), int(t.hint.Load()))]
	if len(b) == 0 {
		b, _ = e.grow(b, 0, max(int(t.hint.Load()), 48))
	}
	b, i := e.message(t, p, b, len(b))
	if e.err != nil {
		return nil, e.err
	}
	n := len(b) - i
	if hint := int(t.hint.Load()); n > hint || n < hint/4 {
		t.hint.Store(uint32(min(n+n/8, 1<<20)))
	}
	out := b[i:]
	if e.front {
		copy(b, b[i:])
		out = e.whole[:e.prefix+n]
	}
	if e.partial {
		return out, proto.CheckInitialized(m)
	}
	return out, nil
}

// grow makes room for n bytes before i.
func (e *encoder) grow(b []byte, i, n int) ([]byte, int) {
	used := len(b) - i
	size := 2*len(b) + n
	if used+n <= cap(b) {
		size = min(size, cap(b))
		b = b[:size]
		copy(b[size-used:], b[i:i+used])
		return b, size - used
	}
	whole := append([]byte(nil), make([]byte, e.prefix+size)...)
	whole = whole[:cap(whole)]
	copy(whole, e.whole[:e.prefix])
	next := whole[e.prefix:]
	copy(next[len(next)-used:], b[i:])
	e.whole = whole
	return next, len(next) - used
}

// message writes what the message at p holds; nil holds nothing.
func (e *encoder) message(t *table, p unsafe.Pointer, b []byte, i int) ([]byte, int) {
	if !t.ready.Load() {
		t.fill()
	}
	if p == nil {
		e.partial = e.partial || t.generic || t.require > 0
		return b, i
	}
	if e.depth--; e.depth < 0 || e.err != nil {
		e.fail(errTooDeep)
		return b, i
	}
	if t.generic || t.hasExt && len(*(*map[int32]struct{})(unsafe.Add(p, t.ext))) > 0 {
		b, i = e.generic(t, p, b, i)
		e.depth++
		return b, i
	}
	if u := *(*[]byte)(unsafe.Add(p, t.unknown)); len(u) > 0 {
		b, i = e.raw(u, b, i)
	}
	probes := t.probes
	for k := len(probes) - 1; k >= 0; k-- {
		at := &probes[k]
		q := unsafe.Add(p, at.off)
		if i < room {
			b, i = e.grow(b, i, room)
		}
		switch at.op {
		case opInt32:
			v := *(*int32)(q)
			if v == 0 {
				continue
			}
			i = varint(b, i, uint64(int64(v)))
		case op64:
			v := *(*uint64)(q)
			if v == 0 {
				continue
			}
			i = varint(b, i, v)
		case opBool:
			if !*(*bool)(q) {
				continue
			}
			i--
			b[i] = 1
		case opString:
			n := len(*(*string)(q))
			if n == 0 {
				continue
			}
			if i < n+room {
				b, i = e.grow(b, i, n+room)
			}
			v := unsafe.Slice(*(**byte)(q), n)
			i -= n
			if !transfer(b[i:i+n], v) && at.utf8 && !utf8.Valid(v) {
				e.fail(notUTF8(&t.fields[k]))
			}
			i = varint(b, i, uint64(n))
		case opMessage:
			child := *(*unsafe.Pointer)(q)
			if child == nil {
				continue
			}
			end := len(b) - i
			b, i = e.message(at.sub, child, b, i)
			if i < room {
				b, i = e.grow(b, i, room)
			}
			i = varint(b, i, uint64(len(b)-i-end))
		case opMessages:
			if list := *(*[]unsafe.Pointer)(q); len(list) > 0 {
				b, i = e.messages(&t.fields[k], list, b, i)
			}
			continue
		case opPacked:
			if len(*(*[]byte)(q)) == 0 {
				continue
			}
			b, i = e.packed(&t.fields[k], q, b, i)
		default:
			if at.op.set(q) {
				b, i = e.other(&t.fields[k], q, b, i)
			}
			continue
		}
		switch at.tagLen {
		case 1:
			i--
			b[i] = at.tag[0]
		case 2:
			i -= 2
			b[i+1] = at.tag[1]
			b[i] = at.tag[0]
		default:
			b, i = t.fields[k].label(b, i)
		}
	}
	if t.require > 0 && !e.partial {
		e.partial = t.lacks(p)
	}
	e.depth++
	return b, i
}

// set says whether there is something at q to be written.
func (o op) set(q unsafe.Pointer) bool {
	switch o {
	case opOther32:
		return *(*uint32)(q) != 0
	case opOther64:
		return *(*uint64)(q) != 0
	case opList:
		return len(*(*[]byte)(q)) > 0
	}
	return *(*unsafe.Pointer)(q) != nil
}

// lacks says whether a required field of the message at p is not set.
func (t *table) lacks(p unsafe.Pointer) bool {
	for k := range t.fields {
		if f := &t.fields[k]; f.want && *(*unsafe.Pointer)(unsafe.Add(p, f.off)) == nil {
			return true
		}
	}
	return false
}

// other writes a field that is set, and its tag.
func (e *encoder) other(f *field, q unsafe.Pointer, b []byte, i int) ([]byte, int) {
	switch f.shape {
	case shapePointer:
		q = *(*unsafe.Pointer)(q)
	case shapeOneof:
		if f, q = e.member(f, (*iface)(q)); f == nil {
			return b, i
		}
	case shapeMap:
		return encodeMap(e, f, q, b, i)
	case shapeList:
		return e.list(f, q, b, i)
	}
	b, i = e.value(f, q, b, i)
	return f.label(b, i)
}

// messages writes a list of messages.
func (e *encoder) messages(f *field, list []unsafe.Pointer, b []byte, i int) ([]byte, int) {
	for k := len(list) - 1; k >= 0; k-- {
		end := len(b) - i
		b, i = e.message(f.sub, list[k], b, i)
		if i < room {
			b, i = e.grow(b, i, room)
		}
		b, i = f.label(b, varint(b, i, uint64(len(b)-i-end)))
	}
	return b, i
}

// text writes a string or bytes, and leaves room for the tag.
func (e *encoder) text(f *field, s string, b []byte, i int) ([]byte, int) {
	if i < len(s)+room {
		b, i = e.grow(b, i, len(s)+room)
	}
	i -= len(s)
	if ascii := transfer(b[i:i+len(s)], unsafe.Slice(unsafe.StringData(s), len(s))); f.utf8 && !ascii && !utf8.ValidString(s) {
		e.fail(notUTF8(f))
	}
	return b, varint(b, i, uint64(len(s)))
}

// member is the line and the value of what a oneof holds; nil: nothing.
func (e *encoder) member(f *field, q *iface) (*field, unsafe.Pointer) {
	if q.itab == 0 || q.data == nil {
		return nil, nil
	}
	for k := range f.more.members {
		if m := &f.more.members[k]; m.more.itab == q.itab {
			return m, q.data
		}
	}
	e.fail(fmt.Errorf("%w: a oneof holds a type that is not its own", proto.Error))
	return nil, nil
}

// label writes the tag of f. There is room for it.
func (f *field) label(b []byte, i int) ([]byte, int) {
	if f.tagLen == 1 {
		i--
		b[i] = f.tag[0]
		return b, i
	}
	i -= int(f.tagLen)
	copy(b[i:], f.tag[:f.tagLen])
	return b, i
}

// value writes the value at q, and leaves room for its tag.
func (e *encoder) value(f *field, q unsafe.Pointer, b []byte, i int) ([]byte, int) {
	if i < room {
		b, i = e.grow(b, i, room)
	}
	switch f.kind {
	case kindString, kindBytes:
		return e.text(f, *(*string)(q), b, i)
	case kindMessage:
		end := len(b) - i
		b, i = e.message(f.sub, *(*unsafe.Pointer)(q), b, i)
		if i < room {
			b, i = e.grow(b, i, room)
		}
		return b, varint(b, i, uint64(len(b)-i-end))
	case kindGroup:
		i -= int(f.tagLen)
		copy(b[i:], f.tag[:f.tagLen])
		b[i]++ // from the start of the group to its end
		b, i = e.message(f.sub, *(*unsafe.Pointer)(q), b, i)
		if i < room {
			b, i = e.grow(b, i, room)
		}
		return b, i
	}
	return b, number(f.kind, q, b, i)
}

// number writes the number at q.
func number(k kind, q unsafe.Pointer, b []byte, i int) int {
	switch k {
	case kindInt32:
		return varint(b, i, uint64(int64(*(*int32)(q))))
	case kindUint32:
		return varint(b, i, uint64(*(*uint32)(q)))
	case kindSint32:
		return varint(b, i, protowire.EncodeZigZag(int64(*(*int32)(q))))
	case kind64:
		return varint(b, i, *(*uint64)(q))
	case kindSint64:
		return varint(b, i, protowire.EncodeZigZag(*(*int64)(q)))
	case kindBool:
		b[i-1] = *(*byte)(q)
		return i - 1
	case kindFixed32:
		binary.LittleEndian.PutUint32(b[i-4:], *(*uint32)(q))
		return i - 4
	default:
		binary.LittleEndian.PutUint64(b[i-8:], *(*uint64)(q))
		return i - 8
	}
}

// varint writes v before i, where there is room.
func varint(b []byte, i int, v uint64) int {
	if v < 1<<7 {
		i--
		b[i] = byte(v)
		return i
	}
	return longVarint(b, i, v)
}

// longVarint writes up to eight bytes at once, the last of them right before i. What is
// below the number is garbage where nothing is written yet.
func longVarint(b []byte, i int, v uint64) int {
	if v < 1<<14 {
		i -= 2
		b[i+1] = byte(v >> 7)
		b[i] = byte(v) | 0x80
		return i
	}
	n := int((9*uint32(bits.Len64(v)) + 64) / 64)
	if n > 8 {
		return longestVarint(b, i-n, v)
	}
	x := v&(1<<28-1) | v&(1<<56-1<<28)<<4
	x = x&0x00003fff00003fff | x&0x0fffc0000fffc000<<2
	x = x&0x007f007f007f007f | x&0x3f803f803f803f80<<1
	x |= 0x8080808080808080 & (1<<(8*(n-1)) - 1)
	binary.LittleEndian.PutUint64(b[i-8:], x<<(64-8*n))
	return i - n
}

func longestVarint(b []byte, at int, v uint64) int {
	k := at
	for ; v >= 0x80; k++ {
		b[k] = byte(v) | 0x80
		v >>= 7
	}
	b[k] = byte(v)
	return at
}

// raw writes bytes as they are.
func (e *encoder) raw(u, b []byte, i int) ([]byte, int) {
	if i < len(u)+room {
		b, i = e.grow(b, i, len(u)+room)
	}
	i -= len(u)
	copy(b[i:], u)
	return b, i
}

// fail remembers the first error.
func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func notUTF8(f *field) error {
	return fmt.Errorf("%w: field %s contains invalid UTF-8", proto.Error, f.name)
}
