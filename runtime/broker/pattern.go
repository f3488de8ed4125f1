package broker

import "strings"

// A Pattern is an address template, cut into segments. The separator is the slash where
// the template has one, else the dot: the two ways in which brokers spell addresses.
type Pattern struct {
	sep      string
	segments []string
}

// ParsePattern reads a template such as "customers/{id}/activity".
func ParsePattern(template string) Pattern {
	sep := "."
	if strings.Contains(template, "/") {
		sep = "/"
	}
	return Pattern{sep, strings.Split(template, sep)}
}

// Match says whether address is one of those that the template stands for: a {parameter}
// matches one segment, or part of one.
func (p Pattern) Match(address string) bool {
	parts := strings.Split(address, p.sep)
	if len(parts) != len(p.segments) {
		return false
	}
	for i, s := range p.segments {
		if _, ok := Params(s, parts[i]); !ok {
			return false
		}
	}
	return true
}

// Wildcard spells the template with any in the place of segments that hold a parameter,
// joined by sep, each other segment passed through escape.
func (p Pattern) Wildcard(any, sep string, escape func(string) string) string {
	out := make([]string, len(p.segments))
	for i, s := range p.segments {
		if out[i] = any; !isParam(s) {
			out[i] = escape(s)
		}
	}
	return strings.Join(out, sep)
}

// Sep is what stands between the template's segments: "/" or ".".
func (p Pattern) Sep() string { return p.sep }

func isParam(s string) bool { return strings.Contains(s, "{") && strings.Contains(s, "}") }

// Get returns the value of the named setting of protocol, or fallback.
func Get(settings []Setting, protocol, name, fallback string) string {
	for _, s := range settings {
		if s.Protocol == protocol && s.Name == name {
			return s.Value
		}
	}
	return fallback
}
