package codec

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Eight bytes at a time: constants with every byte 1 and every highest bit set.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func load64(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// special marks bytes that are quote, backslash, control or not ASCII; the lowest mark
// is exact.
func special(x uint64) uint64 {
	q := x ^ 0x22*ones
	b := x ^ 0x5c*ones
	return ((q - ones) | (b - ones) | (x - 0x20*ones) | x) & highs
}

// ends marks quote, backslash and control, but lets bytes beyond ASCII pass.
func ends(x uint64) uint64 {
	q, b := x^0x22*ones, x^0x5c*ones
	return ((q-ones)&^q | (b-ones)&^b | (x-0x20*ones)&^x) & highs
}

const (
	chunk    = 512 // bytes that short strings share
	maxShort = 64
)

// hold makes v independent of the input.
func (d *dec) hold(v string) string {
	if len(v) > maxShort {
		return strings.Clone(v)
	}
	n := len(d.arena)
	if cap(d.arena)-n < len(v) {
		c := chunk
		if d.alias {
			c = 128 // only what was escaped
		}
		d.arena, n = make([]byte, 0, max(len(v), min(c, len(d.s)))), 0
	}
	d.arena = append(d.arena, v...)
	return unsafe.String(unsafe.SliceData(d.arena[n:]), len(v))
}

func (d *dec) cut(i, j int) string {
	if d.alias {
		return d.s[i:j]
	}
	return d.hold(d.s[i:j])
}

// peekString reads a string that is only looked at: it may point into the input.
func (d *dec) peekString(pos int) (string, int) {
	was := d.alias
	d.alias = true
	v, next := d.string(pos)
	d.alias = was
	return v, next
}

const wantString = "must be a string"

// string reads a string with its quotes.
func (d *dec) string(pos int) (string, int) {
	s := d.s
	if pos >= len(s) || s[pos] != '"' {
		if pos = d.open(pos, '"', wantString); pos < 0 {
			return "", -1
		}
	} else {
		pos++
	}
	i := pos
	for i+8 <= len(s) {
		if m := special(load64(s, i)); m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			if s[i] == '"' {
				if d.alias {
					return s[pos:i], i + 1
				}
				return d.hold(s[pos:i]), i + 1
			}
			return d.slowString(pos, i)
		}
		i += 8
	}
	for ; i < len(s); i++ {
		if c := s[i]; c == '"' {
			return d.cut(pos, i), i + 1
		} else if c == '\\' || c < 0x20 || c >= 0x80 {
			return d.slowString(pos, i)
		}
	}
	return "", d.syntax(i, "")
}

// slowString reads on at i, where something else than plain ASCII was met.
func (d *dec) slowString(start, i int) (string, int) {
	s := d.s
	for i < len(s) {
		if i+8 <= len(s) && ends(load64(s, i)) == 0 {
			i += 8
			continue
		}
		switch c := s[i]; {
		case c == '"':
			if !utf8.ValidString(s[start:i]) {
				return "", d.fail(start-1, CodeUTF8, "must be UTF-8")
			}
			return d.cut(start, i), i + 1
		case c == '\\':
			return d.unescape(start, i)
		case c < 0x20:
			return "", d.syntax(i, "must be escaped: a control character")
		}
		i++
	}
	return "", d.syntax(i, "")
}

// unescape reads on at i, where the first backslash is.
func (d *dec) unescape(start, i int) (string, int) {
	s := d.s
	b := append(d.tmp[:0], s[start:i]...)
	for i < len(s) {
		j := i
		for j+8 <= len(s) {
			if m := ends(load64(s, j)); m != 0 {
				j += bits.TrailingZeros64(m) >> 3
				break
			}
			j += 8
		}
		for j < len(s) && s[j] != '"' && s[j] != '\\' && s[j] >= 0x20 {
			j++
		}
		b = append(b, s[i:j]...)
		if i = j; i >= len(s) {
			break
		}
		switch {
		case s[i] == '"':
			d.tmp = b
			if !utf8.Valid(b) {
				return "", d.fail(start-1, CodeUTF8, "must be UTF-8")
			}
			return d.hold(unsafe.String(unsafe.SliceData(b), len(b))), i + 1
		case s[i] < 0x20:
			return "", d.syntax(i, "must be escaped: a control character")
		}
		if b, i = d.escape(b, i+1); i < 0 {
			return "", -1
		}
	}
	d.tmp = b
	return "", d.syntax(i, "")
}

// escape appends what the characters after a backslash at i-1 stand for.
func (d *dec) escape(b []byte, i int) ([]byte, int) {
	s := d.s
	if i >= len(s) {
		return b, d.syntax(i, "")
	}
	switch c := s[i]; c {
	case '"', '\\', '/':
		return append(b, c), i + 1
	case 'n':
		return append(b, '\n'), i + 1
	case 't':
		return append(b, '\t'), i + 1
	case 'r':
		return append(b, '\r'), i + 1
	case 'b':
		return append(b, '\b'), i + 1
	case 'f':
		return append(b, '\f'), i + 1
	case 'u':
		r := hex4(s, i+1)
		if r < 0 {
			break
		}
		i += 5
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if i+1 < len(s) && s[i] == '\\' && s[i+1] == 'u' {
				low = hex4(s, i+2)
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return b, d.fail(i-6, CodeUTF8, "must be two surrogates that belong together")
			}
			i += 6
		}
		return utf8.AppendRune(b, r), i
	}
	return b, d.syntax(i-1, "must be an escape that JSON knows")
}

// hex4 returns the value of four hexadecimal digits at i, or -1.
func hex4(s string, i int) rune {
	if i+4 > len(s) {
		return -1
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		h := unhex(c)
		if h > 15 {
			return -1
		}
		r = r<<4 | rune(h)
	}
	return r
}
