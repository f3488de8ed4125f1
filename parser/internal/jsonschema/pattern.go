package jsonschema

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// A pattern is a regular expression that was translated once.
type pattern struct {
	text string
	err  error
}

// pattern returns a regular expression of ECMA-262 in a spelling that RE2 takes, too. It
// is false, after a warning, where there is none: RE2 cannot look around or back.
func (r *Reader) pattern(text string, at contract.Span) (string, bool) {
	p, known := r.patterns[text]
	if !known {
		p.text = translate(text)
		_, p.err = regexp.Compile(p.text)
		r.patterns[text] = p
	}
	if p.err == nil {
		return p.text, true
	}
	d := r.diags.Warnf("pattern-unsupported", at, "the pattern %s cannot be checked", strconv.Quote(text))
	if strings.Contains(text, "(?=") || strings.Contains(text, "(?!") || strings.Contains(text, "(?<") {
		d.Help = "Go's regular expressions (RE2) cannot look ahead or behind"
	} else {
		d.Help = "Go's regular expressions (RE2) say: " + strings.TrimPrefix(p.err.Error(), "error parsing regexp: ")
	}
	return "", false
}

// translate rewrites what ECMA-262 and RE2 spell differently so that both agree. What has
// no common spelling stays as it is.
func translate(text string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			i += escape(&b, rest)
			continue
		case !class && strings.HasPrefix(rest, "[^]"):
			b.WriteString(`[\s\S]`)
			i += 3
			continue
		case !class && strings.HasPrefix(rest, "[]"):
			b.WriteString(`[^\s\S]`)
			i += 2
			continue
		case rest[0] == '[' && class:
			b.WriteByte('\\') // literal in ECMA-262; RE2 may see a class like [:alpha:]
		case rest[0] == '[':
			class = true
		case rest[0] == ']':
			class = false
		}
		b.WriteByte(rest[0])
		i++
	}
	return b.String()
}

// escape rewrites the escape that s begins with and returns its length.
func escape(b *strings.Builder, s string) int {
	switch c := s[1]; {
	case c == 'u' && len(s) > 2 && s[2] == '{':
		if end := strings.IndexByte(s, '}'); end > 0 {
			if v, err := strconv.ParseUint(s[3:end], 16, 21); err == nil {
				b.WriteString(regexp.QuoteMeta(string(rune(v))))
				return end + 1
			}
		}
	case c == 'u' && len(s) >= 6:
		if v, err := strconv.ParseUint(s[2:6], 16, 16); err == nil && (v < 0xD800 || v > 0xDFFF) {
			b.WriteString(regexp.QuoteMeta(string(rune(v))))
			return 6
		}
	case c == 'c' && len(s) > 2:
		b.WriteString(`\x`)
		b.WriteString(strconv.FormatUint(uint64(s[2]&0x1F)|0x100, 16)[1:])
		return 3
	case c == '0' && (len(s) == 2 || s[2] < '0' || s[2] > '9'):
		b.WriteString(`\x00`)
		return 2
	case c >= 0x80, c == '_', c >= 'a' && c <= 'z' && !strings.ContainsRune("bdfknprstuvwx", rune(c)):
		b.WriteString(s[1:2]) // an escape that means nothing
		return 2
	}
	b.WriteString(s[:2])
	return 2
}
