package protobuf

import (
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// list writes the elements of a list, the last one first.
func (e *encoder) list(f *field, q unsafe.Pointer, b []byte, i int) ([]byte, int) {
	s := *(*[]byte)(q) // the length of any list
	if len(s) == 0 {
		return b, i
	}
	size := sizes[f.kind]
	for k := len(s) - 1; k >= 0; k-- {
		b, i = e.value(f, unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), uintptr(k)*size), b, i)
		b, i = f.label(b, i)
	}
	return b, i
}

// sizes are those of an element in memory.
var sizes = [...]uintptr{
	kindInt32: 4, kindUint32: 4, kindSint32: 4, kindFixed32: 4,
	kind64: 8, kindSint64: 8, kindFixed64: 8, kindBool: 1,
	kindString: unsafe.Sizeof(""), kindBytes: unsafe.Sizeof([]byte(nil)),
	kindMessage: unsafe.Sizeof(uintptr(0)), kindGroup: unsafe.Sizeof(uintptr(0)),
}

// packed writes numbers one behind the other, and their length.
func (e *encoder) packed(f *field, q unsafe.Pointer, b []byte, i int) ([]byte, int) {
	end := len(b) - i
	s := *(*[]byte)(q)
	size := sizes[f.kind]
	first := unsafe.Pointer(unsafe.SliceData(s))

	for k := len(s); k > 0; {
		step := min(k, 64)
		if i < 10*step+room {
			b, i = e.grow(b, i, 10*step+room)
		}
		k -= step
		switch f.kind {
		case kindInt32:
			for j := k + step - 1; j >= k; j-- {
				i = varint(b, i, uint64(int64(*(*int32)(unsafe.Add(first, 4*j)))))
			}
		case kind64:
			for j := k + step - 1; j >= k; j-- {
				i = varint(b, i, *(*uint64)(unsafe.Add(first, 8*j)))
			}
		default:
			for j := k + step - 1; j >= k; j-- {
				i = number(f.kind, unsafe.Add(first, uintptr(j)*size), b, i)
			}
		}
	}
	return b, varint(b, i, uint64(len(b)-i-end))
}

// entry writes one entry of a map.
func (e *encoder) entry(f *field, k, v unsafe.Pointer, b []byte, i int) ([]byte, int) {
	end := len(b) - i
	b, i = e.value(&f.more.value, v, b, i)
	b, i = f.more.value.label(b, i)
	b, i = e.value(&f.more.key, k, b, i)
	b, i = f.more.key.label(b, i)
	if i < room {
		b, i = e.grow(b, i, room)
	}
	return f.label(b, varint(b, i, uint64(len(b)-i-end)))
}

const (
	keyNumber   protowire.Number = 1
	valueNumber protowire.Number = 2
)
