package protobuf

import "encoding/binary"

const high = 0x8080808080808080 // bits of bytes that are not ASCII

// transfer copies from to to, which is as long, and says whether all of it is known to be
// ASCII.
func transfer(to, from []byte) bool {
	n := len(from)
	if len(to) != n || n > 64 {
		copy(to, from)
		return false
	}
	if n < 8 {
		return short(to, from)
	}
	last := binary.LittleEndian.Uint64(from[n-8:])
	binary.LittleEndian.PutUint64(to[n-8:], last)
	all := last
	for len(from) >= 8 && len(to) >= 8 {
		v := binary.LittleEndian.Uint64(from)
		binary.LittleEndian.PutUint64(to, v)
		all |= v
		from, to = from[8:], to[8:]
	}
	return all&high == 0
}

// short is transfer for less than eight bytes: what overlaps is copied twice.
func short(to, from []byte) bool {
	n := len(from)
	if n >= 4 && len(to) >= n {
		first, last := binary.LittleEndian.Uint32(from), binary.LittleEndian.Uint32(from[n-4:])
		binary.LittleEndian.PutUint32(to, first)
		binary.LittleEndian.PutUint32(to[n-4:], last)
		return (first|last)&(high&(1<<32-1)) == 0
	}
	var all byte
	for k := 0; k < n && k < len(to); k++ {
		to[k] = from[k]
		all |= from[k]
	}
	return all < 0x80
}
