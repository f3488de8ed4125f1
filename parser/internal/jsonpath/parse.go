package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// maxNesting is how deep parentheses and filters inside filters may be.
const maxNesting = 50

// Parse reads an expression. The error says what was expected, and after how many bytes.
func Parse(text string) (*Path, error) {
	p := &parser{s: text}
	if !p.take("$") {
		return nil, p.fail("an expression begins with $")
	}
	path := &Path{}
	if err := p.segments(path); err != nil {
		return nil, err
	}
	if p.i < len(p.s) {
		return nil, p.fail("a segment begins with . or [")
	}
	return path, nil
}

type parser struct {
	s     string
	i     int
	depth int
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%s (after %d bytes)", fmt.Sprintf(format, args...), p.i)
}

func (p *parser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// take skips white space, and word where that comes next.
func (p *parser) take(word string) bool {
	p.space()
	if !strings.HasPrefix(p.s[p.i:], word) {
		return false
	}
	p.i += len(word)
	return true
}

func (p *parser) segments(path *Path) error {
	for {
		start := p.i
		p.space()
		s := segment{}
		switch {
		case strings.HasPrefix(p.s[p.i:], "..["):
			p.i += 2
			s.descendants = true
		case strings.HasPrefix(p.s[p.i:], ".."):
			p.i++
			s.descendants = true
		}
		var err error
		switch {
		case p.take("["):
			s.selectors, err = p.brackets()
		case p.take("."):
			s.selectors, err = p.shorthand()
		default:
			p.i = start
			return nil
		}
		if err != nil {
			return err
		}
		path.segments = append(path.segments, s)
	}
}

// shorthand reads what follows a dot: a name or an asterisk.
func (p *parser) shorthand() ([]selector, error) {
	if strings.HasPrefix(p.s[p.i:], "*") {
		p.i++
		return []selector{wildcard{}}, nil
	}
	word := p.word()
	if word == "" {
		return nil, p.fail("a name or * follows a dot; other names are written ['so']")
	}
	return []selector{name(word)}, nil
}

func (p *parser) word() string {
	start := p.i
	for p.i < len(p.s) {
		r, size := utf8.DecodeRuneInString(p.s[p.i:])
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
		if !letter && (p.i == start || r != '-' && (r < '0' || r > '9')) {
			break
		}
		p.i += size
	}
	return p.s[start:p.i]
}

func (p *parser) brackets() ([]selector, error) {
	var all []selector
	for {
		s, err := p.selector()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		switch {
		case p.take(","):
		case p.take("]"):
			return all, nil
		default:
			return nil, p.fail("expected , or ]")
		}
	}
}

func (p *parser) selector() (selector, error) {
	p.space()
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		text, err := p.text()
		return name(text), err
	case p.take("*"):
		return wildcard{}, nil
	case p.take("?"):
		c, err := p.or()
		return filter{c}, err
	case c == ':' || c == '-' || c >= '0' && c <= '9':
		return p.indexes()
	}
	return nil, p.fail("expected a name in quotes, a number, * or ?")
}

func (p *parser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// indexes reads an index or a slice.
func (p *parser) indexes() (selector, error) {
	var parts [3]*int
	n := 0
	for {
		p.space()
		if c := p.peek(); c == '-' || c >= '0' && c <= '9' {
			i, err := p.integer()
			if err != nil {
				return nil, err
			}
			parts[n] = &i
		}
		if n == 2 || !p.take(":") {
			break
		}
		n++
	}
	if n == 0 {
		return index(*parts[0]), nil
	}
	s := slice{start: parts[0], end: parts[1], step: 1}
	if parts[2] != nil {
		s.step = *parts[2]
	}
	return s, nil
}

func (p *parser) integer() (int, error) {
	start := p.i
	for c := p.peek(); c == '-' && p.i == start || c >= '0' && c <= '9'; c = p.peek() {
		p.i++
	}
	i, err := strconv.Atoi(p.s[start:p.i])
	if err != nil || i > 1<<53 || i < -1<<53 {
		return 0, p.fail("%s is no index", p.s[start:p.i])
	}
	return i, nil
}

// text reads a name or literal in quotes of either kind, with JSON's escapes.
func (p *parser) text() (string, error) {
	quote := p.s[p.i]
	p.i++
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == quote:
			p.i++
			return b.String(), nil
		case c != '\\':
			b.WriteByte(c)
			p.i++
			continue
		}
		if err := p.escape(&b); err != nil {
			return "", err
		}
	}
	return "", p.fail("the quotes are not closed")
}

func (p *parser) escape(b *strings.Builder) error {
	rest := p.s[p.i:]
	if len(rest) > 1 {
		if i := strings.IndexByte(`btnfr/\'"`, rest[1]); i >= 0 {
			b.WriteByte("\b\t\n\f\r/\\'\""[i])
			p.i += 2
			return nil
		}
	}
	if len(rest) >= 6 && rest[1] == 'u' {
		size := 6
		if len(rest) >= 12 && rest[6] == '\\' && strings.EqualFold(rest[2:3], "d") {
			size = 12
		}
		if s, err := strconv.Unquote(`"` + rest[:size] + `"`); err == nil {
			b.WriteString(s)
			p.i += size
			return nil
		}
	}
	return p.fail("there is no such escape")
}

func (p *parser) or() (condition, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("the filter is nested too deep")
	}
	defer func() { p.depth-- }()
	a, err := p.and()
	for err == nil && p.take("||") {
		var b condition
		b, err = p.and()
		a = either{a, b}
	}
	return a, err
}

func (p *parser) and() (condition, error) {
	a, err := p.basic()
	for err == nil && p.take("&&") {
		var b condition
		b, err = p.basic()
		a = both{a, b}
	}
	return a, err
}

func (p *parser) basic() (condition, error) {
	negated := false
	for p.space(); p.peek() == '!'; p.space() {
		negated = !negated
		p.i++
	}
	c, err := p.condition()
	if negated {
		c = not{c}
	}
	return c, err
}

func (p *parser) condition() (condition, error) {
	switch {
	case p.take("("):
		c, err := p.or()
		if err == nil && !p.take(")") {
			err = p.fail("expected )")
		}
		return c, err
	case p.take("match("):
		return p.test(true)
	case p.take("search("):
		return p.test(false)
	}
	a, err := p.operand()
	if err != nil {
		return nil, err
	}
	for _, op := range [...]string{"==", "!=", "<=", ">=", "<", ">"} {
		if p.take(op) {
			b, err := p.operand()
			return comparison{a, b, op}, err
		}
	}
	if q, ok := a.(query); ok {
		return exists(q), nil
	}
	return nil, p.fail("expected a comparison")
}

// test reads the arguments of match and search.
func (p *parser) test(whole bool) (condition, error) {
	text, err := p.operand()
	if err == nil && !p.take(",") {
		err = p.fail("expected ,")
	}
	if err != nil {
		return nil, err
	}
	expr, err := p.operand()
	if err == nil && !p.take(")") {
		err = p.fail("expected )")
	}
	return test{text, expr, whole}, err
}

func (p *parser) operand() (operand, error) {
	p.space()
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		text, err := p.text()
		return literal{kind: node.String, text: text}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == '@' || c == '$':
		path, err := p.query()
		return query{path}, err
	}
	return p.named()
}

func (p *parser) query() (*Path, error) {
	path := &Path{relative: p.s[p.i] == '@'}
	p.i++
	return path, p.segments(path)
}

func (p *parser) number() (operand, error) {
	start := p.i
	for strings.IndexByte("+-.eE0123456789", p.peek()) >= 0 && p.i < len(p.s) {
		p.i++
	}
	text := p.s[start:p.i]
	if _, ok := rational(text); !ok {
		return nil, p.fail("%s is no number", text)
	}
	return literal{kind: node.Number, text: text}, nil
}

// named reads true, false, null and the functions that have a value.
func (p *parser) named() (operand, error) {
	word := p.word()
	switch word {
	case "true", "false":
		return literal{kind: node.Bool, text: word}, nil
	case "null":
		return literal{kind: node.Null, text: word}, nil
	case "length", "count", "value":
		if !p.take("(") {
			return nil, p.fail("expected (")
		}
		return p.function(word)
	}
	return nil, p.fail("expected a literal, a path from @ or $, or a function")
}

func (p *parser) function(word string) (operand, error) {
	var arg operand
	var err error
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("the filter is nested too deep")
	}
	defer func() { p.depth-- }()
	if arg, err = p.operand(); err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.fail("expected )")
	}
	q, ok := arg.(query)
	switch {
	case word == "length":
		return length{arg}, nil
	case !ok:
		return nil, p.fail("%s takes a path", word)
	case word == "count":
		return count(q), nil
	}
	return q, nil
}
