package protobuf

import (
	"reflect"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// mapField makes the line of a map. Maps are read and written as those of another type
// whose keys and values lie in memory, hash and are scanned the same; they are made as
// what they are.
func (b *builder) mapField(f field, fd protoreflect.FieldDescriptor, t reflect.Type) (field, bool) {
	if t.Kind() != reflect.Map {
		return f, false
	}
	f.shape, f.more = shapeMap, &detail{goMap: t, key: scalar(fd.MapKey()), value: scalar(fd.MapValue())}
	if !f.more.key.holds(t.Key()) || !f.more.value.holds(t.Elem()) {
		return f, false
	}
	var known, fits bool
	f.more.keys, known = classOf(f.more.key.kind)
	f.more.values, fits = classOf(f.more.value.kind)
	return f, known && fits && f.more.keys <= classString
}

// A class is the kinds of values that memory and maps make no difference between.
type class uint8

const (
	class8 class = iota
	class32
	class64
	classString // the last one of keys
	classBytes
	classPointer
)

func classOf(k kind) (class, bool) {
	switch k {
	case kindBool:
		return class8, true
	case kindInt32, kindUint32, kindSint32, kindFixed32:
		return class32, true
	case kind64, kindSint64, kindFixed64:
		return class64, true
	case kindString:
		return classString, true
	case kindBytes:
		return classBytes, true
	case kindMessage:
		return classPointer, true
	}
	return 0, false
}

// encodeMap writes the entries of a map. That it calls by name, and not by a function in
// the table, keeps the encoder and the entries off the heap.
func encodeMap(e *encoder, f *field, q unsafe.Pointer, b []byte, i int) ([]byte, int) {
	switch f.more.keys {
	case class8:
		return encodeKeyed[bool](e, f, q, b, i)
	case class32:
		return encodeKeyed[uint32](e, f, q, b, i)
	case class64:
		return encodeKeyed[uint64](e, f, q, b, i)
	}
	return encodeKeyed[string](e, f, q, b, i)
}

func encodeKeyed[K comparable](e *encoder, f *field, q unsafe.Pointer, b []byte, i int) ([]byte, int) {
	switch f.more.values {
	case class8:
		return encodeEntries[K, bool](e, f, q, b, i)
	case class32:
		return encodeEntries[K, uint32](e, f, q, b, i)
	case class64:
		return encodeEntries[K, uint64](e, f, q, b, i)
	case classString:
		return encodeEntries[K, string](e, f, q, b, i)
	case classBytes:
		return encodeEntries[K, []byte](e, f, q, b, i)
	}
	return encodeEntries[K, unsafe.Pointer](e, f, q, b, i)
}

func encodeEntries[K comparable, V any](e *encoder, f *field, q unsafe.Pointer, b []byte, i int) ([]byte, int) {
	for k, v := range *(*map[K]V)(q) {
		b, i = e.entry(f, unsafe.Pointer(&k), unsafe.Pointer(&v), b, i)
	}
	return b, i
}

// decodeMap reads one entry of a map, as encodeMap writes it.
func decodeMap(d *decoder, f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	switch f.more.keys {
	case class8:
		return decodeKeyed[bool](d, f, q, b, i, depth)
	case class32:
		return decodeKeyed[uint32](d, f, q, b, i, depth)
	case class64:
		return decodeKeyed[uint64](d, f, q, b, i, depth)
	}
	return decodeKeyed[string](d, f, q, b, i, depth)
}

func decodeKeyed[K comparable](d *decoder, f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	switch f.more.values {
	case class8:
		return decodeEntry[K, bool](d, f, q, b, i, depth)
	case class32:
		return decodeEntry[K, uint32](d, f, q, b, i, depth)
	case class64:
		return decodeEntry[K, uint64](d, f, q, b, i, depth)
	case classString:
		return decodeEntry[K, string](d, f, q, b, i, depth)
	case classBytes:
		return decodeEntry[K, []byte](d, f, q, b, i, depth)
	}
	return decodeEntry[K, unsafe.Pointer](d, f, q, b, i, depth)
}

// decodeEntry reads one entry: the last one of a key wins, and what an entry lacks is zero.
func decodeEntry[K comparable, V any](d *decoder, f *field, q unsafe.Pointer, b []byte, i, depth int) int {
	if depth < 1 {
		return d.fail(errTooDeep)
	}
	i, end := chunk(b, i)
	if i < 0 {
		return d.fail(errInvalid)
	}
	if *(*map[K]V)(q) == nil {
		made := reflect.MakeMapWithSize(f.more.goMap, run(f, b, end)+1)
		reflect.NewAt(f.more.goMap, q).Elem().Set(made)
	}
	var k K
	var v V
	if f.more.value.kind == kindMessage {
		child(f.more.value.sub, (*unsafe.Pointer)(unsafe.Pointer(&v)))
		d.partial = d.partial || f.more.value.sub.required()
	}
	if d.entry(f, unsafe.Pointer(&k), unsafe.Pointer(&v), b[:end], i, depth-1) < 0 {
		return bad
	}
	if f.more.value.kind == kindBytes && *(*unsafe.Pointer)(unsafe.Pointer(&v)) == nil {
		*(*[]byte)(unsafe.Pointer(&v)) = []byte{}
	}
	(*(*map[K]V)(q))[k] = v
	return end
}

// entry reads the key and the value of a map's entry. Anything else in it is dropped, as
// protobuf-go does.
func (d *decoder) entry(f *field, k, v unsafe.Pointer, b []byte, i, depth int) int {
	for i >= 0 && i < len(b) {
		num, w, n := protowire.ConsumeTag(b[i:])
		if n < 0 || num > protowire.MaxValidNumber {
			return d.fail(errInvalid)
		}
		i += n
		switch {
		case num == keyNumber && w == f.more.key.wire:
			i = d.value(&f.more.key, k, b, i, depth)
		case num == valueNumber && w == f.more.value.wire:
			i = d.value(&f.more.value, v, b, i, depth)
		default:
			if n = protowire.ConsumeFieldValue(num, w, b[i:]); n < 0 {
				return d.fail(errInvalid)
			}
			i += n
		}
	}
	return i
}

// required says whether a message has required fields of its own, which an entry that
// lacks it leaves unset.
func (t *table) required() bool {
	if !t.ready.Load() {
		t.fill()
	}
	return t.generic || t.require > 0
}
