package protobuf

import "encoding/binary"

const high = 0x8080808080808080 // bits of bytes that are not ASCII

// transfer copies from to to, which is as long, and says whether all of it is known to be
// ASCII.
func transfer(to, from []byte) bool {
	n := len(from)
	if n < 8 || n > 64 || len(to) != n {
		copy(to, from)
		return n < 8 && short(from)
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

// short says whether a few bytes are ASCII.
func short(b []byte) bool {
	var all byte
	for _, c := range b {
		all |= c
	}
	return all < 0x80
}
