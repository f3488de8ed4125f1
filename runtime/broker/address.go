package broker

import "strings"

// A Pattern is an address template, cut into segments: "customers/{id}/activity". The
// separator is the slash where the template has one, else the dot: the two ways in which
// brokers spell addresses. A {parameter} stands for one segment or a part of one, and is
// never empty.
type Pattern struct {
	sep      string
	segments []string
}

// ParsePattern reads a template. One whose braces do not close matches nothing.
func ParsePattern(template string) Pattern {
	sep := "/"
	if !strings.Contains(template, sep) && strings.Contains(template, ".") {
		sep = "."
	}
	return Pattern{sep, strings.Split(template, sep)}
}

// Match says whether address is one of those that the template stands for.
func (p Pattern) Match(address string) bool {
	_, ok := p.Values(address)
	return ok
}

// Values returns what the parameters are in address, in the template's order; false where
// the template does not stand for address.
func (p Pattern) Values(address string) (values []string, ok bool) {
	for i, s := range p.segments {
		part, rest, more := strings.Cut(address, p.sep)
		if more != (i < len(p.segments)-1) {
			return nil, false
		}
		if values, ok = within(s, part, values); !ok {
			return nil, false
		}
		address = rest
	}
	return values, true
}

// within adds the values that the parameters of a segment have in part.
func within(segment, part string, values []string) ([]string, bool) {
	for {
		literal, rest, found := strings.Cut(segment, "{")
		if !strings.HasPrefix(part, literal) {
			return nil, false
		}
		part = part[len(literal):]
		if !found {
			return values, part == ""
		}
		if _, segment, found = strings.Cut(rest, "}"); !found {
			return nil, false
		}
		end := valueEnd(segment, part)
		if end <= 0 {
			return nil, false
		}
		values, part = append(values, part[:end]), part[end:]
	}
}

// valueEnd returns where the value ends that part begins with, when segment follows.
func valueEnd(segment, part string) int {
	switch next, _, more := strings.Cut(segment, "{"); {
	case next == "" && more:
		return -1 // two parameters with nothing between them
	case next == "":
		return len(part)
	case more:
		return strings.Index(part, next)
	case strings.HasSuffix(part, next):
		return len(part) - len(next)
	}
	return -1
}

// Wildcard spells the template with any in the place of segments that hold a parameter,
// joined by sep, each other segment passed through escape.
func (p Pattern) Wildcard(any, sep string, escape func(string) string) string {
	out := make([]string, len(p.segments))
	for i, s := range p.segments {
		if out[i] = any; !strings.Contains(s, "{") {
			out[i] = escape(s)
		}
	}
	return strings.Join(out, sep)
}

// Refill replaces the {parameters} of template by the values that parameters of the same
// names have in address, which was received by the template from. Others stay as they are.
func Refill(template, from, address string) string {
	if !strings.Contains(template, "{") {
		return template
	}
	values, _ := ParsePattern(from).Values(address)
	for _, v := range values {
		_, rest, _ := strings.Cut(from, "{")
		name, tail, _ := strings.Cut(rest, "}")
		template, from = strings.ReplaceAll(template, "{"+name+"}", v), tail
	}
	return template
}
