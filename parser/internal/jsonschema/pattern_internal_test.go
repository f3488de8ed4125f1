package jsonschema

import (
	"regexp"
	"testing"
)

func TestTranslate(t *testing.T) {
	for _, c := range []struct{ in, want, match, refuse string }{
		{`^\d{3}\/\w$`, `^\d{3}\/\w$`, "123/a", "12/a"},
		{`^\u00e9\u{1F600}$`, `^é😀$`, "é😀", "e"},
		{`^(?<year>\d+)$`, `^(?<year>\d+)$`, "12", "x"},
		{`^[^]$`, `^[\s\S]$`, "\n", ""},
		{`^[]$`, `^[^\s\S]$`, "", "a"},
		{`^[[a]$`, `^[\[a]$`, "[", "]"},
		{`^\cJ\0$`, `^\x0a\x00$`, "\n\x00", "J"},
		{`^\e\-\ü$`, `^e\-ü$`, "e-ü", "e"},
		{`^[\u002d.]$`, `^[-.]$`, "-", "x"},
	} {
		got := translate(c.in)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
			continue
		}
		re, err := regexp.Compile(got)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if c.match != "" && !re.MatchString(c.match) || c.refuse != "" && re.MatchString(c.refuse) {
			t.Errorf("%s takes %q: %v, %q: %v", got, c.match, re.MatchString(c.match), c.refuse, re.MatchString(c.refuse))
		}
	}
}
