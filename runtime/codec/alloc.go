package codec

import (
	"reflect"
	"time"
	"unsafe"
)

// Memory is always allocated as the Go type that it is for: the collector must know its
// shape. Package reflect can do that for every type by its descriptor, which costs some
// nanoseconds; a generic function of our own would be compiled once for each of the
// thousands of types that large contracts have.

// New returns a new value of the type that Go names: as a *T, and where it lies. It is
// nil where the table has no Go.
func (t *Type) New() (any, unsafe.Pointer) {
	if t.Go == nil {
		return nil, nil
	}
	p := newOf(t.Go)
	return typed(t.Go, p), p
}

// newOf allocates what zero is a nil pointer of.
func newOf(zero any) unsafe.Pointer {
	return reflect.New(reflect.TypeOf(zero).Elem()).UnsafePointer()
}

// typed returns p as a pointer of zero's type. An interface that holds a pointer is the
// type's descriptor and the pointer.
func typed(zero any, p unsafe.Pointer) any {
	(*iface)(unsafe.Pointer(&zero))[1] = p
	return zero
}

// alloc returns memory for one value.
func alloc(k Kind, t *Type) unsafe.Pointer {
	if t != nil && t.Go != nil {
		return newOf(t.Go)
	}
	k, t = resolve(k, t)
	if t != nil && t.Go != nil {
		return newOf(t.Go)
	}
	return allocKind(k)
}

// allocKind allocates by kind: the shape is the same for every type of that kind.
func allocKind(k Kind) unsafe.Pointer {
	if zero := zeroOf(k); zero != nil {
		return newOf(zero)
	}
	return nil
}

// zeroOf returns a nil pointer of what has the shape of a kind's values.
func zeroOf(k Kind) any {
	switch k {
	case String, Enum, Number:
		return (*string)(nil)
	case Bool:
		return (*bool)(nil)
	case Int32, Uint32, Float32:
		return (*uint32)(nil)
	case Int64, Uint64, Float64, EnumInt:
		return (*uint64)(nil)
	case Time:
		return (*time.Time)(nil)
	case Date:
		return (*DateValue)(nil)
	case UUID:
		return (*UUIDValue)(nil)
	case Bytes, Raw, Slice:
		return (*[]byte)(nil)
	case Map:
		return (*unsafe.Pointer)(nil)
	case Union:
		return (*iface)(nil)
	case Const:
		return (*struct{})(nil)
	}
	return nil
}

// elemZero returns a nil pointer of the type of a slice's or map's elements.
func (t *Type) elemZero() any {
	if t.ElemFlag&Ptr != 0 {
		return (*unsafe.Pointer)(nil)
	}
	if t.Elem.Go != nil {
		return t.Elem.Go
	}
	k, el := resolve(t.Elem.Kind, t.Elem)
	if el.Go != nil {
		return el.Go
	}
	return zeroOf(k)
}

func (t *Type) newElement() unsafe.Pointer { return newOf(t.elemZero()) }

// firstRoom is how many elements a list has room for when its first one is read.
const firstRoom = 4

// A listType holds nil pointers of a list's Go types.
type listType struct {
	list  any // (*[]T)(nil)
	first any // (*[firstRoom]T)(nil)
}

// listOf returns the Go types of the slice that t describes, found once.
func (t *Type) listOf() *listType {
	if l, ok := t.list.Load().(*listType); ok {
		return l
	}
	of := reflect.TypeOf(t.elemZero()).Elem()
	zero := func(t reflect.Type) any { return reflect.Zero(reflect.PointerTo(t)).Interface() }
	l := &listType{zero(reflect.SliceOf(of)), zero(reflect.ArrayOf(firstRoom, of))}
	t.list.Store(l)
	return l
}

// growTo gives the slice at p, of which n elements are in use, room for c or some more,
// and returns where the elements lie.
func (t *Type) growTo(p unsafe.Pointer, n, c int) unsafe.Pointer {
	h := (*sliceHeader)(p)
	if n == 0 && c <= firstRoom {
		*h = sliceHeader{newOf(t.listOf().first), 0, firstRoom}
		return h.ptr
	}
	h.len = n
	reflect.ValueOf(typed(t.listOf().list, p)).Elem().Grow(c - n)
	return h.ptr
}

// makeScalars returns zeroed memory for n numbers or booleans.
func makeScalars(k Kind, n int) unsafe.Pointer {
	switch kindSize[k] {
	case 1:
		return unsafe.Pointer(unsafe.SliceData(make([]bool, n)))
	case 4:
		return unsafe.Pointer(unsafe.SliceData(make([]uint32, n)))
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, n)))
}
