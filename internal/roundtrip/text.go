package roundtrip

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// odd are texts that codecs get wrong.
var odd = []string{"a/b", "日本", "a b", "%41", "a+b", "~", "a;b=c", "a,b", "a&b=c", "é", "😀", `"quoted"`, `back\slash`, "null", "true", "12", "<b>", "a|b", "#x", "?", "...", "{x}", "[0]", "a:b", "'"}

// oddJSON are those that only JSON can hold.
var oddJSON = []string{"", "\x00", "line\nbreak", "\t", "\u2028", " lead", "trail ", "\x7f", "\x1f"}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func word(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// legal says whether a place can hold the text at all.
func (d *drawer) legal(s string) bool {
	if d.where == inJSON {
		return true
	}
	if d.item && s == "" || strings.ContainsAny(s, d.avoid) {
		return false
	}
	switch d.where {
	case inPath:
		return s != "" && s != "." && s != ".."
	case inAddress:
		return s != "" && !strings.ContainsAny(s, "/.# +*>{}: |")
	case inHeader:
		return s == strings.TrimSpace(s) && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
	case inText:
		return s != ""
	case inXML:
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff }) < 0
	}
	return true
}

// text draws a string that holds to l.
func (d *drawer) text(l limits) string {
	for range 400 {
		s := d.candidate(l)
		if d.variant && d.where != inJSON {
			s = "s" + s
		}
		if d.legal(s) && l.holds(s) {
			return s
		}
	}
	d.fail("no text for %+v", l)
	return ""
}

func (d *drawer) candidate(l limits) string {
	switch {
	case len(l.patterns) > 0 && (len(l.formats) == 0 || d.IntN(2) == 0):
		return d.fitting(l.patterns[d.IntN(len(l.patterns))])
	case len(l.formats) > 0:
		return d.formatted(l.formats[0])
	case d.IntN(3) > 0 && l.minLen <= 1:
		pool := odd
		if d.where == inJSON && d.IntN(2) == 0 {
			pool = oddJSON
		}
		return pool[d.IntN(len(pool))]
	}
	n := l.minLen + d.IntN(8)
	if l.hasMaxLen {
		n = min(n, l.maxLen)
	}
	return word(d.Rand, n)
}

func (l limits) holds(s string) bool {
	n := utf8.RuneCountInString(s)
	if n < l.minLen || l.hasMaxLen && n > l.maxLen {
		return false
	}
	for _, p := range l.patterns {
		if re, err := regexp.Compile(p); err == nil && !re.MatchString(s) {
			return false
		}
	}
	for _, f := range l.formats {
		if !codec.HasFormat(f, s) {
			return false
		}
	}
	return true
}

// formatted draws a text of a format; any text for one that is not known.
func (d *drawer) formatted(format string) string {
	n := d.IntN(250) + 1
	switch format {
	case "email", "idn-email":
		return fmt.Sprintf("%s@%s.example", word(d.Rand, 5), strings.ToLower(word(d.Rand, 4)))
	case "hostname", "idn-hostname":
		return fmt.Sprintf("h%d.example.com", n)
	case "ipv4":
		return fmt.Sprintf("10.0.%d.%d", n, 255-n)
	case "ipv6":
		return fmt.Sprintf("2001:db8::%x", n)
	case "uri", "iri", "uri-reference", "iri-reference":
		return fmt.Sprintf("https://example.com/%s?q=%d", word(d.Rand, 3), n)
	case "date":
		return fmt.Sprintf("20%02d-%02d-%02d", n%100, n%12+1, n%28+1)
	case "date-time":
		return fmt.Sprintf("20%02d-%02d-%02dT%02d:00:00Z", n%100, n%12+1, n%28+1, n%24)
	case "time":
		return fmt.Sprintf("%02d:%02d:00Z", n%24, n%60)
	case "duration":
		return fmt.Sprintf("P%dDT%dH", n, n%24)
	case "uuid":
		return fmt.Sprintf("%08x-0000-4000-8000-0000000000%02x", n, n)
	case "json-pointer":
		return "/a/" + word(d.Rand, 2)
	}
	return word(d.Rand, 1+n%12)
}

// fitting draws a text that a pattern matches.
func (d *drawer) fitting(pattern string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return word(d.Rand, 4)
	}
	var b strings.Builder
	d.expand(&b, re.Simplify())
	return b.String()
}

func (d *drawer) expand(b *strings.Builder, re *syntax.Regexp) {
	again := func(least, most int) {
		for range least + d.IntN(most-least+1) {
			d.expand(b, re.Sub[0])
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(d.class(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(letters[d.IntN(len(letters))])
	case syntax.OpStar:
		again(0, 5)
	case syntax.OpPlus:
		again(1, 6)
	case syntax.OpQuest:
		again(0, 1)
	case syntax.OpRepeat:
		most := re.Max
		if most < 0 {
			most = re.Min + 5
		}
		again(re.Min, most)
	case syntax.OpAlternate:
		d.expand(b, re.Sub[d.IntN(len(re.Sub))])
	default:
		for _, sub := range re.Sub {
			d.expand(b, sub)
		}
	}
}

// class draws a rune of ranges, preferably a printable one.
func (d *drawer) class(ranges []rune) rune {
	if len(ranges) == 0 {
		return 'x'
	}
	for try := 0; ; try++ {
		i := d.IntN(len(ranges)/2) * 2
		c := ranges[i] + rune(d.IntN(int(min(ranges[i+1]-ranges[i], 96))+1))
		if c >= ' ' && c != 0x7f && utf8.ValidRune(c) || try > 20 {
			return c
		}
	}
}
