package codec

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// DateValue is a day of the calendar, without time or zone: what kind Date describes.
// The zero value is no date; it is written as 0000-00-00 and not read back.
type DateValue struct {
	Year  int // 0 to 9999
	Month time.Month
	Day   int
}

// DateOf returns the day of t in t's own zone.
func DateOf(t time.Time) DateValue {
	y, m, d := t.Date()
	return DateValue{y, m, d}
}

var (
	errDate = errors.New("codec: a date must look like 2006-01-02 and exist")
	errUUID = errors.New("codec: a UUID must look like 00000000-0000-4000-8000-000000000000")
)

// ParseDate reads RFC 3339 full-date: 2006-01-02. The day must exist.
func ParseDate(s string) (DateValue, error) {
	d, ok := parseDate(s)
	if !ok {
		return DateValue{}, errDate
	}
	return d, nil
}

func parseDate(s string) (DateValue, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return DateValue{}, false
	}
	y, m, d := two(s, 0)*100+two(s, 2), two(s, 5), two(s, 8)
	if y > 9999 || !validDay(y, m, d) {
		return DateValue{}, false
	}
	return DateValue{y, time.Month(m), d}, true
}

// Time returns the beginning of the day in loc.
func (d DateValue) Time(loc *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
}

// String returns the date as RFC 3339 full-date.
func (d DateValue) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

func (d DateValue) valid() bool {
	return d.Year >= 0 && d.Year <= 9999 && validDay(d.Year, int(d.Month), d.Day)
}

func (d DateValue) append(b []byte) []byte {
	h, l := d.Year/100, d.Year%100
	return append(b, digit(h/10), digit(h), digit(l/10), digit(l), '-',
		digit(int(d.Month)/10), digit(int(d.Month)), '-', digit(d.Day/10), digit(d.Day))
}

func digit(v int) byte { return byte('0' + v%10) }

// MarshalText writes RFC 3339 full-date; a day that does not exist is an error.
func (d DateValue) MarshalText() ([]byte, error) {
	if !d.valid() {
		return nil, errDate
	}
	return d.append(nil), nil
}

// UnmarshalText reads RFC 3339 full-date.
func (d *DateValue) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDate(string(b))
	return err
}

// UUIDValue is a UUID of RFC 9562, of any version: what kind UUID describes.
type UUIDValue [16]byte

// NewUUID returns a random UUID (version 4).
func NewUUID() UUIDValue {
	var u UUIDValue
	rand.Read(u[:]) // never fails, by its documentation
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// ParseUUID reads the form with hyphens, in either case.
func ParseUUID(s string) (UUIDValue, error) {
	var u UUIDValue
	if !parseUUID(s, (*[16]byte)(&u)) {
		return UUIDValue{}, errUUID
	}
	return u, nil
}

// String returns the form with hyphens, in lower case.
func (u UUIDValue) String() string { return string(appendUUID(nil, (*[16]byte)(&u))) }

// IsZero reports whether u is the nil UUID.
func (u UUIDValue) IsZero() bool { return u == UUIDValue{} }

// MarshalText writes the form with hyphens.
func (u UUIDValue) MarshalText() ([]byte, error) { return appendUUID(nil, (*[16]byte)(&u)), nil }

// UnmarshalText reads the form with hyphens.
func (u *UUIDValue) UnmarshalText(b []byte) (err error) {
	*u, err = ParseUUID(string(b))
	return err
}

// uuidAt holds where in the text each byte of a UUID lies.
var uuidAt = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

const hexDigits = "0123456789abcdef"

func appendUUID(b []byte, u *[16]byte) []byte {
	n := len(b)
	b = append(b, "00000000-0000-0000-0000-000000000000"...)
	v := b[n : n+36]
	for i, at := range uuidAt {
		v[at], v[at+1] = hexDigits[u[i]>>4], hexDigits[u[i]&15]
	}
	return b
}

// appendKeyUUID appends key as it is and u as a JSON string.
func appendKeyUUID(b []byte, key string, u *[16]byte) []byte {
	n, end := len(b), len(b)+len(key)+38
	if end > cap(b) {
		b = grow(b, end-n)
	}
	w := b[:end]
	n += copy(w[n:], key)
	v := w[n : n+38]
	v[0], v[9], v[14], v[19], v[24], v[37] = '"', '-', '-', '-', '-', '"'
	for i, at := range uuidAt {
		v[at+1], v[at+2] = hexDigits[u[i]>>4], hexDigits[u[i]&15]
	}
	return w
}

func unhex(c byte) uint8 {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20-'a' <= 5 && c >= 'A':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

func parseUUID(v string, u *[16]byte) bool {
	if len(v) != 36 || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-' {
		return false
	}
	var bad uint8
	for i, at := range uuidAt {
		a, b := unhex(v[at]), unhex(v[at+1])
		bad |= a | b
		u[i] = a<<4 | b
	}
	return bad <= 15
}
