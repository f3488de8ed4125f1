package node

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/contract/diag"
)

// A jsonReader builds nodes straight from the text of a JSON document (RFC 8259). The
// text of most nodes is a part of the document's, so that little is allocated.
type jsonReader struct {
	src       string
	off       int
	line      int32
	lineStart int // offset of the current line
	doc       *document
	diags     *diag.List
	slab      []Node
	stack     []*Node // kids of the containers that are still open
}

// A syntaxError is where and why a document cannot be read.
type syntaxError struct {
	code string
	at   extent
	msg  string
}

func (e *syntaxError) Error() string { return e.msg }

func readJSON(doc *document, src string, diags *diag.List) (*Node, *syntaxError) {
	r := &jsonReader{src: src, line: 1, doc: doc, diags: diags}
	root, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if r.space(); r.off < len(src) {
		return nil, r.fail("something follows the end of the document")
	}
	return root, nil
}

func (r *jsonReader) fail(format string, args ...any) *syntaxError {
	e := r.here()
	e.endCol++
	return &syntaxError{code: "syntax", at: e, msg: fmt.Sprintf(format, args...)}
}

func (r *jsonReader) here() extent {
	col := int32(r.off-r.lineStart) + 1
	return extent{r.line, col, r.line, col}
}

func (r *jsonReader) new(kind Kind) *Node {
	if len(r.slab) == 0 {
		r.slab = make([]Node, 256)
	}
	n := &r.slab[0]
	r.slab = r.slab[1:]
	n.kind, n.doc, n.pos = kind, r.doc, r.here()
	return n
}

func (r *jsonReader) end(e *extent) {
	e.endLine, e.endCol = r.line, int32(r.off-r.lineStart)+1
}

func (r *jsonReader) space() {
	for ; r.off < len(r.src); r.off++ {
		switch r.src[r.off] {
		case ' ', '\t', '\r':
		case '\n':
			r.line++
			r.lineStart = r.off + 1
		default:
			return
		}
	}
}

// next skips white space and returns the byte after it; 0 at the end.
func (r *jsonReader) next() byte {
	if r.space(); r.off < len(r.src) {
		return r.src[r.off]
	}
	return 0
}

func (r *jsonReader) value(depth int) (*Node, *syntaxError) {
	if depth > maxDepth {
		e := r.fail("values are nested more than %d deep", maxDepth)
		e.code = "too-deep"
		return nil, e
	}
	switch c := r.next(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.list(depth)
	case c == '"':
		n := r.new(String)
		text, err := r.text()
		n.text = text
		r.end(&n.pos)
		return n, err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return r.word("true", Bool)
	case c == 'f':
		return r.word("false", Bool)
	case c == 'n':
		return r.word("null", Null)
	case c == 0 && r.off >= len(r.src):
		return nil, r.fail("the document ends where a value is expected")
	}
	return nil, r.fail("unexpected %s where a value is expected", r.seen())
}

// seen names what stands at the current offset.
func (r *jsonReader) seen() string {
	if r.off >= len(r.src) {
		return "end of the document"
	}
	c, _ := utf8.DecodeRuneInString(r.src[r.off:])
	return strconv.QuoteRune(c)
}

func (r *jsonReader) word(word string, kind Kind) (*Node, *syntaxError) {
	if !strings.HasPrefix(r.src[r.off:], word) {
		return nil, r.fail("unexpected %s where a value is expected", r.seen())
	}
	n := r.new(kind)
	n.text = word
	r.off += len(word)
	r.end(&n.pos)
	return n, nil
}

func (r *jsonReader) number() (*Node, *syntaxError) {
	n := r.new(Number)
	start := r.off
	for r.off < len(r.src) && strings.IndexByte("+-.0123456789eE", r.src[r.off]) >= 0 {
		r.off++
	}
	n.text = r.src[start:r.off]
	if !isNumber(n.text) {
		r.off = start
		return nil, r.fail("%s is not a number", strconv.Quote(n.text))
	}
	r.end(&n.pos)
	return n, nil
}

// isNumber says whether s is a number by the grammar of RFC 8259 section 6.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if strings.HasPrefix(s, ".") {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n := digits(s)
		return n > 0 && n == len(s)
	}
	return s == ""
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (r *jsonReader) list(depth int) (*Node, *syntaxError) {
	n, mark := r.new(List), len(r.stack)
	r.off++
	r.end(&n.pos)
	if r.next() == ']' {
		r.off++
		return n, nil
	}
	for {
		kid, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		r.stack = append(r.stack, kid)
		switch r.next() {
		case ',':
			r.off++
		case ']':
			r.off++
			r.close(n, mark)
			return n, nil
		default:
			return nil, r.fail("%s where a comma or ] is expected", r.seen())
		}
	}
}

func (r *jsonReader) object(depth int) (*Node, *syntaxError) {
	n, mark := r.new(Map), len(r.stack)
	r.off++
	r.end(&n.pos)
	if r.next() == '}' {
		r.off++
		return n, nil
	}
	for {
		kid, err := r.entry(depth)
		if err != nil {
			return nil, err
		}
		r.stack = append(r.stack, kid)
		switch r.next() {
		case ',':
			r.off++
		case '}':
			r.off++
			r.close(n, mark)
			return n, nil
		default:
			return nil, r.fail("%s where a comma or } is expected", r.seen())
		}
	}
}

func (r *jsonReader) entry(depth int) (*Node, *syntaxError) {
	if r.next() != '"' {
		return nil, r.fail("%s where a key in double quotes is expected", r.seen())
	}
	at := r.here()
	key, err := r.text()
	if err != nil {
		return nil, err
	}
	r.end(&at)
	if r.next() != ':' {
		return nil, r.fail("%s where a colon is expected after the key %s", r.seen(), strconv.Quote(key))
	}
	r.off++
	kid, err := r.value(depth + 1)
	if err != nil {
		return nil, err
	}
	kid.key, kid.at = key, at
	return kid, nil
}

// close gives n what has been stacked since mark.
func (r *jsonReader) close(n *Node, mark int) {
	kids := append([]*Node(nil), r.stack[mark:]...)
	r.stack = r.stack[:mark]
	if n.kind == Map {
		kids = unique(kids, r.diags)
	}
	n.hold(kids)
}

// text reads a string at the current offset. Strings without escapes cost nothing.
func (r *jsonReader) text() (string, *syntaxError) {
	r.off++
	start := r.off
	for ; r.off < len(r.src); r.off++ {
		switch c := r.src[r.off]; {
		case c == '"':
			r.off++
			return r.src[start : r.off-1], nil
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", r.fail("text holds the control character %s", r.seen())
		}
	}
	return "", r.fail("text is not closed before the end of the document")
}

func (r *jsonReader) escaped(start int) (string, *syntaxError) {
	b := append(make([]byte, 0, 2*(r.off-start)+16), r.src[start:r.off]...)
	for r.off < len(r.src) {
		c := r.src[r.off]
		switch {
		case c == '"':
			r.off++
			return string(b), nil
		case c < ' ':
			return "", r.fail("text holds the control character %s", r.seen())
		case c != '\\':
			b = append(b, c)
			r.off++
		default:
			var err *syntaxError
			if b, err = r.escape(b); err != nil {
				return "", err
			}
		}
	}
	return "", r.fail("text is not closed before the end of the document")
}

func (r *jsonReader) escape(b []byte) ([]byte, *syntaxError) {
	if r.off+1 >= len(r.src) {
		return nil, r.fail("text is not closed before the end of the document")
	}
	c := r.src[r.off+1]
	if c == 'u' {
		return r.escapeRune(b)
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		return nil, r.fail("text holds an unknown escape")
	}
	r.off += 2
	return append(b, "\"\\/\b\f\n\r\t"[i]), nil
}

func (r *jsonReader) escapeRune(b []byte) ([]byte, *syntaxError) {
	c, ok := r.hex4(r.off)
	if !ok {
		return nil, r.fail(`\u is not followed by four hexadecimal digits`)
	}
	r.off += 6
	if utf16.IsSurrogate(c) {
		low, ok := r.hex4(r.off)
		if pair := utf16.DecodeRune(c, low); ok && pair != utf8.RuneError {
			r.off += 6
			c = pair
		}
	}
	return utf8.AppendRune(b, c), nil // a lone surrogate becomes U+FFFD
}

// hex4 reads the escape \uXXXX at off.
func (r *jsonReader) hex4(off int) (rune, bool) {
	if off+6 > len(r.src) || r.src[off] != '\\' || r.src[off+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(r.src[off+2:off+6], 16, 32)
	return rune(v), err == nil
}
