package codec_test

import (
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

type Tree interface{ isTree() }
type Left struct{ Kid Tree }

func (*Left) isTree()               {}
func (*Left) ConcordatTable() *Type { return &leftTable }

var (
	leftTable = Type{Kind: Object, Size: unsafe.Sizeof(Left{}), Go: (*Left)(nil), Closed: true, Fields: []Field{
		{Key: `,"kid":`, Kind: Union, T: &Type{Kind: Union, Union: &UnionType{Get: noTree, Variants: []Variant{
			{T: &Type{Kind: Lazy, Lazy: (*Left)(nil)}, Set: setLeft}, {T: &Type{Kind: Lazy, Lazy: (*Left)(nil)}, Set: setLeft}}}}, Off: unsafe.Offsetof(Left{}.Kid)}}}
)

func noTree(unsafe.Pointer) (int, unsafe.Pointer) { return -1, nil }
func setLeft(p unsafe.Pointer) unsafe.Pointer {
	v := new(Left)
	*(*Tree)(p) = v
	return unsafe.Pointer(v)
}

// TestBacktracking: two variants at each of 100 levels would be tried 2^100 times.
func TestBacktracking(t *testing.T) {
	in := strings.Repeat(`{"kid":`, 100) + `{"bad":1}` + strings.Repeat(`}`, 100)
	var l Left
	if err := leftTable.Unmarshal([]byte(in), unsafe.Pointer(&l)); firstViolation(t, err).Code != CodeLimit {
		t.Error(err)
	}
}
