package protobuf

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"unsafe"
)

// field reads a value of a field whose place is not the value itself.
func (d *decoder) field(f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	switch f.shape {
	case shapePresent:
		return d.value(f, q, b, i, depth)
	case shapePointer:
		box := d.box(f.kind, b[i:])
		i = d.value(f, box, b, i, depth)
		*(*unsafe.Pointer)(q) = box
		return i
	case shapeOneof:
		return d.oneof(f, (*iface)(q), b, i, depth)
	case shapeMap:
		return decodeMap(d, f, q, b, i, depth)
	}
	return d.list(f, q, b, i, depth)
}

// oneof reads a member. A message is merged into the one that is there.
func (d *decoder) oneof(f *field, q *iface, b []byte, i, depth int) int {
	w := q.data
	if q.itab != f.more.itab || w == nil {
		w = reflect.New(f.more.wrapper).UnsafePointer()
	}
	i = d.value(f, w, b, i, depth)
	q.data, q.itab = w, f.more.itab
	return i
}

// run counts the elements that follow, each with its tag, at i.
func run(f *field, b []byte, i int) int {
	tag := f.tag[:f.tagLen]
	for n := 0; ; n++ {
		if !bytes.HasPrefix(b[i:], tag) {
			return n
		}
		begin, end := chunk(b, i+len(tag))
		if begin < 0 {
			return n
		}
		i = end
	}
}

// list reads an element, and those that follow.
func (d *decoder) list(f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	switch f.kind {
	case kindString:
		return appendRun[string](d, f, q, b, i, depth)
	case kindBytes:
		return appendRun[[]byte](d, f, q, b, i, depth)
	case kindMessage:
		return d.messages(f, (*[]unsafe.Pointer)(q), b, i, depth)
	case kindGroup:
		return appendOne[unsafe.Pointer](d, f, q, b, i, depth)
	case kindBool:
		return appendOne[bool](d, f, q, b, i, depth)
	case kind64, kindSint64, kindFixed64:
		return appendOne[uint64](d, f, q, b, i, depth)
	}
	return appendOne[uint32](d, f, q, b, i, depth)
}

// appendOne reads an element.
func appendOne[T any](d *decoder, f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	list := (*[]T)(q)
	var zero T
	*list = append(*list, zero)
	return d.value(f, unsafe.Pointer(&(*list)[len(*list)-1]), b, i, depth)
}

// appendRun reads an element, for which there is to be room together with those behind.
func appendRun[T any](d *decoder, f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	if list := (*[]T)(q); len(*list) == cap(*list) {
		if begin, end := chunk(b, i); begin >= 0 {
			*list = slices.Grow(*list, 1+run(f, b, end))
		}
	}
	return appendOne[T](d, f, q, b, i, depth)
}

// messages reads a run of messages, allocating several at a time.
func (d *decoder) messages(f *field, list *[]unsafe.Pointer, b []byte, i, depth int) int {
	i, end := chunk(b, i)
	if i < 0 {
		return d.fail(errInvalid)
	}
	if !f.sub.ready.Load() {
		f.sub.fill()
	}
	n := 1 + run(f, b, end)
	*list = slices.Grow(*list, n)
	var batch unsafe.Pointer
	size, spare := f.sub.goType.Size(), 0
	for {
		if spare == 0 {
			batch, spare = f.sub.some(n)
		}
		*list = append(*list, batch)
		if d.message(f.sub, batch, b[:end], i, 0, depth) < 0 {
			return bad
		}
		if n--; n == 0 {
			return end
		}
		if spare--; spare > 0 {
			batch = unsafe.Add(batch, size)
		}
		if i, end = chunk(b, end+int(f.tagLen)); i < 0 {
			return d.fail(errInvalid)
		}
	}
}

// packed reads numbers that are written one behind the other.
func (d *decoder) packed(f *field, q unsafe.Pointer, b []byte, i int) int {
	i, end := chunk(b, i)
	if i < 0 {
		return d.fail(errInvalid)
	}
	ok := false
	switch v := b[i:end]; f.kind {
	case kindBool:
		ok = varints[bool](d, f, q, v)
	case kindFixed32:
		ok = fixed(d, f, v, (*[]uint32)(q), binary.LittleEndian.Uint32)
	case kindFixed64:
		ok = fixed(d, f, v, (*[]uint64)(q), binary.LittleEndian.Uint64)
	case kind64, kindSint64:
		ok = varints[uint64](d, f, q, v)
	default:
		ok = varints[uint32](d, f, q, v)
	}
	if !ok {
		return d.fail(errInvalid)
	}
	return end
}

// growNumbers makes room for n more numbers that are read from v.
func growNumbers[T any](d *decoder, f *field, list []T, v []byte, n int) []T {
	if list == nil && n > 0 && n*int(sizes[f.kind]) < aloneBytes {
		return unsafe.Slice((*T)(d.numbers(v, n*int(sizes[f.kind]))), n)[:0]
	}
	return slices.Grow(list, n)
}

// varints appends the numbers in v.
func varints[T any](d *decoder, f *field, q unsafe.Pointer, v []byte) bool {
	n := 0
	for _, c := range v {
		if c < 0x80 {
			n++
		}
	}
	list := growNumbers(d, f, *(*[]T)(q), v, n)
	size, k := sizes[f.kind], len(list)
	list = list[:k+n]
	for i := 0; i < len(v); k++ {
		x := uint64(v[i])
		i++
		if x >= 0x80 {
			if x, i = uvarint(v, i-1); i < 0 {
				return false
			}
		}
		store(f.kind, unsafe.Add(unsafe.Pointer(unsafe.SliceData(list)), uintptr(k)*size), x)
	}
	*(*[]T)(q) = list
	return true
}

// fixed appends the numbers in v.
func fixed[T any](d *decoder, f *field, v []byte, to *[]T, read func([]byte) T) bool {
	size := int(sizes[f.kind])
	if len(v)%size != 0 {
		return false
	}
	list := growNumbers(d, f, *to, v, len(v)/size)
	for ; len(v) > 0; v = v[size:] {
		list = append(list, read(v))
	}
	*to = list
	return true
}
