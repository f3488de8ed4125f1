package protobuf

import (
	"reflect"
	"unsafe"
)

const (
	chunkBytes = 512 // of small things that lie together
	aloneBytes = 128 // from which on something lies alone
)

// An arena holds what is small and has no pointers: strings, numbers, bytes. Much of what
// a message costs to read is allocating these one by one.
type arena struct {
	spare []byte  // as far from being aligned as it is from being a multiple of 8 long
	end   uintptr // address behind the input: strings are not larger than what is left of it
}

// endOf is the address behind b. It is only computed with.
func endOf(b []byte) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(b))) + uintptr(len(b))
}

// room allocates n bytes for what is read from v on.
func (a *arena) room(v []byte, n int) []byte {
	if n > len(a.spare) {
		if n >= aloneBytes {
			return make([]byte, n)
		}
		left := max(int(a.end-uintptr(unsafe.Pointer(unsafe.SliceData(v)))), n)
		words := make([]uint64, (min(left, chunkBytes)+7)/8)
		a.spare = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
	}
	s := a.spare[:n:n]
	a.spare = a.spare[n:]
	return s
}

// numbers allocates n bytes that are aligned.
func (a *arena) numbers(v []byte, n int) unsafe.Pointer {
	if n >= aloneBytes {
		return unsafe.Pointer(unsafe.SliceData(make([]uint64, (n+7)/8)))
	}
	a.spare = a.spare[len(a.spare)&7:]
	return unsafe.Pointer(unsafe.SliceData(a.room(v, n)))
}

// bytes copies v, which is not empty.
func (a *arena) bytes(v []byte) []byte {
	s := a.room(v, len(v))
	copy(s, v)
	return s
}

// box allocates a value of kind k, which is read from v.
func (a *arena) box(k kind, v []byte) unsafe.Pointer {
	if k == kindString {
		return unsafe.Pointer(new(string))
	}
	return a.numbers(v, int(sizes[k]))
}

// child is the message that q points to, made where there is none.
func child(t *table, q *unsafe.Pointer) unsafe.Pointer {
	if *q == nil {
		*q = reflect.New(t.goType).UnsafePointer()
	}
	return *q
}

// some allocates up to n messages side by side, and says how many.
func (t *table) some(n int) (unsafe.Pointer, int) {
	for i := len(t.batch) - 1; i >= 0; i-- {
		if size := 2 << i; size <= n && t.batch[i] != nil {
			return reflect.New(t.batch[i]).UnsafePointer(), size
		}
	}
	return reflect.New(t.goType).UnsafePointer(), 1
}
