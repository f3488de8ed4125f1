package protobuf

import (
	"reflect"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A kind is how a value stands in memory and on the wire.
type kind uint8

const (
	kindInt32 kind = iota // and enums: negative numbers take ten bytes
	kindUint32
	kindSint32
	kind64 // int64, uint64
	kindSint64
	kindBool
	kindFixed32 // and sfixed32, float
	kindFixed64
	kindString
	kindBytes
	kindMessage // memory holds a pointer
	kindGroup
)

// A shape is how a field holds its values.
type shape uint8

const (
	shapePlain   shape = iota // the value; zero is absent
	shapePresent              // message or bytes; nil is absent
	shapePointer              // to the value; nil is absent
	shapeList
	shapePacked // a list that is written packed
	shapeOneof  // an interface with a pointer to a struct whose only field is the value
	shapeMap
)

// An op is a shape and a kind in one: what to do with a field when writing.
type op uint8

const (
	opWord    op = iota // unset where the first word is zero
	opList              // unset where the length is zero
	opOther32           // a plain number; unset where it is zero
	opOther64
	opInt32 // from here on, what is frequent
	op64
	opBool
	opString // or bytes, without presence
	opMessage
	opMessages
	opPacked
)

// A probe is where to look and what for. Probes lie together, since most fields of most
// messages are not set.
type probe struct {
	off    uintptr
	sub    *table // of messages
	op     op
	utf8   bool
	tagLen uint8
	tag    [2]byte // where it is no longer
}

// A field is a line of a table.
type field struct {
	off    uintptr // in the struct
	op     op
	shape  shape
	kind   kind
	wire   protowire.Type // of one value
	expect protowire.Type // of what protobuf-go would write
	tagLen uint8
	tag    [5]byte // as written
	utf8   bool    // is asked for
	need   uint64  // bit of a required field; 0: not required
	want   bool    // required
	sub    *table  // of messages and groups
	more   *detail
	num    protowire.Number
	name   protoreflect.FullName
}

// A detail is what only some shapes need.
type detail struct {
	members []field      // of a oneof, when marshalling; off is that of the value in the wrapper
	itab    uintptr      // first word of the oneof's interface with this member
	wrapper reflect.Type // struct of a oneof's member
	key     field        // of a map
	value   field
	goMap   reflect.Type
	keys    class
	values  class
}

// A table says how a message lies in memory and on the wire. It is filled when first
// needed.
type table struct {
	ready  atomic.Bool
	mu     sync.Mutex
	goType reflect.Type // struct
	batch  [3]reflect.Type

	fields  []field // in the order of writing
	probes  []probe // one for each of fields
	dense   []*field
	sparse  map[protowire.Number]*field
	unknown uintptr // of unknownFields
	ext     uintptr // of extensionFields
	hasExt  bool
	require int           // how many fields are
	generic bool          // left to protobuf-go
	hint    atomic.Uint32 // bytes to begin with when marshalling
	name    protoreflect.FullName
}

// tables are the tables by struct type. Like encoding/json's, this memo is of what never
// changes, and so no state that anybody could notice.
var tables sync.Map // reflect.Type to *table

// tableOf is the table of a struct, filled or not.
func tableOf(t reflect.Type) *table {
	if have, ok := tables.Load(t); ok {
		return have.(*table)
	}
	have, _ := tables.LoadOrStore(t, &table{goType: t})
	return have.(*table)
}

// fill makes sure that t is filled.
func (t *table) fill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready.Load() {
		build(t)
		t.ready.Store(true)
	}
}
