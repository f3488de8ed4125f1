package codec

import (
	"encoding/json"
	"math"
	"strings"
	"time"
	"unsafe"
)

// whole reads a value and checks the rules of its place and of its type.
func (d *dec) whole(k Kind, t *Type, r *Rule, p unsafe.Pointer, pos int) int {
	if k >= Lazy || t != nil && t.Lazy != nil {
		k, t = resolve(k, t)
	}
	next := d.value(k, t, p, pos)
	if next >= 0 && !d.checked(k, t, r, p, pos, next) {
		return -1
	}
	return next
}

func (d *dec) checked(k Kind, t *Type, r *Rule, p unsafe.Pointer, pos, end int) bool {
	if r != nil && !d.check(k, t, r, p, pos, end) {
		return false
	}
	return t == nil || t.Rules == nil || d.check(k, t, t.Rules, p, pos, end)
}

// value reads any kind but the recursive edge.
func (d *dec) value(k Kind, t *Type, p unsafe.Pointer, pos int) (next int) {
	switch k {
	case String:
		*(*string)(p), next = d.string(pos)
	case Bool:
		*(*bool)(p), next = d.bool(pos)
	case Int32:
		var v int64
		v, next = d.int(pos, math.MinInt32, math.MaxInt32)
		*(*int32)(p) = int32(v)
	case Int64:
		*(*int64)(p), next = d.int(pos, math.MinInt64, math.MaxInt64)
	case Uint32:
		var v uint64
		v, next = d.uint(pos, math.MaxUint32)
		*(*uint32)(p) = uint32(v)
	case Uint64:
		*(*uint64)(p), next = d.uint(pos, math.MaxUint64)
	case Float32:
		*(*float32)(p), next = d.float32(pos)
	case Float64:
		*(*float64)(p), next = d.float(pos)
	case Number:
		*(*string)(p), next = d.number(pos)
	case Time, Date, UUID, Bytes:
		return d.textual(k, p, pos)
	case Raw:
		pos = d.space(pos)
		if next = d.skip(pos); next >= 0 {
			*(*json.RawMessage)(p) = json.RawMessage(strings.Clone(d.s[pos:next]))
		}
	case Enum:
		*(*string)(p), next = d.enum(t, pos)
	case EnumInt:
		var v int64
		v, next = d.int(pos, math.MinInt64, math.MaxInt64)
		*(*int64)(p) = v
		if next >= 0 && !d.memberInt(t, v) && !d.violate(pos, CodeEnum, "must be one of the values that the contract lists") {
			return -1
		}
	case Const:
		return d.constant(t, pos)
	case Custom:
		return d.custom(t, p, pos)
	case Object:
		return d.object(t, p, pos)
	case Tuple:
		return d.tuple(t, p, pos)
	case Slice:
		return d.list(t, p, pos)
	case Map:
		return d.dict(t, p, pos)
	case Union:
		return d.union(t.Union, p, pos)
	default:
		return d.fail(pos, CodeType, "cannot be part of JSON")
	}
	return next
}

// textual reads what is a string in JSON and something else in Go.
func (d *dec) textual(k Kind, p unsafe.Pointer, pos int) int {
	v, next := d.peekString(pos)
	if next < 0 {
		return -1
	}
	if want := parseTextual(k, v, p); want != "" {
		return d.fail(d.space(pos), CodeType, want)
	}
	return next
}

// parseTextual returns "" or what v should be.
func parseTextual(k Kind, v string, p unsafe.Pointer) (want string) {
	ok := false
	switch k {
	case Time:
		var t time.Time
		t, ok = parseTime(v)
		*(*time.Time)(p), want = t, wantTime
	case Date:
		*(*DateValue)(p), ok = parseDate(v)
		want = wantDate
	case UUID:
		ok, want = parseUUID(v, (*[16]byte)(p)), wantUUID
	case Bytes:
		*(*[]byte)(p), ok = parseBytes(v)
		want = wantBytes
	}
	if ok {
		return ""
	}
	return want
}

// member returns the table's own copy of an enum's value, so that nothing is allocated.
func (t *Type) member(v string) (string, bool) {
	for _, e := range t.Enum {
		if e == v {
			return e, true
		}
	}
	return v, false
}

func (d *dec) memberInt(t *Type, v int64) bool {
	if t.Open || d.mode&Lenient != 0 {
		return true
	}
	for _, e := range t.EnumInt {
		if e == v {
			return true
		}
	}
	return false
}

func (d *dec) enum(t *Type, pos int) (string, int) {
	v, next := d.peekString(pos)
	if next < 0 {
		return "", -1
	}
	e, ok := t.member(v)
	if ok {
		return e, next
	}
	if !t.Open && d.mode&Lenient == 0 && !d.violate(pos, CodeEnum, listed(t.Enum)) {
		return "", -1
	}
	if d.alias {
		return v, next
	}
	return d.hold(v), next
}

// listed says what is allowed, as long as that is readable.
func listed(vs []string) string {
	if len(vs) == 0 || len(vs) > 10 {
		return "must be one of the values that the contract lists"
	}
	return "must be one of " + strings.Join(vs, ", ")
}

func (d *dec) constant(t *Type, pos int) int {
	pos = d.space(pos)
	if c := t.Const; strings.HasPrefix(d.s[pos:], c) && len(c) > 1 && c[0] == '"' {
		return pos + len(c)
	}
	next := d.skip(pos)
	if next >= 0 && d.mode&Lenient == 0 && !equalJSON(d.s[pos:next], t.Const) &&
		!d.violate(pos, CodeConst, "must be "+t.Const) {
		return -1
	}
	return next
}

// flagged prepares the memory of a field that has more flags than Req; done says that
// null was read.
func (d *dec) flagged(f *Field, p unsafe.Pointer, pos int) (_ unsafe.Pointer, next int, done bool) {
	if f.Kind != Raw && f.Kind != Const && (f.Flag&Null != 0 || d.mode&Lenient != 0) {
		if next, ok := d.null(pos); ok {
			d.setNull(f, p)
			return p, next, true
		}
	}
	switch {
	case f.Flag&Maybe != 0:
		*(*state)(unsafe.Add(p, sizeOf(f.Kind, f.T))) = isSet
	case f.Flag&Ptr != 0:
		q := d.optional(f.Kind, f.T)
		*(*unsafe.Pointer)(p) = q
		p = q
	}
	return p, pos, false
}

func (d *dec) setNull(f *Field, p unsafe.Pointer) {
	switch {
	case f.Flag&Maybe != 0:
		*(*state)(unsafe.Add(p, sizeOf(f.Kind, f.T))) = isNull
	case f.Flag&Ptr != 0:
		*(*unsafe.Pointer)(p) = nil
	default:
		setNil(f.Kind, f.T, p)
	}
}

// setNil empties a value that can be nil.
func setNil(k Kind, t *Type, p unsafe.Pointer) {
	switch k, _ = resolve(k, t); k {
	case Slice, Bytes, Raw:
		*(*sliceHeader)(p) = sliceHeader{}
	case Map:
		*(*unsafe.Pointer)(p) = nil
	case Union:
		*(*iface)(p) = iface{}
	}
}
