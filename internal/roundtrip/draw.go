package roundtrip

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// where is what a value travels in, which decides what can be said at all: no place but
// JSON knows null, an empty list or an empty object.
type where uint8

const (
	inJSON where = iota
	inPath
	inQuery
	inHeader
	inCookie
	inAddress
	inForm
	inText
	inXML
)

// A drawer draws values that a table allows.
type drawer struct {
	*rand.Rand
	where   where
	avoid   string     // characters that the place uses itself
	drop    codec.Flag // ReadOnly or WriteOnly: left out
	fill    bool       // what is absent has its default, where there is one
	depth   int
	item    bool // inside a list
	variant bool // inside a union
	err     error
}

// deep is where recursion ends if it may.
const deep = 4

func (d *drawer) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

func (d *drawer) flat() bool { return d.where != inJSON }

// maybe says whether to leave out what may be left out.
func (d *drawer) maybe() bool { return d.depth >= deep || d.IntN(3) == 0 }

// cell returns the Go value that f describes in base, whole or in part.
func cell(base reflect.Value, f *codec.Field) reflect.Value {
	if _, t := f.Resolve(); t != nil && t.Go != nil && f.Off == 0 && f.Flag&(codec.Ptr|codec.Maybe) == 0 && reflect.TypeOf(t.Go).Elem() == base.Type() {
		return base
	}
	for i := base.NumField() - 1; i >= 0; i-- {
		if sf := base.Type().Field(i); sf.Offset == f.Off && sf.IsExported() {
			return base.Field(i)
		}
	}
	return reflect.Value{}
}

// place draws what the field v, described by f, holds.
func (d *drawer) place(v reflect.Value, f codec.Field) {
	if f.Kind == codec.Const || f.Flag&d.drop != 0 {
		return
	}
	optional, null := f.Flag&codec.Req == 0, f.Flag&codec.Null != 0 && !d.flat()
	switch {
	case f.Flag&codec.Maybe != 0:
		if optional && d.maybe() {
			return
		}
		if null && d.maybe() {
			if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON([]byte("null")); err != nil {
				d.fail("null: %v", err)
			}
			return
		}
		f.Off = 0
		inner := reflect.NewAt(v.Field(0).Type(), f.New(v.Addr().UnsafePointer())).Elem()
		d.value(inner, f.Kind, f.T, f.R)
	case f.Flag&codec.Ptr != 0:
		if (optional || null) && d.maybe() {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(v.Elem(), f.Kind, f.T, f.R)
	default:
		k, _ := f.Resolve()
		switch k {
		case codec.Slice, codec.Map, codec.Union, codec.Raw, codec.Bytes, codec.Reader:
			if (optional || null) && d.maybe() {
				return
			}
		}
		d.value(v, f.Kind, f.T, f.R)
	}
}

// value draws a value.
func (d *drawer) value(v reflect.Value, k codec.Kind, t *codec.Type, r *codec.Rule) {
	f := codec.Field{Kind: k, T: t}
	k, t = f.Resolve()
	l := limitsOf(r)
	if t != nil {
		l = limitsOf(r, t.Rules)
	}
	if l.constant != "" {
		if err := f.Decode([]byte(l.constant), v.Addr().UnsafePointer(), codec.Options{}); err != nil {
			d.fail("constant %s: %v", l.constant, err)
		}
		return
	}
	if all := assertions(t, r); len(all) > 0 {
		d.asserted(v, codec.Field{Kind: k, T: t}, l, all)
		return
	}
	d.plain(v, k, t, l)
}

// plain draws a value of which nothing is asserted.
func (d *drawer) plain(v reflect.Value, k codec.Kind, t *codec.Type, l limits) {
	d.depth++
	defer func() { d.depth-- }()
	switch k {
	case codec.Enum:
		v.SetString(t.Enum[d.IntN(len(t.Enum))])
		if t.Open && d.IntN(4) == 0 {
			v.SetString(word(d.Rand, 6))
		}
	case codec.EnumInt:
		v.SetInt(t.EnumInt[d.IntN(len(t.EnumInt))])
	case codec.Object:
		d.object(v, t, l)
	case codec.Tuple:
		d.tuple(v, t)
	case codec.Custom:
		d.custom(v, t)
	case codec.Slice:
		d.list(v, t, l)
	case codec.Map:
		d.dict(v, t, l, nil)
	case codec.Union:
		d.union(v, t)
	case codec.Raw:
		v.SetBytes([]byte(d.raw()))
	case codec.Reader:
		v.Set(reflect.ValueOf(newContent(word(d.Rand, 1+d.IntN(300)))))
	default:
		d.scalar(v, k, l)
	}
}

func (d *drawer) scalar(v reflect.Value, k codec.Kind, l limits) {
	switch k {
	case codec.String:
		v.SetString(d.text(l))
	case codec.Bool:
		v.SetBool(d.IntN(2) == 0)
	case codec.Int32:
		v.SetInt(d.whole(l, math.MinInt32, math.MaxInt32))
	case codec.Int64:
		v.SetInt(d.whole(l, math.MinInt64, math.MaxInt64))
	case codec.Uint32:
		v.SetUint(uint64(d.whole(l, 0, math.MaxUint32)))
	case codec.Uint64:
		v.SetUint(uint64(d.whole(l, 0, math.MaxInt64)))
	case codec.Float32:
		v.SetFloat(float64(float32(d.real(l))))
	case codec.Float64:
		v.SetFloat(d.real(l))
	case codec.Number:
		v.SetString(fmt.Sprint(d.whole(l, -1e6, 1e6)))
	case codec.Time:
		at := time.Unix(d.Int64N(4e9)-1e9, d.Int64N(1e9)).UTC()
		if d.IntN(2) == 0 {
			at = at.Truncate(time.Second).In(time.FixedZone("", 3600*d.IntN(12)))
		}
		v.Set(reflect.ValueOf(at).Convert(v.Type()))
	case codec.Date:
		v.Set(reflect.ValueOf(codec.DateOf(time.Unix(d.Int64N(4e9), 0).UTC())).Convert(v.Type()))
	case codec.UUID:
		for i := range 16 {
			v.Index(i).SetUint(uint64(d.IntN(256)))
		}
	case codec.Bytes:
		n := max(l.minLen, 1) + d.IntN(20)
		if l.hasMaxLen {
			n = min(n, l.maxLen)
		}
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(d.IntN(256))
		}
		v.SetBytes(b)
	default:
		d.fail("no kind %d", k)
	}
}

// raw draws JSON of any shape.
func (d *drawer) raw() string {
	if d.flat() {
		return fmt.Sprintf(`"x%s"`, word(d.Rand, 4))
	}
	shapes := []string{`"text"`, "12", "-0.5", "true", "[]", `{"a":[1,null,{"b":"c"}]}`, `["x"]`, `{}`, `"日\n\"本"`}
	return shapes[d.IntN(len(shapes))]
}

// object draws the fields of a struct, and again until there are as many as it takes.
func (d *drawer) object(v reflect.Value, t *codec.Type, l limits) {
	least := l.minLen
	if d.flat() {
		least = max(least, 1)
	}
	for range 60 {
		v.SetZero()
		n := 0
		for i := range t.Fields {
			f := &t.Fields[i]
			c := cell(v, f)
			if f.Kind == codec.Const {
				n++
				continue
			}
			if !c.IsValid() {
				d.fail("no field for %s", f.Key)
				return
			}
			d.inside(c, *f)
			if _, ok := f.Value(v.Addr().UnsafePointer()); ok {
				n++
			}
		}
		n += d.defaults(v, t)
		for _, m := range t.More {
			if c := cell(v, &codec.Field{Off: m.Off, Kind: codec.Map}); !d.maybe() {
				if d.dict(c, m.T, limitsOf(), t); c.Len() == 0 {
					c.SetZero() // an empty one is not there
				}
				n += c.Len()
			}
		}
		if t.Extra != nil && (n < least || !d.maybe()) {
			if extra := cell(v, &codec.Field{Off: t.ExtraOff, Kind: codec.Map}); extra.IsValid() {
				room := limitsOf(t.Extra.Rules)
				room.minLen = max(room.minLen, 1, least-n)
				d.dict(extra, t.Extra, room, t)
				n += extra.Len()
			}
		}
		if n >= least && (!l.hasMaxLen || n <= l.maxLen) {
			return
		}
	}
	d.fail("no object with %d to %d properties", least, l.maxLen)
}

// inside draws a property. What a form nests is JSON.
func (d *drawer) inside(v reflect.Value, f codec.Field) {
	was := d.where
	if k, _ := f.Resolve(); d.where == inForm && d.depth == 1 && (k == codec.Object || k == codec.Map) {
		if f.Flag&codec.Req == 0 && d.maybe() {
			return
		}
		d.where = inJSON
		f.Flag |= codec.Req
		f.Flag &^= codec.Null
	}
	d.place(v, f)
	d.where = was
}

func (d *drawer) length(l limits) int {
	n := l.minLen
	if d.depth < deep {
		n += d.IntN(3)
	}
	if d.flat() {
		n = max(n, 1)
	}
	if l.hasMaxLen {
		n = min(n, l.maxLen)
	}
	return n
}

func (d *drawer) list(v reflect.Value, t *codec.Type, l limits) {
	was := d.item
	d.item = true
	defer func() { d.item = was }()
	n := d.length(l)
	v.Set(reflect.MakeSlice(v.Type(), 0, n))
	el := t.Element()
	el.Flag |= codec.Req
	seen := map[string]bool{}
	for range 20 * n {
		if v.Len() == n {
			break
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.place(e, el)
		if s := show(e.Interface()); !l.unique || !seen[s] {
			seen[s] = true
			v.Set(reflect.Append(v, e))
		}
	}
	if v.Len() < l.minLen {
		d.fail("no %d items that differ", l.minLen)
	}
}

// dict draws a map; taken has the names that are fields already.
func (d *drawer) dict(v reflect.Value, t *codec.Type, l limits, taken *codec.Type) {
	v.Set(reflect.MakeMap(v.Type()))
	el := t.Element()
	el.Flag |= codec.Req
	n := d.length(l)
	for tries := 0; v.Len() < n && tries < 20*n; tries++ {
		key := "k" + word(d.Rand, 3)
		if !d.flat() && d.IntN(3) == 0 {
			key = odd[d.IntN(len(odd))]
		}
		if t.Names != nil {
			if key = d.text(limitsOf(t.Names)); !strings.HasSuffix(t.Names.Pattern, "$") {
				key += word(d.Rand, 2)
			}
		}
		if taken != nil && (taken.Find(key) >= 0 || claimed(taken, t, key)) {
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.place(e, el)
		v.SetMapIndex(reflect.ValueOf(key), e)
	}
}

// union draws a variant. One that another variant would read in just the same way says
// nothing, and is drawn again.
func (d *drawer) union(v reflect.Value, t *codec.Type) {
	was := d.variant
	d.variant = true
	defer func() { d.variant = was }()
	for range 20 {
		i := d.pick(t.Union)
		va := &t.Union.Variants[i]
		va.Set(v.Addr().UnsafePointer())
		inner := v.Elem().Elem()
		d.value(inner, va.T.Kind, va.T, nil)
		d.discriminate(inner, va, t.Union.Tag)
		if d.err != nil || t.Union.Tag != "" || !ambiguous(v, t) {
			return
		}
	}
	d.fail("no value of %s that only one variant can be", v.Type())
}

// pick chooses a variant, beyond some depth one that ends.
func (d *drawer) pick(u *codec.UnionType) int {
	i := d.IntN(len(u.Variants))
	if d.depth < deep {
		return i
	}
	best := i
	for j := range u.Variants {
		if k, _ := resolved(u.Variants[j].T); k < codec.Object {
			return j
		}
		if _, t := resolved(u.Variants[j].T); t != nil && t.Kind == codec.Object && t.Required <= 1 {
			best = j
		}
	}
	return best
}

// discriminate sets the property by which the variant is known.
func (d *drawer) discriminate(v reflect.Value, va *codec.Variant, tag string) {
	_, t := resolved(va.T)
	if tag == "" || t == nil || t.Kind != codec.Object {
		return
	}
	i := t.Find(tag)
	if i < 0 || t.Fields[i].Kind == codec.Const {
		return
	}
	f := t.Fields[i]
	quoted, _ := json.Marshal(va.Tags[d.IntN(len(va.Tags))])
	if err := f.Decode(quoted, v.Addr().UnsafePointer(), codec.Options{}); err != nil {
		d.fail("tag %s: %v", quoted, err)
	}
}

// ambiguous says whether the value reads back as another variant with nothing lost.
func ambiguous(v reflect.Value, t *codec.Type) bool {
	text, err := t.Append(nil, v.Addr().UnsafePointer(), 0)
	if err != nil {
		return false
	}
	back := reflect.New(v.Type())
	if t.Decode(text, back.UnsafePointer(), codec.Options{}) != nil {
		return false
	}
	again, err := t.Append(nil, back.UnsafePointer(), 0)
	same := back.Elem().Elem().Type() == v.Elem().Type() && show(back.Elem().Interface()) == show(v.Interface())
	return err == nil && !same && compact(again) == compact(text)
}

func resolved(t *codec.Type) (codec.Kind, *codec.Type) {
	f := codec.Field{Kind: t.Kind, T: t}
	return f.Resolve()
}
