package protobuf

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// A decoder reads one message. Its methods are handed bytes b and where in them to begin,
// i, and return where what they read ends: bad, where it cannot be read.
type decoder struct {
	arena
	partial bool // something required may be missing
	err     error
}

const bad = -1

// fail remembers why.
func (d *decoder) fail(err error) int {
	if d.err == nil {
		d.err = err
	}
	return bad
}

// message reads b into the message at p: all of it, or to the end of the group.
func (d *decoder) message(t *table, p unsafe.Pointer, b []byte, i int, group protowire.Number, depth int) int {
	if !t.ready.Load() {
		t.fill()
	}
	if depth--; depth < 0 {
		return d.fail(errTooDeep)
	}
	if t.generic {
		return d.generic(t, p, b, i, group, depth)
	}
	var seen uint64
	var ext []byte
	for i < len(b) {
		tag := uint64(b[i])
		i++
		if tag >= 0x80 {
			if tag, i = uvarint(b, i-1); i < 0 {
				return d.fail(errInvalid)
			}
		}
		var f *field
		if num := tag >> 3; num < uint64(len(t.dense)) {
			f = t.dense[num]
		} else if num <= uint64(protowire.MaxValidNumber) {
			f = t.sparse[protowire.Number(num)]
		}
		if f == nil || f.expect != protowire.Type(tag&7) {
			if protowire.Type(tag&7) == protowire.EndGroupType && tag>>3 == uint64(group) && group != 0 {
				group = 0
				break
			}
			if i = d.rare(t, f, p, b, i, depth, tag, &ext); i < 0 {
				return bad
			}
			continue
		}
		seen |= f.need
		q := unsafe.Add(p, f.off)
		switch f.op {
		case opInt32, op64, opBool, opOther32, opOther64:
			if f.expect == protowire.VarintType && i < len(b) && b[i] < 0x80 {
				store(f.kind, q, uint64(b[i]))
				i++
			} else {
				i = d.value(f, q, b, i, depth)
			}
		case opString:
			begin, end := chunk(b, i)
			if begin < 0 {
				return d.fail(errInvalid)
			}
			if f.kind == kindString {
				i = d.text(f, (*string)(q), b, begin, end)
			} else {
				i = d.value(f, q, b, i, depth)
			}
		case opPacked:
			i = d.packed(f, q, b, i)
		case opMessages:
			i = d.messages(f, (*[]unsafe.Pointer)(q), b, i, depth)
		case opMessage:
			i = d.value(f, q, b, i, depth)
		default:
			i = d.field(f, q, b, i, depth)
		}
		if i < 0 {
			return bad
		}
	}
	if group != 0 {
		return d.fail(errInvalid)
	}
	if t.require > 0 && (t.require > 64 || bits.OnesCount64(seen) != t.require) {
		d.partial = true
	}
	if len(ext) > 0 && d.merge(t, p, ext, depth+1) < 0 {
		return bad
	}
	return i
}

// rare reads what is not as t has it: numbers that it does not know, another wire type,
// packed numbers.
func (d *decoder) rare(t *table, f *field, p unsafe.Pointer, b []byte, i, depth int, tag uint64, ext *[]byte) int {
	if tag>>3 < 1 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return d.fail(errInvalid)
	}
	num, wire := protowire.Number(tag>>3), protowire.Type(tag&7)
	if f != nil && wire == protowire.BytesType && (f.shape == shapeList || f.shape == shapePacked) && f.kind < kindString {
		return d.packed(f, unsafe.Add(p, f.off), b, i)
	}
	if f != nil && wire == f.wire {
		return d.list(f, unsafe.Add(p, f.off), b, i, depth)
	}
	n := protowire.ConsumeFieldValue(num, wire, b[i:])
	if n < 0 {
		return d.fail(errInvalid)
	}
	to := (*[]byte)(unsafe.Add(p, t.unknown))
	if f == nil && t.hasExt && t.extends(num) {
		to = ext
	}
	*to = append(protowire.AppendTag(*to, num, wire), b[i:i+n]...)
	return i + n
}

// value reads a value to q, where zero memory or an earlier value lies.
func (d *decoder) value(f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	switch f.wire {
	case protowire.VarintType:
		var v uint64
		if v, i = uvarint(b, i); i < 0 {
			return d.fail(errInvalid)
		}
		store(f.kind, q, v)
		return i
	case protowire.Fixed32Type:
		if len(b)-i < 4 {
			return d.fail(errInvalid)
		}
		*(*uint32)(q) = binary.LittleEndian.Uint32(b[i:])
		return i + 4
	case protowire.Fixed64Type:
		if len(b)-i < 8 {
			return d.fail(errInvalid)
		}
		*(*uint64)(q) = binary.LittleEndian.Uint64(b[i:])
		return i + 8
	case protowire.StartGroupType:
		return d.message(f.sub, child(f.sub, (*unsafe.Pointer)(q)), b, i, f.num, depth)
	}
	i, end := chunk(b, i)
	if i < 0 {
		return d.fail(errInvalid)
	}
	switch f.kind {
	case kindString:
		return d.text(f, (*string)(q), b, i, end)
	case kindBytes:
		switch v := b[i:end]; {
		case len(v) > 0:
			*(*[]byte)(q) = d.bytes(v)
		case f.shape == shapePlain:
			*(*[]byte)(q) = nil
		default:
			*(*[]byte)(q) = []byte{}
		}
		return end
	}
	return d.message(f.sub, child(f.sub, (*unsafe.Pointer)(q)), b[:end], i, 0, depth)
}

// text reads a string that is copied and looked at in one go.
func (d *decoder) text(f *field, q *string, b []byte, i, end int) int {
	v := b[i:end]
	if len(v) == 0 {
		*q = ""
		return end
	}
	s := d.room(v, len(v))
	if ascii := transfer(s, v); f.utf8 && !ascii && !utf8.Valid(v) {
		return d.fail(notUTF8(f))
	}
	*q = unsafe.String(unsafe.SliceData(s), len(s))
	return end
}

// store puts a number where its kind wants it.
func store(k kind, q unsafe.Pointer, v uint64) {
	switch k {
	case kindInt32, kindUint32:
		*(*uint32)(q) = uint32(v)
	case kindSint32:
		*(*int32)(q) = int32(protowire.DecodeZigZag(v & (1<<32 - 1)))
	case kind64:
		*(*uint64)(q) = v
	case kindSint64:
		*(*int64)(q) = protowire.DecodeZigZag(v)
	case kindBool:
		*(*bool)(q) = v != 0
	}
}

// uvarint reads a number.
func uvarint(b []byte, i int) (uint64, int) {
	if i+1 < len(b) && b[i+1] < 0x80 && b[i] >= 0x80 {
		return uint64(b[i]&0x7f) | uint64(b[i+1])<<7, i + 2
	}
	var v uint64
	for shift := 0; shift < 63; shift += 7 {
		if i >= len(b) {
			return 0, bad
		}
		c := b[i]
		i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, i
		}
	}
	if i >= len(b) || b[i] > 1 {
		return 0, bad
	}
	return v | uint64(b[i])<<63, i + 1
}

// chunk reads a length: what it is of lies from begin to end.
func chunk(b []byte, i int) (begin, end int) {
	if i < len(b) && b[i] < 0x80 {
		if end = i + 1 + int(b[i]); end > len(b) {
			return bad, bad
		}
		return i + 1, end
	}
	size, i := uvarint(b, i)
	if i < 0 || size > uint64(len(b)-i) {
		return bad, bad
	}
	return i, i + int(size)
}
