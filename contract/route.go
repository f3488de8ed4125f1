package contract

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Segment is one part of a Route's path between slashes: literal text, or what a request
// fills in.
type Segment struct {
	Text  string // of a literal; "" otherwise
	Rest  bool   // it stands for any number of segments ("**"), otherwise for one
	Field string // path of the field that it is a part of, "book.name"; "" for none
}

// Segments reads the path by the grammar of google/api/http.proto. verb is the text behind
// the last colon: "archive" of "/v1/{name=shelves/*}:archive".
func (r *Route) Segments() (all []Segment, verb string, err error) {
	path, ok := strings.CutPrefix(r.Path, "/")
	if !ok {
		return nil, "", errors.New("a path begins with /")
	}
	if i := strings.LastIndexByte(path, ':'); i > strings.LastIndexAny(path, "/}") {
		path, verb = path[:i], path[i+1:]
	}
	for path != "" || all == nil {
		n := segmentEnd(path)
		more, err := segments(path[:n])
		if err != nil {
			return nil, "", err
		}
		all = append(all, more...)
		if n == len(path) {
			break
		}
		if path = path[n+1:]; path == "" {
			return nil, "", errors.New("a segment is empty")
		}
	}
	if i := slices.IndexFunc(all, func(s Segment) bool { return s.Rest }); i >= 0 && i < len(all)-1 {
		return nil, "", errors.New("nothing may follow **")
	}
	return all, verb, nil
}

// segmentEnd is where the first slash outside of braces is, or the end.
func segmentEnd(path string) int {
	depth := 0
	for i, c := range path {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == '/' && depth == 0:
			return i
		}
	}
	return len(path)
}

// segments reads one segment, which is several where it is a variable with a pattern.
func segments(s string) ([]Segment, error) {
	inner, isVar := strings.CutPrefix(s, "{")
	if !isVar {
		one, err := literal(s)
		return []Segment{one}, err
	}
	inner, closed := strings.CutSuffix(inner, "}")
	field, pattern, given := strings.Cut(inner, "=")
	if !closed || field == "" || strings.ContainsAny(inner, "{}") {
		return nil, fmt.Errorf("%q: a variable is {field} or {field=segments}", s)
	}
	if !given {
		pattern = "*"
	}
	var out []Segment
	for part := range strings.SplitSeq(pattern, "/") {
		one, err := literal(part)
		if err != nil {
			return nil, err
		}
		one.Field = field
		out = append(out, one)
	}
	return out, nil
}

func literal(s string) (Segment, error) {
	switch {
	case s == "":
		return Segment{}, errors.New("a segment is empty")
	case s == "*" || s == "**":
		return Segment{Rest: s == "**"}, nil
	case strings.ContainsAny(s, "{}*?#"):
		return Segment{}, fmt.Errorf("%q is neither text, * nor a variable", s)
	}
	return Segment{Text: s}, nil
}
