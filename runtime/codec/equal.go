package codec

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// equalJSON compares two JSON texts as JSON Schema does: 1.0 is 1, the order of
// properties does not matter.
func equalJSON(a, b string) bool { return a == b || canonical(a) == canonical(b) }

// canonical returns the one text that stands for all texts equal to s, which is valid.
// Plain strings and short integers are canonical as they are; the result may alias s.
func canonical(s string) string {
	if s == "" {
		return s
	}
	switch c := s[0]; {
	case c == '"' && strings.IndexByte(s, '\\') < 0, c == 't', c == 'f', c == 'n':
		return s
	case token(c) == '0':
		return string(canonicalNumber(nil, s))
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return s
	}
	return string(appendCanonical(nil, v))
}

func canonicalNumber(b []byte, s string) []byte {
	neg, ds, exp := decimal(nil, s)
	if neg {
		b = append(b, '-')
	}
	return strconv.AppendInt(append(append(b, ds...), 'e'), int64(exp), 10)
}

func appendCanonical(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(b, "", v)
	case json.Number:
		return canonicalNumber(b, v.String())
	case bool:
		return strconv.AppendBool(b, v)
	case []any:
		b = append(b, '[')
		for _, e := range v {
			b = append(appendCanonical(b, e), ',')
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b = append(appendCanonical(appendString(b, "", k), v[k]), ',')
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}
