package broker

import "strings"

// Params matches address against a template whose {parameters} stand for one segment, or a
// part of one, each. Segments end at "/"; a parameter is never
// empty. It returns the values in the template's order.
func Params(template, address string) (values []string, ok bool) {
	for {
		literal, rest, found := strings.Cut(template, "{")
		if !strings.HasPrefix(address, literal) {
			return nil, false
		}
		address = address[len(literal):]
		if !found {
			return values, address == ""
		}
		_, template, found = strings.Cut(rest, "}")
		if !found {
			return nil, false
		}
		end := valueEnd(template, address)
		if end <= 0 {
			return nil, false
		}
		values, address = append(values, address[:end]), address[end:]
	}
}

// valueEnd returns where the value ends that address begins with, when template follows.
func valueEnd(template, address string) int {
	next, _, more := strings.Cut(template, "{")
	switch {
	case next != "":
		if !more && strings.HasSuffix(address, next) {
			return whole(address, len(address)-len(next))
		}
		return whole(address, strings.Index(address, next))
	case more:
		return -1 // two parameters with nothing between them
	}
	return whole(address, len(address))
}

// whole returns end, or -1 where a segment ends before.
func whole(address string, end int) int {
	if end > 0 && strings.IndexByte(address[:end], '/') >= 0 {
		return -1
	}
	return end
}

// Refill replaces the {parameters} of template by the values that parameters of the same
// names have in address, which was received by the template from. Others stay as they are.
func Refill(template, from, address string) string {
	values, ok := Params(from, address)
	if !ok || !strings.Contains(template, "{") {
		return template
	}
	for _, v := range values {
		_, rest, _ := strings.Cut(from, "{")
		name, tail, _ := strings.Cut(rest, "}")
		template, from = strings.ReplaceAll(template, "{"+name+"}", v), tail
	}
	return template
}
