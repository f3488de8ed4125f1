package param

import "strings"

const upperHex = "0123456789ABCDEF"

// keeps says whether a byte stands for itself (RFC 3986, 2.3; with reserved also most
// of 2.2, but not what would end or split the query: & # + %).
func (t text) keeps(c byte) bool {
	switch {
	case c-'0' <= 9, (c|0x20)-'a' <= 25, c == '-', c == '.', c == '_', c == '~', t == plain:
		return true
	case t == reserved:
		return strings.IndexByte(":/?[]@!$'()*,;=", c) >= 0
	}
	return false
}

// escapeFrom escapes what was appended to b since from.
func (t text) escapeFrom(b []byte, from int) []byte {
	if t == plain {
		return b
	}
	for i := from; i < len(b); i++ {
		if !t.keeps(b[i]) {
			tail := string(b[i:])
			return t.append(b[:i], tail)
		}
	}
	return b
}

// append appends s, escaped.
func (t text) append(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case t.keeps(c):
			b = append(b, c)
		case c == ' ' && t == formText:
			b = append(b, '+')
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// unescape decodes %XX, and + to a space where plus says so. False: a % that two
// hexadecimal digits do not follow.
func unescape(s string, plus bool) (string, bool) {
	i := 0
	for i < len(s) && s[i] != '%' && !(plus && s[i] == '+') {
		i++
	}
	if i == len(s) {
		return s, true
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) {
				return "", false
			}
			h, l := hex(s[i+1]), hex(s[i+2])
			if h > 15 || l > 15 {
				return "", false
			}
			b = append(b, h<<4|l)
			i += 2
		case c == '+' && plus:
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

func hex(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case (c|0x20)-'a' <= 5:
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}
