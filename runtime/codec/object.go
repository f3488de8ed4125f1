package codec

import (
	"math"
	"strings"
	"unsafe"
)

const wantObject = "must be an object"

// object reads the fields of a table. Properties are expected in the table's order and
// without white space, which one comparison decides; everything else is slower, not wrong.
func (d *dec) object(t *Type, p unsafe.Pointer, pos int) int {
	if pos = d.open(pos, '{', wantObject); pos < 0 || !d.enter(pos-1) {
		return -1
	}
	tag, at := d.tag, pos-1
	d.tag = ""
	s, fs := d.s, t.Fields
	var few [4]uint64
	seen := few[:]
	if len(fs) > 256 {
		seen = make([]uint64, (len(fs)+63)/64)
	}
	if t.Extra != nil {
		*(*unsafe.Pointer)(unsafe.Add(p, t.ExtraOff)) = nil // a map
	}
	for i := range t.More {
		*(*unsafe.Pointer)(unsafe.Add(p, t.More[i].Off)) = nil
	}
	i, lead, have := 0, 1, 0
	tagged := false
	if tag != "" {
		if pos, tagged = d.tagFirst(tag, pos); pos < 0 {
			return -1
		} else if tagged {
			lead = 0
		}
	}
	for {
		if i < len(fs) {
			k := fs[i].Key[lead:]
			if e := pos + len(k); e <= len(s) && s[pos:e] == k {
				pos = e
				goto found
			}
		}
		i, pos = d.next(t, i, lead == 1, pos)
		lead = 0
		if pos < 0 {
			return -1
		}
		if i == atEnd {
			break
		}
		if i == unnamed {
			if tag != "" && d.key == tag {
				if tagged {
					return d.fail(pos, CodeDuplicate, "must not be there twice")
				}
				tagged = true
				pos = d.skip(pos)
			} else {
				pos = d.other(t, p, pos)
			}
			if pos < 0 {
				return -1
			}
			i = 0
			continue
		}
	found:
		f := &fs[i]
		w, bit := i>>6, uint64(1)<<(i&63)
		if seen[w]&bit != 0 {
			return d.fail(pos, CodeDuplicate, "must not be there twice")
		}
		seen[w] |= bit
		have += int(f.Flag & Req)
		i, lead = i+1, 0
		fp := unsafe.Add(p, f.Off)
		if f.Flag&^Req != 0 || d.mode&Lenient != 0 {
			if f.Flag&d.drop != 0 {
				if pos = d.skip(pos); pos < 0 {
					return -1
				}
				continue
			}
			if f.Kind == String && f.Flag&(Ptr|Maybe) == Ptr {
				if pos = d.optionalString(f, fp, pos); pos < 0 {
					return -1
				}
				continue
			}
			var done bool
			if fp, pos, done = d.flagged(f, fp, pos); done {
				continue
			}
		}
		if pos = d.field(f, fp, pos); pos < 0 {
			return -1
		}
	}
	if have < t.Required && d.mode&Lenient == 0 && !d.missing(t, seen, at) {
		return -1
	}
	if t.Defaults != nil && d.mode&Defaults != 0 {
		d.defaults(t, p, seen)
	}
	d.depth--
	return pos
}

// field reads a value; the commonest kinds without a detour.
func (d *dec) field(f *Field, p unsafe.Pointer, pos int) (next int) {
	switch f.Kind {
	case String:
		*(*string)(p), next = d.string(pos)
		if f.T == nil && f.R != nil && f.R.longEnough(len(*(*string)(p))) {
			return next
		}
	case Int64:
		*(*int64)(p), next = d.int(pos, math.MinInt64, math.MaxInt64)
	case Float64:
		*(*float64)(p), next = d.float(pos)
	case Bool:
		*(*bool)(p), next = d.bool(pos)
	default:
		if f.Kind >= Object || f.T != nil && f.T.Lazy != nil {
			return d.whole(f.Kind, f.T, f.R, p, pos)
		}
		next = d.value(f.Kind, f.T, p, pos)
	}
	if (f.R != nil || f.T != nil) && next >= 0 && !d.checked(f.Kind, f.T, f.R, p, pos, next) {
		return -1
	}
	return next
}

// What next returns beside the index of a field.
const (
	atEnd   = -1
	unnamed = math.MaxInt32 // the name of no field
)

// next reads a property's name: which field it is and where its value begins. i is the
// field that is expected. Where no field has the name, it
// is in d.key.
func (d *dec) next(t *Type, i int, first bool, pos int) (int, int) {
	c, pos := d.peek(pos)
	if c == '}' {
		return atEnd, pos + 1
	}
	if !first {
		if c != ',' {
			return 0, d.syntax(pos, "must be a comma or a closing brace")
		}
		c, pos = d.peek(pos + 1)
	}
	if c != '"' {
		return 0, d.syntax(pos, "must be a property name in quotes")
	}
	s, fs := d.s, t.Fields
	if len(fs) > narrow {
		if n := strings.IndexByte(s[pos+1:], '"'); n >= 0 && strings.IndexByte(s[pos+1:pos+1+n], '\\') < 0 {
			if j := t.find(s[pos+1 : pos+1+n]); j >= 0 {
				return j, d.colon(pos + n + 2)
			}
		}
	} else {
		for range fs {
			if i >= len(fs) {
				i = 0
			}
			k := fs[i].Key // `,"name":`
			if e := pos + len(k) - 2; e < len(s) && s[pos:e] == k[1:len(k)-1] {
				return i, d.colon(e)
			}
			i++
		}
	}
	// unknown, or spelt with escapes
	key, end := d.peekString(pos)
	if end < 0 {
		return 0, -1
	}
	d.key = key
	if end = d.colon(end); end < 0 {
		return 0, -1
	}
	if j := t.find(key); j >= 0 {
		return j, end
	}
	return unnamed, end
}

// tagFirst steps over the discriminator where it is the first property, as it mostly is,
// and is written without white space and escapes.
func (d *dec) tagFirst(tag string, pos int) (int, bool) {
	s := d.s
	e := pos + len(tag) + 2
	if e >= len(s) || s[pos] != '"' || s[pos+1:e-1] != tag || s[e-1] != '"' || s[e] != ':' {
		return pos, false
	}
	return d.skip(e + 1), true
}

// other reads a property that no field has.
func (d *dec) other(t *Type, p unsafe.Pointer, pos int) int {
	key := d.key
	for i := range t.More {
		if m := &t.More[i]; m.T.takes(key) {
			return d.put(m.T, unsafe.Add(p, m.Off), key, pos)
		}
	}
	switch {
	case t.Extra != nil:
		return d.put(t.Extra, unsafe.Add(p, t.ExtraOff), key, pos)
	case t.Closed:
		if d.mode&Lenient == 0 && !d.violate(pos, CodeUnknown, "is not a property that the contract knows") {
			return -1
		}
	}
	d.unknown++
	return d.skip(pos)
}

// put reads a property into the map at p.
func (d *dec) put(m *Type, p unsafe.Pointer, key string, pos int) int {
	if !d.alias {
		key = d.hold(key)
	}
	v, next := d.element(m, m.newElement(), pos)
	if next >= 0 && !m.Map.Put(p, key, v) {
		return d.fail(pos, CodeDuplicate, "must not be there twice")
	}
	return next
}

// missing names the required fields that were not seen.
func (d *dec) missing(t *Type, seen []uint64, at int) bool {
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Flag&Req != 0 && f.Flag&d.drop == 0 && seen[i>>6]&(1<<(i&63)) == 0 &&
			!d.violateName(at, CodeRequired, f.name(), "is required") {
			return false
		}
	}
	return true
}
