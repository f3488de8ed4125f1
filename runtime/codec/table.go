// Package codec runs the tables that the generator emits: one hand-written encoder and
// decoder for JSON, and a codec for parameters, headers and forms, all driven by the
// same static description of a Go type. Validation is fused with decoding. Nothing here
// uses reflection, and a table needs no initialisation.
//
// A wrong table corrupts memory where wrong code would not compile; every generated
// package therefore carries a test that holds its tables against its types (Check).
//
// It imports only the standard library.
package codec

import (
	"sync/atomic"
	"unsafe"
)

// Kind says what the memory of a value looks like and how it is written.
type Kind uint8

// The kinds, each with the Go type that it describes. A named type has the kind of its
// underlying type.
const (
	String  Kind = iota
	Bool         // bool
	Int32        // int32
	Int64        // int64
	Uint32       // uint32
	Uint64       // uint64
	Float32      // float32
	Float64      // float64
	Number       // json.Number: any JSON number, digits kept
	Time         // time.Time, RFC 3339
	Date         // DateValue, RFC 3339 full-date
	UUID         // UUIDValue or another [16]byte, RFC 9562 text
	Bytes        // []byte, base64 (RFC 4648 section 4)
	Raw          // json.RawMessage: any JSON text
	Enum         // ~string, one of T.Enum
	EnumInt      // ~int64, one of T.EnumInt
	Const        // no storage: T.Const is written, and expected when read
	Custom       // T.Go's type, which the program brings: by its JSON or text methods
	Object       // struct
	Tuple        // struct whose Fields are the positions of a list; Extra is the Slice of what follows
	Slice        // []T
	Map          // map[string]T
	Union        // interface, one of T.Union
	Reader       // io.Reader or io.ReadCloser: a body that is streamed, never inside JSON
	Lazy         // T.Lazy knows: the recursive edge of a type
)

// Flag says how a field deals with being absent or null.
type Flag uint8

// The flags. Slices, maps, unions and Raw are absent when nil and need neither Ptr nor
// Maybe.
const (
	Req       Flag = 1 << iota // must be present
	Null                       // null is legal
	Maybe                      // Go type is Opt[T]: absent, null and a value are three things
	Ptr                        // Go type is *T: nil is absent, or null where Req is set, too
	ReadOnly                   // left out of requests, ignored in them
	WriteOnly                  // left out of responses
)

// A Field is one line of a table.
type Field struct {
	Key  string // `,"name":`, so that it is written by one append
	T    *Type  // nil for the kinds that say everything: String to Raw
	R    *Rule  // nil: nothing to check
	Off  uintptr
	Kind Kind
	Flag Flag
}

// A Type describes one Go type.
type Type struct {
	Kind     Kind
	Size     uintptr
	Go       any     // (*T)(nil) of the Go type T, for what the codec must allocate: elements, pointers, details
	Fields   []Field // Object: in the order in which they are written
	Required int     // Object: how many of Fields have Req
	Extra    *Type   // Object: the Map of the properties that Fields does not name
	ExtraOff uintptr // where that map lies
	More     []More  // Object: maps of the properties whose names have a form; asked before Extra
	Names    *Rule   // Map: the form of the names that it takes; others are unknown properties
	Closed   bool    // Object: other properties are refused
	Rules    *Rule   // of the type itself, beside those of the field that uses it
	Enum     []string
	EnumInt  []int64
	Open     bool   // Enum, EnumInt: other values are accepted; Custom: null is left to the type
	Const    string // JSON text
	Elem     *Type  // Slice, Map
	ElemFlag Flag   // Slice, Map: Null with Ptr where elements are *T; Null alone where a nil element says it
	Map      MapType
	Union    *UnionType
	Lazy     Tabled
	Defaults []Default // Object: of Fields that may be absent, read in the mode Defaults

	// Made when first needed: *index of many Fields, by name; *listType of a Slice. They
	// are no atomic.Pointer, since the compiler would make its methods again in every
	// package that has a table.
	index, list atomic.Value
}

// A Default is what a field holds that was absent: Fields[Field] reads JSON.
type Default struct {
	Field int
	JSON  string
}

// More is a map of an object's properties, by the Names of its table T, at Off.
type More struct {
	T   *Type
	Off uintptr
}

// Tabled is implemented by every generated type that has a table. The method must work
// on a nil pointer: that is how a table refers to itself without an initialisation
// cycle (Lazy: (*Node)(nil)).
type Tabled interface{ ConcordatTable() *Type }

// A UnionType says how to tell variants apart and where their values are kept.
type UnionType struct {
	Tag      string // the discriminator's property name; "": the first variant that fits
	Variants []Variant
	// Get returns which variant the interface at p holds and its address; -1 for none.
	Get func(p unsafe.Pointer) (int, unsafe.Pointer)
}

// A Variant is one alternative.
type Variant struct {
	Tags []string // values of the discriminator that select it
	T    *Type
	// Set stores a new value of the variant in the interface at p and returns its address.
	Set func(p unsafe.Pointer) unsafe.Pointer
}

// Has says which members of a Rule are in force.
type Has uint16

// The rules.
const (
	MinLen Has = 1 << iota
	MaxLen
	Min  // integers
	Max  // integers
	FMin // floating point
	FMax
	FMinExcl // FMin itself is refused
	FMaxExcl
	Multiple  // integers
	FMultiple // floating point
	Pattern
	Unique
	ConstOf // the value must equal Const, as JSON text
	Format  // the text must satisfy Name: "email", "uri", "hostname", "ipv4", "ipv6", "date", "time", "duration"
	Also    // the value as JSON text must satisfy Rule.Also
)

// A Rule is what decoding checks of a value besides its type.
type Rule struct {
	Has            Has
	MinLen, MaxLen int // code points of a string, bytes of Bytes, items of a slice, entries of a map
	Min, Max       int64
	FMin, FMax     float64
	Multiple       int64
	FMultiple      float64
	Pattern        string // RE2
	Const          string
	Name           string    // of Format
	Also           Assertion // beyond all of these

	re atomic.Value // *regexp.Regexp of Pattern, compiled when first needed
}

// MapType reaches into maps with string keys. *MapOf[T] implements it.
type MapType interface {
	// Make stores an empty map.
	Make(m unsafe.Pointer)
	// Put stores a copy of the value at v; false says that key was there already.
	Put(m unsafe.Pointer, key string, v unsafe.Pointer) bool
	// Each calls f with every entry, ordered by key, until it returns false.
	Each(m unsafe.Pointer, f func(key string, v unsafe.Pointer) bool)
	// Len returns the number of entries; Nil whether the map is nil.
	Len(m unsafe.Pointer) int
	Nil(m unsafe.Pointer) bool
}
