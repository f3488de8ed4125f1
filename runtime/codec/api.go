package codec

import "unsafe"

// Mode says for whom JSON is read or written. Its bits combine; zero is strict and takes
// neither side, so that ReadOnly and WriteOnly fields travel both ways.
type Mode uint8

// The modes.
const (
	Request  Mode = 1 << iota // of a client to a server: without ReadOnly fields
	Response                  // of a server to a client: without WriteOnly fields
	// Lenient is how clients read responses: rules, required and enum membership are not
	// checked, a null is an absent field, and a variant that is not known leaves the union
	// nil. Types always hold.
	Lenient
	// Owned says that data belongs to the codec from now on: strings point into it and keep
	// it alive. Without it strings are copied, small ones into shared chunks.
	Owned
	// Defaults is how servers read requests that are no patches: an absent property gets the
	// default that the contract gives it (Type.Defaults).
	Defaults
)

// MaxDepth is how deep arrays and objects may nest unless Options say less.
const MaxDepth = 128

// Options are how Decode reads.
type Options struct {
	Mode     Mode
	MaxDepth int // 0, or more than MaxDepth: MaxDepth
}

// Append appends the value at p as JSON. An error is an *Error: NaN, a required value
// that is nil, Raw that is not JSON, a year beyond 9999; b is then of no use.
func (t *Type) Append(b []byte, p unsafe.Pointer, m Mode) ([]byte, error) {
	return t.field(0).Append(b, p, m)
}

// Marshal returns the value at p as JSON: the body of a generated MarshalJSON.
func (t *Type) Marshal(p unsafe.Pointer) ([]byte, error) {
	return t.field(0).Marshal(p, 0)
}

// Unmarshal reads JSON into the value at p, strictly: the body of a generated UnmarshalJSON.
func (t *Type) Unmarshal(data []byte, p unsafe.Pointer) error {
	return t.Decode(data, p, Options{})
}

// Decode reads one JSON text into the value at p. An error is an *Error; the value is
// then filled in part.
func (t *Type) Decode(data []byte, p unsafe.Pointer, o Options) error {
	f := t.field(0)
	return f.Decode(data, p, o)
}

// field is a t that lies where the base points.
func (t *Type) field(fl Flag) *Field { return &Field{T: t, Kind: t.Kind, Flag: fl} }

// Value returns the address of what the field of the value at base holds; false: nothing
// is there (nil, absent or null).
func (f *Field) Value(base unsafe.Pointer) (unsafe.Pointer, bool) {
	p := unsafe.Add(base, f.Off)
	switch {
	case f.Flag&Maybe != 0:
		return p, *(*state)(unsafe.Add(p, sizeOf(f.Kind, f.T))) == isSet
	case f.Flag&Ptr != 0:
		p = *(*unsafe.Pointer)(p)
		return p, p != nil
	}
	return p, !isNil(f.Kind, f.T, p)
}

// New makes the field present and returns the address of its value: it allocates for
// Ptr and sets the state for Maybe.
func (f *Field) New(base unsafe.Pointer) unsafe.Pointer {
	p := unsafe.Add(base, f.Off)
	switch {
	case f.Flag&Maybe != 0:
		*(*state)(unsafe.Add(p, sizeOf(f.Kind, f.T))) = isSet
	case f.Flag&Ptr != 0:
		q := alloc(f.Kind, f.T)
		*(*unsafe.Pointer)(p) = q
		return q
	}
	return p
}

// Append appends what the field holds, null where it holds nothing.
func (f *Field) Append(b []byte, base unsafe.Pointer, m Mode) ([]byte, error) {
	p, ok := f.Value(base)
	if !ok && f.Flag&(Ptr|Maybe) != 0 {
		return append(b, "null"...), nil
	}
	return appendValue(b, f, p, m)
}

// Marshal is Append to a slice of exactly the size that is needed.
func (f *Field) Marshal(base unsafe.Pointer, m Mode) ([]byte, error) {
	return marshal(f, base, m)
}

// Decode reads one JSON text into the field and checks the field's rule, too. A null
// makes it absent where it has Null, Ptr or Maybe.
func (f *Field) Decode(data []byte, base unsafe.Pointer, o Options) error {
	return decode(f, data, base, o)
}
