package route

import "strings"

// normal gives equal paths one spelling: every escape is undone but those of "/" and "%",
// which would change what the path means. What is not a valid escape stays as it is.
func normal(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	b := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c, ok := escape(path[i:])
		switch {
		case !ok && path[i] == '%':
			b = append(b, "%25"...)
		case !ok:
			b = append(b, path[i])
		case c == '/':
			b = append(b, "%2F"...)
			i += 2
		case c == '%':
			b = append(b, "%25"...)
			i += 2
		default:
			b = append(b, c)
			i += 2
		}
	}
	return string(b)
}

// plain undoes the escapes that normal leaves.
func plain(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c, ok := escape(s[i:]); ok {
			b = append(b, c)
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// escape returns the byte that the escape at the start of s stands for.
func escape(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := digit(s[1]), digit(s[2])
	return high<<4 | low, high < 16 && low < 16
}

func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}
