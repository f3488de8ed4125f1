package kubernetes

import (
	"fmt"
	"strconv"
	"strings"
)

// parseYAML reads the YAML that machines write into kubeconfig files, and nothing else:
// mappings and sequences by indentation, scalars on one line. Anything it does not know
// is an error that names the line. A whole YAML library would be the only dependency of
// this package.
func parseYAML(b []byte) (any, error) {
	p := &yaml{}
	for n, text := range strings.Split(strings.TrimPrefix(string(b), "\ufeff"), "\n") {
		text = strings.TrimRight(text, " \r")
		body := strings.TrimLeft(text, " ")
		if body == "" || body[0] == '#' || n == 0 && body == "---" {
			continue
		}
		if strings.ContainsRune(text, '\t') {
			return nil, fmt.Errorf("line %d: a tab", n+1)
		}
		p.lines = append(p.lines, line{n + 1, len(text) - len(body), body})
	}
	if len(p.lines) == 0 {
		return nil, fmt.Errorf("the file is empty")
	}
	v, err := p.block(p.lines[0].indent, 0)
	if err == nil && len(p.lines) > 0 {
		err = p.wrong("the indentation does not fit")
	}
	return v, err
}

// A line holds something: its number, its indentation, and the rest.
type line struct {
	number, indent int
	text           string
}

type yaml struct{ lines []line }

// deepest is more than any kubeconfig needs.
const deepest = 30

func (p *yaml) wrong(what string) error {
	l := line{}
	if len(p.lines) > 0 {
		l = p.lines[0]
	}
	return fmt.Errorf("line %d: %s: %.40q", l.number, what, l.text)
}

// block reads the mapping or sequence that is indented by indent.
func (p *yaml) block(indent, depth int) (any, error) {
	if depth > deepest {
		return nil, p.wrong("too deep")
	}
	if isItem(p.lines[0].text) {
		return p.sequence(indent, depth)
	}
	return p.mapping(indent, depth)
}

func isItem(s string) bool { return s == "-" || strings.HasPrefix(s, "- ") }

func (p *yaml) sequence(indent, depth int) (any, error) {
	list := []any{}
	for len(p.lines) > 0 && p.lines[0].indent == indent && isItem(p.lines[0].text) {
		l := &p.lines[0]
		rest := strings.TrimLeft(l.text[1:], " ")
		if rest == "" {
			return nil, p.wrong("an item without content")
		}
		_, _, isPair := pair(rest)
		if !isPair {
			v, err := p.scalar(rest)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
			p.lines = p.lines[1:]
			continue
		}
		l.indent += len(l.text) - len(rest) // what follows the dash is a block of its own
		l.text = rest
		v, err := p.block(l.indent, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (p *yaml) mapping(indent, depth int) (any, error) {
	m := map[string]any{}
	for len(p.lines) > 0 && p.lines[0].indent == indent && !isItem(p.lines[0].text) {
		key, rest, ok := pair(p.lines[0].text)
		if !ok {
			return nil, p.wrong("not “key: value”")
		}
		if _, twice := m[key]; twice {
			return nil, p.wrong("the key stands here twice")
		}
		v, err := p.value(rest, indent, depth)
		if err != nil {
			return nil, err
		}
		m[key] = v
	}
	return m, nil
}

// value reads what follows a key: a scalar on its line, or a block below it.
func (p *yaml) value(rest string, indent, depth int) (any, error) {
	if rest != "" {
		v, err := p.scalar(rest)
		p.lines = p.lines[1:]
		return v, err
	}
	p.lines = p.lines[1:]
	if len(p.lines) == 0 {
		return nil, nil
	}
	next := p.lines[0]
	if next.indent > indent || next.indent == indent && isItem(next.text) {
		return p.block(next.indent, depth+1)
	}
	return nil, nil
}

// pair splits “key: value”.
func pair(s string) (key, value string, ok bool) {
	if s[0] == '"' || s[0] == '\'' {
		end := strings.IndexByte(s[1:], s[0])
		if end < 0 || !strings.HasPrefix(s[end+2:], ":") {
			return "", "", false
		}
		key, value = s[1:end+1], s[end+3:]
		return key, uncomment(value), value == "" || value[0] == ' '
	}
	if key, ok = strings.CutSuffix(s, ":"); ok && !strings.Contains(key, ": ") {
		return key, "", key != ""
	}
	key, value, ok = strings.Cut(s, ": ")
	return key, uncomment(value), ok && key != ""
}

// uncomment drops spaces around a value, and a comment that is all there is of it.
func uncomment(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "#") {
		return ""
	}
	return s
}

// scalar understands plain and quoted text, true, false, null, and empty collections.
func (p *yaml) scalar(s string) (any, error) {
	switch s[0] {
	case '"':
		s = strings.TrimSpace(cutComment(s, '"'))
		v, err := strconv.Unquote(s)
		if err != nil {
			return nil, p.wrong("not a quoted text")
		}
		return v, nil
	case '\'':
		s = strings.TrimSpace(cutComment(s, '\''))
		if len(s) < 2 || s[len(s)-1] != '\'' {
			return nil, p.wrong("not a quoted text")
		}
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'"), nil
	}
	s, _, _ = strings.Cut(s, " #")
	switch s = strings.TrimSpace(s); s {
	case "true", "false":
		return s == "true", nil
	case "null", "~":
		return nil, nil
	case "{}":
		return map[string]any{}, nil
	case "[]":
		return []any{}, nil
	}
	if strings.ContainsRune("{[&*!|>%@`", rune(s[0])) {
		return nil, p.wrong("this kind of YAML is not understood")
	}
	return s, nil
}

// cutComment drops what follows the closing quote and " #".
func cutComment(s string, quote byte) string {
	if i := strings.LastIndex(s, " #"); i > 0 && strings.LastIndexByte(s[:i], quote) > 0 {
		if t := strings.TrimSpace(s[:i]); t[len(t)-1] == quote {
			return t
		}
	}
	return s
}
