package codec

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// value writes any kind.
func (e *enc) value(k Kind, t *Type, p unsafe.Pointer, b []byte) []byte {
	switch k {
	case String, Enum:
		return appendString(b, "", *(*string)(p))
	case Bool:
		return strconv.AppendBool(b, *(*bool)(p))
	case Int32:
		return strconv.AppendInt(b, int64(*(*int32)(p)), 10)
	case Int64, EnumInt:
		return strconv.AppendInt(b, *(*int64)(p), 10)
	case Uint32:
		return strconv.AppendUint(b, uint64(*(*uint32)(p)), 10)
	case Uint64:
		return strconv.AppendUint(b, *(*uint64)(p), 10)
	case Float32:
		return e.float(b, float64(*(*float32)(p)), 32)
	case Float64:
		return e.float(b, *(*float64)(p), 64)
	case Number:
		return e.number(b, *(*string)(p))
	case Time:
		return e.time(b, *(*time.Time)(p))
	case Date:
		return e.date(b, *(*DateValue)(p))
	case UUID:
		return append(appendUUID(append(b, '"'), (*[16]byte)(p)), '"')
	case Bytes:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), *(*[]byte)(p))
		return append(b, '"')
	case Raw:
		return e.raw(b, *(*json.RawMessage)(p))
	case Const:
		return append(b, t.Const...)
	}
	if k, t = resolve(k, t); t != nil {
		switch k {
		case Custom:
			return e.custom(t, p, b)
		case Object:
			return e.object(t, p, b)
		case Tuple:
			return e.tuple(t, p, b)
		case Slice:
			return e.list(t, p, b)
		case Map:
			return e.dict(t, p, b)
		case Union:
			return e.union(t.Union, p, b)
		}
		if k < Object {
			return e.value(k, t, p, b)
		}
	}
	return e.fail(b, CodeType, "cannot be part of JSON")
}

func grow(b []byte, n int) []byte {
	nb := make([]byte, len(b), 2*cap(b)+n)
	copy(nb, b)
	return nb
}

// appendString appends key as it is and s as a JSON string. Looking for what needs an
// escape and copying are one pass, eight bytes at a time.
func appendString(b []byte, key, s string) []byte {
	n := len(b)
	end := n + len(key) + len(s) + 2
	if end > cap(b) {
		b = grow(b, end-n)
	}
	w := b[:end]
	n += copy(w[n:], key)
	w[n] = '"'
	dst := w[n+1 : end-1]
	if len(s) >= 8 && len(dst) >= len(s) {
		i := 0
		for {
			x := load64(s, i)
			if special(x) != 0 {
				return appendEscaped(w[:n], s)
			}
			binary.LittleEndian.PutUint64(dst[i:], x)
			if i+8 == len(s) {
				break
			}
			if i += 8; i+8 > len(s) {
				i = len(s) - 8 // overlap
			}
		}
	} else {
		for i := range len(s) {
			c := s[i]
			if c == '"' || c == '\\' || c < 0x20 || c >= 0x80 {
				return appendEscaped(w[:n], s)
			}
			dst[i] = c
		}
	}
	w[end-1] = '"'
	return w
}

// appendEscaped also replaces what is not UTF-8 by U+FFFD. HTML is not escaped.
func appendEscaped(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x80 {
			r, n := utf8.DecodeRuneInString(s[i:])
			i += n
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i-1]...), "\ufffd"...)
				from = i
			}
			continue
		}
		i++
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i-1]...)
		from = i
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}

func (e *enc) float(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return e.fail(b, CodeRange, "must be a finite number")
	}
	return appendFloat(b, f, bits)
}

// appendFloat writes the shortest text that reads back as f, like encoding/json.
func appendFloat(b []byte, f float64, bits int) []byte {
	// Up to four decimals by integers: exact, since decimals of 15 digits are unique.
	if n := math.Round(f * 1e4); bits == 64 && n < 1e14 && n > -1e14 && n/1e4 == f && n != 0 {
		return appendDecimal(b, int64(n))
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 {
		if bits == 64 && (a < 1e-6 || a >= 1e21) || bits == 32 && (float32(a) < 1e-6 || float32(a) >= 1e21) {
			format = 'e'
		}
	}
	b = strconv.AppendFloat(b, f, format, -1, bits)
	if n := len(b); format == 'e' && n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1] // e-09 to e-9
		b = b[:n-1]
	}
	return b
}

// appendDecimal writes v/10000.
func appendDecimal(b []byte, v int64) []byte {
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	q, r := v/1e4, int(v%1e4)
	b = strconv.AppendInt(b, q, 10)
	if r == 0 {
		return b
	}
	b = append(b, '.', digit(r/1000), digit(r/100), digit(r/10), digit(r))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// number writes json.Number; like encoding/json, "" is 0.
func (e *enc) number(b []byte, s string) []byte {
	if s == "" {
		return append(b, '0')
	}
	if scanNumber(s, 0) != len(s) {
		return e.fail(b, CodeSyntax, "must be a JSON number")
	}
	return append(b, s...)
}

func (e *enc) time(b []byte, t time.Time) []byte {
	n := len(b)
	out, err := t.AppendText(append(b, '"'))
	if err != nil {
		return e.fail(b[:n], CodeRange, "must be a time that RFC 3339 can express")
	}
	return append(out, '"')
}

func (e *enc) date(b []byte, d DateValue) []byte {
	if !d.valid() {
		return e.fail(b, CodeRange, "must be a day that exists")
	}
	return append(d.append(append(b, '"')), '"')
}

func (e *enc) raw(b []byte, raw json.RawMessage) []byte {
	if raw == nil {
		return append(b, "null"...)
	}
	d := newDec(raw, Options{})
	ok := d.end(d.skip(0)) == nil
	d.free()
	if !ok {
		return e.fail(b, CodeSyntax, "must be JSON")
	}
	return append(b, raw...)
}
