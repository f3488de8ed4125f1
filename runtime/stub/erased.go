package stub

import (
	"reflect"
	"unsafe"
)

// The generic functions that generated code calls hand on at once to functions without
// type parameters: what is generic is compiled once per operation, in the package that
// uses it, together with all generic code that it reaches. Types travel as nil pointers.

type pointer = unsafe.Pointer

// fresh returns a new value of the type that zero is a nil pointer of, and its address.
func fresh(zero any) (any, pointer) {
	v := reflect.New(reflect.TypeOf(zero).Elem())
	return v.Interface(), v.UnsafePointer()
}

// address returns where the value lies that the pointer in v points to.
func address(v any) pointer { return reflect.ValueOf(v).UnsafePointer() }

// same says whether v is a pointer of zero's type.
func same(v, zero any) bool { return reflect.TypeOf(v) == reflect.TypeOf(zero) }

// typed returns p as a pointer of zero's type. An interface that holds a pointer is the
// type's descriptor and the pointer.
func typed(zero any, p pointer) any {
	(*[2]pointer)(pointer(&zero))[1] = p
	return zero
}
