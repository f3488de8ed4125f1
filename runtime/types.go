package runtime

import (
	"time"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// Opt is a value that may be absent, null, or there: the type of fields where a
// contract tells the three apart.
type Opt[T any] = codec.Opt[T]

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return codec.Some(v) }

// NullOf returns an Opt that is null.
func NullOf[T any]() Opt[T] { return codec.NullOf[T]() }

// Date is a day of the calendar (RFC 3339 full-date).
type Date = codec.DateValue

// DateOf returns the day of t, in t's own time zone.
func DateOf(t time.Time) Date { return codec.DateOf(t) }

// ParseDate reads "2026-11-23".
func ParseDate(s string) (Date, error) { return codec.ParseDate(s) }

// UUID is a universally unique identifier (RFC 9562).
type UUID = codec.UUIDValue

// NewUUID returns a random one (version 4).
func NewUUID() UUID { return codec.NewUUID() }

// ParseUUID reads the usual text of 36 characters.
func ParseUUID(s string) (UUID, error) { return codec.ParseUUID(s) }
