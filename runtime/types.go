package runtime

import "github.com/concordat-dev/concordat/runtime/codec"

// Opt is a value that may be absent, null, or there: the type of fields where a
// contract tells the three apart.
type Opt[T any] = codec.Opt[T]

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return codec.Some(v) }

// NullOf returns an Opt that is null.
func NullOf[T any]() Opt[T] { return codec.NullOf[T]() }

// Date is a day of the calendar (RFC 3339 full-date).
type Date = codec.DateValue

// UUID is a universally unique identifier (RFC 9562).
type UUID = codec.UUIDValue
