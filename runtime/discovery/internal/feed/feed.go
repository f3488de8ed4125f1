// Package feed turns what registries say into the sequence that resolvers owe: sets that
// are valid, ordered, free of duplicates, and told only when they differ.
//
// It imports runtime/discovery and the standard library.
package feed

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

// MaxWeight is the largest share that an endpoint can claim; more is cut down to it.
const MaxWeight = 1 << 16

// A Feed is one run of a resolver. Its methods return false when nobody listens any more.
type Feed struct {
	Yield func([]discovery.Endpoint, error) bool
	last  []discovery.Endpoint
	told  bool
	wrong string
}

// Set tells a set, unless it is the one that was told last. Endpoints without a usable
// address are left out and told of, once, as an error behind the set; a set of nothing
// else is only an error. An empty set is told as such: whether to believe it is for the
// one who listens to decide.
func (f *Feed) Set(set []discovery.Endpoint) bool {
	good, wrong := Clean(set)
	if len(good) > 0 || len(set) == 0 {
		if !f.told || !slices.EqualFunc(good, f.last, equal) {
			f.last, f.told = good, true
			if !f.Yield(slices.Clone(good), nil) {
				return false
			}
		}
	}
	if wrong == nil {
		f.wrong = ""
		return true
	}
	if wrong.Error() == f.wrong {
		return true
	}
	f.wrong = wrong.Error()
	return f.Yield(nil, wrong)
}

// Err tells an error.
func (f *Feed) Err(err error) bool { return f.Yield(nil, err) }

func equal(a, b discovery.Endpoint) bool {
	return a.Addr == b.Addr && a.Weight == b.Weight && a.Zone == b.Zone && a.ServerName == b.ServerName && maps.Equal(a.Meta, b.Meta)
}

// Clean returns the endpoints of set that can be dialled, ordered by address, the first
// of each, and why others cannot: the first few of them.
func Clean(set []discovery.Endpoint) ([]discovery.Endpoint, error) {
	good := make([]discovery.Endpoint, 0, len(set))
	var wrong []error
	for _, e := range set {
		if err := dialable(e.Addr); err != nil {
			wrong = append(wrong, err)
			continue
		}
		e.Weight = min(max(e.Weight, 0), MaxWeight)
		good = append(good, e)
	}
	slices.SortStableFunc(good, func(a, b discovery.Endpoint) int { return strings.Compare(a.Addr, b.Addr) })
	good = slices.CompactFunc(good, func(a, b discovery.Endpoint) bool { return a.Addr == b.Addr })
	if len(wrong) == 0 {
		return good, nil
	}
	return good, fmt.Errorf("%d of %d endpoints are unusable and left out: %w", len(wrong), len(set), errors.Join(wrong[:min(len(wrong), 3)]...))
}

func dialable(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%.100q: not host:port", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%.100q: the port is not a number from 1 to 65535", addr)
	}
	if host == "" || len(host) > 253 || strings.ContainsFunc(host, foreign) {
		return fmt.Errorf("%.100q: the host is not a name or an address", addr)
	}
	return nil
}

// foreign reports what neither names nor addresses hold, and what would be dangerous in
// a header or a log.
func foreign(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-._:%", r)
}

// ParseWeight returns the weight that s says, 0 where it says none.
func ParseWeight(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
