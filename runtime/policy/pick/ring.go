package pick

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
)

// points is how many places each endpoint has on a ring: with 100, the share of an
// endpoint is off by a tenth (one standard deviation).
const points = 100

// A Ring places endpoints around a circle of hashes, so that a key finds the same one
// again, and few keys move when endpoints come and go (Karger 1997). The zero value has
// none.
type Ring struct{ places []place }

type place struct {
	hash uint64
	of   int
}

// NewRing places the endpoints by their addresses, in every process the same way.
func NewRing(addrs []string) Ring {
	r := Ring{places: make([]place, 0, points*len(addrs))}
	for i, a := range addrs {
		for n := range points {
			r.places = append(r.places, place{Hash(a + "#" + strconv.Itoa(n)), i})
		}
	}
	slices.SortFunc(r.places, func(a, b place) int { return cmp.Compare(a.hash, b.hash) })
	return r
}

// From yields each endpoint once, the one that key belongs to first, and then those that
// follow it around the circle.
func (r Ring) From(key uint64) iter.Seq[int] {
	return func(yield func(int) bool) {
		start, _ := slices.BinarySearchFunc(r.places, key, func(p place, k uint64) int { return cmp.Compare(p.hash, k) })
		var seen []int
		for i := range r.places {
			of := r.places[(start+i)%len(r.places)].of
			if slices.Contains(seen, of) {
				continue
			}
			if !yield(of) {
				return
			}
			seen = append(seen, of)
		}
	}
}

// Hash returns the hash of a key: FNV-1a, mixed once more, since FNV alone leaves keys
// that differ in their last bytes close together. It is never 0.
func Hash(key string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return max(1, h^h>>33)
}
