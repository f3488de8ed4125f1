package codec

import "unsafe"

// A slab is memory for optional values, several of which share one allocation. What one
// decoding takes from it belongs to the value that is read. Nothing large stays alive by
// it: a slab is half a kilobyte at most, and strings that are long and copied have memory
// of their own.
type slab struct {
	strings []string
	words   []uint64 // for what holds no pointer
	size    int      // of the last piece of strings
	wide    int      // of the last piece of words
}

// How many values the first and the largest piece of a slab hold.
const (
	firstSlab = 8
	mostSlab  = 32
)

func (s *slab) string() *string {
	if len(s.strings) == 0 {
		s.size = min(max(2*s.size, firstSlab), mostSlab)
		s.strings = make([]string, s.size)
	}
	p := &s.strings[0]
	s.strings = s.strings[1:]
	return p
}

func (s *slab) word(n int) unsafe.Pointer {
	if len(s.words) < n {
		s.wide = min(max(2*s.wide, firstSlab), 2*mostSlab)
		s.words = make([]uint64, s.wide)
	}
	p := unsafe.Pointer(&s.words[0])
	s.words = s.words[n:]
	return p
}

// optional returns memory for a value behind a pointer.
func (d *dec) optional(k Kind, t *Type) unsafe.Pointer {
	if t == nil || t.Lazy == nil {
		switch k {
		case Bool, Int32, Int64, Uint32, Uint64, Float32, Float64, EnumInt:
			return d.slab.word(1)
		case UUID:
			return d.slab.word(2)
		}
	}
	return alloc(k, t)
}

// optionalString reads the commonest optional value into the pointer at p.
func (d *dec) optionalString(f *Field, p unsafe.Pointer, pos int) int {
	if f.Flag&Null != 0 || d.mode&Lenient != 0 {
		if next, ok := d.null(pos); ok {
			*(*unsafe.Pointer)(p) = nil
			return next
		}
	}
	v, next := d.string(pos)
	if next < 0 {
		return -1
	}
	q := (*string)(nil)
	if d.alias || len(v) <= maxShort {
		q = d.slab.string()
	} else {
		q = new(string)
	}
	*q = v
	*(*unsafe.Pointer)(p) = unsafe.Pointer(q)
	if f.T == nil && f.R != nil && f.R.longEnough(len(v)) {
		return next
	}
	if (f.R != nil || f.T != nil) && !d.checked(String, f.T, f.R, unsafe.Pointer(q), pos, next) {
		return -1
	}
	return next
}
