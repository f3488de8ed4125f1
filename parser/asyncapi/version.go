package asyncapi

import (
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A version of the specification. Patches change nothing, and their schemas are those of
// patch 0.
type version struct{ major, minor int }

// String returns the version with its patch, as the official schemas are called.
func (v version) String() string { return strconv.Itoa(v.major) + "." + strconv.Itoa(v.minor) + ".0" }

// newest is the last minor version of each major one that this package knows.
var newest = map[int]int{2: 6, 3: 1}

const versionHelp = "versions 2.0.0 to 2.6.0, 3.0.0 and 3.1.0 are read"

// versionOf reads the version. One that is written as a number, asyncapi: 2.6, is taken
// as it is meant. A newer minor version is a fault, but read as the newest that is known.
func versionOf(root *node.Node, ds *diag.List) (version, bool) {
	n := root.Get("asyncapi")
	if n == nil {
		ds.Errorf("unsupported-version", root.Span(), "the document does not say its version").Help = `begin with "asyncapi: 3.1.0"`
		return version{}, false
	}
	v, ok := parseVersion(n.Text())
	last, known := newest[v.major]
	if !ok || !known {
		ds.Errorf("unsupported-version", n.Span(), "AsyncAPI %s is not known", quote(n)).Help = versionHelp
		return version{}, false
	}
	if v.minor > last {
		v = version{v.major, last}
		ds.Errorf("unsupported-version", n.Span(), "AsyncAPI %s is not known; it is read as %s", quote(n), v).Help = versionHelp
	}
	return v, true
}

func parseVersion(s string) (v version, ok bool) {
	s, _, _ = strings.Cut(s, "-") // release candidates
	parts := strings.Split(s, ".")
	if len(parts) > 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return v, false
		}
		switch i {
		case 0:
			v.major = int(n)
		case 1:
			v.minor = int(n)
		}
	}
	return v, true
}

// quote shows a value in a message: short, and on one line.
func quote(n *node.Node) string {
	switch n.Kind() {
	case node.List, node.Map, node.Null, node.Absent:
		return n.Kind().String()
	}
	s := []rune(n.Text())
	if len(s) > 60 {
		s = append(s[:60], '…')
	}
	return strconv.Quote(string(s))
}
