package codec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

func (d *dec) union(u *UnionType, p unsafe.Pointer, pos int) int {
	if u.Tag == "" {
		return d.fitting(u, p, d.space(pos))
	}
	tag, next := d.discriminator(u.Tag, pos)
	if next < 0 {
		return -1
	}
	if v := u.tagged(tag); v != nil && next != noTag {
		k, t := resolve(v.T.Kind, v.T)
		if k == Object && t.find(u.Tag) < 0 {
			d.tag = u.Tag // object refuses a second one
		}
		return d.whole(k, t, nil, v.Set(p), pos)
	}
	*(*iface)(p) = iface{}
	if d.mode&Lenient == 0 {
		ok := false
		if next == noTag {
			ok = d.violateName(d.space(pos), CodeRequired, u.Tag, "is required")
		} else {
			ok = d.violateName(d.space(pos), CodeEnum, u.Tag, listed(u.tags()))
		}
		if !ok {
			return -1
		}
	}
	return d.skip(pos)
}

func (u *UnionType) tagged(tag string) *Variant {
	for i := range u.Variants {
		if slices.Contains(u.Variants[i].Tags, tag) {
			return &u.Variants[i]
		}
	}
	return nil
}

func (u *UnionType) tags() (all []string) {
	for i := range u.Variants {
		all = append(all, u.Variants[i].Tags...)
	}
	return all
}

const noTag = 1 << 30

// discriminator looks ahead for the value of a property; noTag if there is none.
func (d *dec) discriminator(tag string, pos int) (string, int) {
	was, depth, start := d.alias, d.depth, pos
	d.alias = true
	defer func() { d.alias, d.depth = was, depth }()
	if pos = d.open(pos, '{', wantObject); pos < 0 || !d.enter(pos-1) {
		return "", -1
	}
	for n := 0; ; n++ {
		key, ok, next := d.entry(n == 0, pos)
		if pos = next; pos < 0 {
			return "", -1
		}
		if !ok {
			return "", noTag
		}
		if key != tag {
			if pos = d.skip(pos); pos < 0 {
				return "", -1
			}
			continue
		}
		value, pos := d.string(pos)
		if pos < 0 {
			return "", -1
		}
		if n > 0 {
			if d.work -= pos - start; d.work < 0 {
				return "", d.fail(start, CodeLimit, "has its discriminator too far from where it begins")
			}
		}
		return value, pos
	}
}

// fits says whether a value that begins with c may be of a kind.
func fits(k Kind, t *Type, c byte) bool {
	switch k {
	case Raw, Custom:
		return true
	case Union:
		return true
	case Const:
		return t.Const != "" && token(t.Const[0]) == token(c)
	case String, Enum, Time, Date, UUID, Bytes:
		return c == '"'
	case Bool:
		return c == 't' || c == 'f'
	case Object, Map:
		return c == '{'
	case Slice, Tuple:
		return c == '['
	case Int32, Int64, Uint32, Uint64, Float32, Float64, Number, EnumInt:
		return token(c) == '0'
	}
	return false
}

// token gives all numbers, and both booleans, one sign.
func token(c byte) byte {
	switch {
	case c == '-', c-'0' <= 9:
		return '0'
	case c == 'f':
		return 't'
	}
	return c
}

// fitting reads a union without a discriminator: of the variants that the value's first
// byte allows, the first that holds all rules and knows all properties; else the one
// that ignores fewest of them.
func (d *dec) fitting(u *UnionType, p unsafe.Pointer, pos int) int {
	c, pos := d.peek(pos)
	only, count := -1, 0
	for i := range u.Variants {
		if k, t := resolve(u.Variants[i].T.Kind, u.Variants[i].T); fits(k, t, c) {
			only = i
			count++
		}
	}
	if count == 1 {
		v := &u.Variants[only]
		return d.whole(v.T.Kind, v.T, nil, v.Set(p), pos)
	}
	if count == 0 {
		*(*iface)(p) = iface{}
		return d.mismatch(pos, "must be of the type of a variant")
	}
	for _, strict := range []bool{true, false} {
		best, least := -1, 1<<30
		for i := range u.Variants {
			next, unknown := d.try(u, i, c, p, pos, strict)
			if d.work < 0 {
				return d.fail(pos, CodeLimit, "is too costly to tell apart")
			}
			if next < 0 {
				continue
			}
			if unknown == 0 {
				return next
			}
			if unknown < least {
				best, least = i, unknown
			}
		}
		if best >= 0 {
			next, _ := d.try(u, best, c, p, pos, strict)
			d.unknown += least
			return next
		}
		if d.mode&Lenient == 0 {
			break
		}
	}
	return d.none(u, c, p, pos)
}

// try reads one variant; what it complains about is forgotten.
func (d *dec) try(u *UnionType, i int, c byte, p unsafe.Pointer, pos int, strict bool) (next, unknown int) {
	v := &u.Variants[i]
	k, t := resolve(v.T.Kind, v.T)
	if !fits(k, t, c) {
		return -1, 0
	}
	mode, depth, vio, was := d.mode, d.depth, len(d.vio), d.unknown
	if strict {
		d.mode &^= Lenient
	}
	next = d.whole(k, t, nil, v.Set(p), pos)
	if d.work -= max(next-pos, 16); next < 0 {
		d.work -= d.read(vio, pos)
	} else if len(d.vio) > vio {
		next = -1
	}
	unknown = d.unknown - was
	d.vio, d.bad = d.vio[:vio], false
	d.mode, d.depth, d.unknown = mode, depth, was
	return next, unknown
}

// read returns how far a trial came.
func (d *dec) read(vio, pos int) int {
	if n := len(d.vio); n > vio {
		return max(d.vio[n-1].at-pos, 0)
	}
	return 0
}

// label names a variant by its Go type, without the package.
func (v *Variant) label() string {
	_, t := resolve(v.T.Kind, v.T)
	if g := cmp.Or(v.T.Go, t.Go); g != nil {
		name := fmt.Sprintf("%T", g)
		return name[strings.LastIndexAny(name, "*.")+1:]
	}
	return "a variant"
}

// why is what a trial complained about, in a few words.
func (d *dec) why(vio []violation, pos int) string {
	if len(vio) == 0 {
		return ""
	}
	v := vio[0]
	if d.bad {
		v = vio[len(vio)-1]
	}
	v.at -= pos
	out := pointers(d.s[pos:], []violation{v})[0]
	return strings.TrimSpace(out.Pointer + " " + out.Message)
}

// none explains why no variant fits: "matches none of: Card (/last4 is required), ...".
func (d *dec) none(u *UnionType, c byte, p unsafe.Pointer, pos int) int {
	vio := len(d.vio)
	next := d.skip(pos)
	if next < 0 {
		return -1 // it is no JSON at all
	}
	var sb strings.Builder
	sb.WriteString("matches none of: ")
	mode, depth := d.mode, d.depth
	for i := range u.Variants {
		v := &u.Variants[i]
		if i > 0 {
			sb.WriteString(", ")
		}
		sb.WriteString(v.label())
		if k, t := resolve(v.T.Kind, v.T); fits(k, t, c) {
			d.whole(k, t, nil, v.Set(p), pos)
			d.work -= max(next-pos, 16)
			if why := d.why(d.vio[vio:], pos); why != "" {
				sb.WriteString(" (" + why + ")")
			}
		} else {
			sb.WriteString(" (of another type)")
		}
		d.vio, d.bad, d.mode, d.depth = d.vio[:vio], false, mode, depth
		if d.work < 0 {
			return d.fail(pos, CodeLimit, "is too costly to tell apart")
		}
	}
	*(*iface)(p) = iface{}
	if d.mode&Lenient != 0 {
		return d.fail(pos, CodeUnion, sb.String())
	}
	if !d.violate(pos, CodeUnion, sb.String()) {
		return -1
	}
	return next
}
