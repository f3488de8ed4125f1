package codec

import (
	"encoding/json"
	"slices"
	"time"
	"unsafe"
)

// MapOf reaches into maps from string to T.
type MapOf[T any] struct{}

// Of returns a nil *T: Check asks what the values are.
func (*MapOf[T]) Of() any { return (*T)(nil) }

// Make implements MapType.
func (*MapOf[T]) Make(m unsafe.Pointer) { *(*map[string]T)(m) = map[string]T{} }

// Put implements MapType.
func (*MapOf[T]) Put(m unsafe.Pointer, key string, v unsafe.Pointer) bool {
	mm := (*map[string]T)(m)
	if *mm == nil {
		*mm = map[string]T{}
	}
	n := len(*mm)
	(*mm)[key] = *(*T)(v)
	return len(*mm) > n
}

// Each implements MapType.
func (*MapOf[T]) Each(m unsafe.Pointer, f func(key string, v unsafe.Pointer) bool) {
	mm := *(*map[string]T)(m)
	var few [16]string
	v := new(T)
	for _, k := range sortedKeys(few[:0], mm) {
		*v = mm[k]
		if !f(k, unsafe.Pointer(v)) {
			return
		}
	}
}

// sortedKeys appends the keys of m in order; few keys need no allocation.
func sortedKeys[T any](keys []string, m map[string]T) []string {
	for k := range m {
		keys = append(keys, k)
	}
	sortStrings(keys)
	return keys
}

// sortStrings is not inlined: generated packages would compile the sorting again.
//
//go:noinline
func sortStrings(all []string) { slices.Sort(all) }

// Len implements MapType.
func (*MapOf[T]) Len(m unsafe.Pointer) int { return len(*(*map[string]T)(m)) }

// Nil implements MapType.
func (*MapOf[T]) Nil(m unsafe.Pointer) bool { return *(*map[string]T)(m) == nil }

type sliceHeader struct {
	ptr      unsafe.Pointer
	len, cap int
}

// iface has the shape of an interface to the collector: two pointers.
type iface [2]unsafe.Pointer

// kindSize holds the size of a value by its kind, on the platform that compiles it;
// objects say their own.
var kindSize = [...]uintptr{
	String:  unsafe.Sizeof(""),
	Bool:    unsafe.Sizeof(false),
	Int32:   unsafe.Sizeof(int32(0)),
	Int64:   unsafe.Sizeof(int64(0)),
	Uint32:  unsafe.Sizeof(uint32(0)),
	Uint64:  unsafe.Sizeof(uint64(0)),
	Float32: unsafe.Sizeof(float32(0)),
	Float64: unsafe.Sizeof(float64(0)),
	Number:  unsafe.Sizeof(json.Number("")),
	Time:    unsafe.Sizeof(time.Time{}),
	Date:    unsafe.Sizeof(DateValue{}),
	UUID:    unsafe.Sizeof(UUIDValue{}),
	Bytes:   unsafe.Sizeof([]byte(nil)),
	Raw:     unsafe.Sizeof(json.RawMessage(nil)),
	Enum:    unsafe.Sizeof(""),
	EnumInt: unsafe.Sizeof(int64(0)),
	Const:   0,
	Custom:  0,
	Object:  0,
	Tuple:   0,
	Slice:   unsafe.Sizeof([]byte(nil)),
	Map:     unsafe.Sizeof(map[string]string(nil)),
	Union:   unsafe.Sizeof(any(nil)),
	Reader:  unsafe.Sizeof(any(nil)),
	Lazy:    0,
}

// resolve follows a recursive edge.
func resolve(k Kind, t *Type) (Kind, *Type) {
	for t != nil && t.Lazy != nil {
		t = t.Lazy.ConcordatTable()
		k = t.Kind
	}
	return k, t
}

// sizeOf returns the size of a value, flags left aside.
func sizeOf(k Kind, t *Type) uintptr {
	if k == Lazy || k == Object || k == Tuple || k == Custom {
		if _, t = resolve(k, t); t.Kind == Object || t.Kind == Tuple || t.Kind == Custom {
			return t.Size
		}
		k = t.Kind
	}
	return kindSize[k]
}
