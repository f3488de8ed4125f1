package codec

import (
	"bytes"
	"encoding/json"
)

// Opt is a value that may be absent, null, or there. The zero Opt is absent. Fields use
// it only where a contract tells null from absence; elsewhere a pointer will do.
type Opt[T any] struct {
	v     T // first, so that the state lies at the size of T
	state state
}

type state uint8

const (
	absent state = iota
	isNull
	isSet
)

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{v, isSet} }

// NullOf returns an Opt that is null.
func NullOf[T any]() Opt[T] { return Opt[T]{state: isNull} }

// Get returns the value; false says that there is none, because it is absent or null.
func (o Opt[T]) Get() (T, bool) { return o.v, o.state == isSet }

// Or returns the value, or def where there is none.
func (o Opt[T]) Or(def T) T {
	if o.state == isSet {
		return o.v
	}
	return def
}

// IsNull reports whether null is what was said.
func (o Opt[T]) IsNull() bool { return o.state == isNull }

// IsZero reports whether nothing was said; omitzero of encoding/json asks it.
func (o Opt[T]) IsZero() bool { return o.state == absent }

// MarshalJSON writes the value, or null where there is none.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != isSet {
		return []byte("null"), nil
	}
	return json.Marshal(o.v)
}

// UnmarshalJSON reads a value or null.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		*o = NullOf[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
