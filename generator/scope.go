package generator

import (
	"go/token"
	"strconv"
)

// A scope hands out Go names, each once. One scope holds the package; every struct and
// every interface has its own.
type scope struct{ used map[string]bool }

// newScope returns a scope in which the reserved names are taken.
func newScope(reserved ...string) *scope {
	s := &scope{used: make(map[string]bool)}
	for _, r := range reserved {
		s.used[r] = true
	}
	return s
}

// name takes want, or want with the first suffix that makes it free, or with a number.
// An empty suffix counts for nothing.
func (s *scope) name(want string, suffixes ...string) string {
	if s.take(want) {
		return want
	}
	for _, suffix := range suffixes {
		if suffix != "" && s.take(want+suffix) {
			return want + suffix
		}
	}
	for n := 2; ; n++ {
		if got := want + strconv.Itoa(n); s.take(got) {
			return got
		}
	}
}

func (s *scope) take(name string) bool {
	if s.used[name] || token.IsKeyword(name) {
		return false
	}
	s.used[name] = true
	return true
}

// packageScope is the scope of a generated package. It holds back what Go declares, what
// generated files import, and the parameters of generated functions, which would hide a
// variable of the same name.
func packageScope() *scope {
	s := newScope("TestTables", "TestConcordat", "init", "main", "_",
		"concordat", "stub", "rpc", "codec", "xml", "context", "iter", "time", "json", "io", "unsafe", "testing", "broker",
		"b", "c", "conn", "ctx", "err", "f", "i", "impl", "in", "m", "ok", "out", "p", "r", "s", "t", "v", "yield")
	for name := range predeclared {
		s.used[name] = true
	}
	return s
}

// fieldScope is the scope of a struct's fields: the methods of generated types are taken.
func fieldScope() *scope { return newScope("ConcordatTable", "MarshalJSON", "UnmarshalJSON") }

// predeclared is Go's universe block.
var predeclared = set("any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string " +
	"uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex copy delete imag len make max min " +
	"new panic print println real recover")

// methodScope is the scope of an interface's methods. Vet holds some names to the
// signatures of the standard library.
func methodScope() *scope {
	return newScope("GobDecode", "GobEncode", "MarshalJSON", "MarshalXML", "UnmarshalJSON", "UnmarshalXML",
		"ReadByte", "ReadRune", "UnreadByte", "UnreadRune", "WriteByte")
}
