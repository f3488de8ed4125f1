package codec

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// check holds the value at p, which was read from pos to end, against a rule; false says
// that reading should stop.
func (d *dec) check(k Kind, t *Type, r *Rule, p unsafe.Pointer, pos, end int) bool {
	if d.mode&Lenient != 0 {
		return true
	}
	if r.Has&ConstOf != 0 && !equalJSON(d.s[d.space(pos):end], r.Const) &&
		!d.violate(pos, CodeConst, "must be "+r.Const) {
		return false
	}
	if r.Has&Also != 0 && !d.also(r, pos, end) {
		return false
	}
	switch k {
	case String, Enum:
		return r.Has&^(ConstOf|Also) == 0 || d.checkString(r, *(*string)(p), pos)
	case Int32:
		return d.checkInt(r, int64(*(*int32)(p)), pos)
	case Int64, EnumInt:
		return d.checkInt(r, *(*int64)(p), pos)
	case Uint32:
		return d.checkInt(r, int64(*(*uint32)(p)), pos)
	case Uint64:
		return d.checkUint(r, *(*uint64)(p), pos)
	case Float32:
		return d.checkFloat(r, float64(*(*float32)(p)), pos)
	case Float64:
		return d.checkFloat(r, *(*float64)(p), pos)
	case Number:
		return d.checkNumber(r, *(*string)(p), pos)
	case Bytes:
		n := len(*(*[]byte)(p))
		return d.checkLen(r, n, pos, CodeMinLength, CodeMaxLength, "bytes")
	case Slice:
		n := (*sliceHeader)(p).len
		return d.checkLen(r, n, pos, CodeMinItems, CodeMaxItems, "items") &&
			(r.Has&Unique == 0 || n < 2 || d.checkUnique(pos))
	case Map:
		return d.checkLen(r, t.Map.Len(p), pos, CodeMinItems, CodeMaxItems, "properties")
	case Object:
		if r.Has&(MinLen|MaxLen) != 0 {
			return d.checkLen(r, d.properties(pos), pos, CodeMinItems, CodeMaxItems, "properties")
		}
	}
	return true
}

// longEnough says that a rule is only about lengths and that a string of n bytes, which
// are n/4 to n characters, holds to it for sure.
func (r *Rule) longEnough(n int) bool {
	return r.Has&^(MinLen|MaxLen) == 0 && n >= 4*r.MinLen && (r.Has&MaxLen == 0 || n <= r.MaxLen)
}

func (d *dec) checkLen(r *Rule, n, pos int, low, high Code, unit string) bool {
	if r.Has&MinLen != 0 && n < r.MinLen {
		return d.violate(pos, low, "must have at least "+strconv.Itoa(r.MinLen)+" "+unit)
	}
	if r.Has&MaxLen != 0 && n > r.MaxLen {
		return d.violate(pos, high, "must have at most "+strconv.Itoa(r.MaxLen)+" "+unit)
	}
	return true
}

func (d *dec) checkString(r *Rule, v string, pos int) bool {
	// n code points need n to 4n bytes: counting is seldom necessary
	if n := len(v); r.Has&MinLen != 0 && n < 4*r.MinLen || r.Has&MaxLen != 0 && n > r.MaxLen {
		if !d.checkLen(r, utf8.RuneCountInString(v), pos, CodeMinLength, CodeMaxLength, "characters") {
			return false
		}
	}
	if r.Has&Pattern != 0 && !r.matches(v) && !d.violate(pos, CodePattern, "must match "+r.Pattern) {
		return false
	}
	if r.Has&Format != 0 && !HasFormat(r.Name, v) && !d.violate(pos, CodeFormat, "must be of the format "+r.Name) {
		return false
	}
	return true
}

// matches compiles the pattern once. One that RE2 cannot compile forbids nothing: Check
// reports it.
func (r *Rule) matches(v string) bool {
	re, ok := r.re.Load().(*regexp.Regexp)
	if !ok {
		var err error
		if re, err = regexp.Compile(r.Pattern); err != nil {
			re = regexp.MustCompile("")
		}
		r.re.Store(re)
	}
	return re.MatchString(v)
}

func (d *dec) checkInt(r *Rule, v int64, pos int) bool {
	switch {
	case r.Has&Min != 0 && v < r.Min:
		return d.violate(pos, CodeMinimum, "must be at least "+strconv.FormatInt(r.Min, 10))
	case r.Has&Max != 0 && v > r.Max:
		return d.violate(pos, CodeMaximum, "must be at most "+strconv.FormatInt(r.Max, 10))
	case r.Has&Multiple != 0 && r.Multiple != 0 && v%r.Multiple != 0:
		return d.violate(pos, CodeMultiple, "must be a multiple of "+strconv.FormatInt(r.Multiple, 10))
	case r.Has&(FMin|FMax|FMinExcl|FMaxExcl|FMultiple) != 0:
		return d.checkFloat(r, float64(v), pos)
	}
	return true
}

// checkUint is checkInt for values that int64 may not hold.
func (d *dec) checkUint(r *Rule, v uint64, pos int) bool {
	if v <= math.MaxInt64 {
		return d.checkInt(r, int64(v), pos)
	}
	switch {
	case r.Has&Max != 0:
		return d.violate(pos, CodeMaximum, "must be at most "+strconv.FormatInt(r.Max, 10))
	case r.Has&Multiple != 0 && r.Multiple > 0 && v%uint64(r.Multiple) != 0:
		return d.violate(pos, CodeMultiple, "must be a multiple of "+strconv.FormatInt(r.Multiple, 10))
	}
	return true
}

func (d *dec) checkFloat(r *Rule, v float64, pos int) bool {
	low, high := r.Has&FMin != 0, r.Has&FMax != 0
	switch {
	case low && v < r.FMin:
		return d.violate(pos, CodeMinimum, fmt.Sprint("must be at least ", r.FMin))
	case low && r.Has&FMinExcl != 0 && v == r.FMin:
		return d.violate(pos, CodeMinimum, fmt.Sprint("must be greater than ", r.FMin))
	case high && v > r.FMax:
		return d.violate(pos, CodeMaximum, fmt.Sprint("must be at most ", r.FMax))
	case high && r.Has&FMaxExcl != 0 && v == r.FMax:
		return d.violate(pos, CodeMaximum, fmt.Sprint("must be less than ", r.FMax))
	case r.Has&FMultiple != 0 && r.FMultiple > 0 && !multipleOf(v, r.FMultiple):
		return d.violate(pos, CodeMultiple, fmt.Sprint("must be a multiple of ", r.FMultiple))
	}
	return true
}

// multipleOf allows for what binary fractions lose: 0.3 is a multiple of 0.1.
func multipleOf(v, m float64) bool {
	q := v / m
	return math.Abs(q-math.Round(q)) <= 1e-9*max(1, math.Abs(q)) && !math.IsInf(q, 0)
}

func (d *dec) checkNumber(r *Rule, v string, pos int) bool {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return d.checkInt(r, n, pos)
	}
	f, _ := strconv.ParseFloat(v, 64) // infinite where it is out of range: compares right
	w := Rule{Has: r.Has, FMin: r.FMin, FMax: r.FMax, FMultiple: r.FMultiple}
	if r.Has&Min != 0 {
		w.Has, w.FMin = w.Has|FMin, float64(r.Min)
	}
	if r.Has&Max != 0 {
		w.Has, w.FMax = w.Has|FMax, float64(r.Max)
	}
	if r.Has&Multiple != 0 {
		w.Has, w.FMultiple = w.Has|FMultiple, float64(r.Multiple)
	}
	return d.checkFloat(&w, f, pos)
}

// properties counts those of the object at pos, which has been read already.
func (d *dec) properties(pos int) (n int) {
	for pos = d.open(pos, '{', wantObject); ; n++ {
		_, ok, next := d.entry(n == 0, pos)
		if !ok {
			return n
		}
		pos = d.skip(next)
	}
}

// checkUnique compares the items of the array at pos, which has been read already.
func (d *dec) checkUnique(pos int) bool {
	seen := map[string]struct{}{}
	at := pos
	pos = d.open(pos, '[', wantArray)
	for n := 0; ; n++ {
		more, next := d.more(n, pos)
		if !more {
			return true
		}
		from := d.space(next)
		pos = d.skip(from)
		key := canonical(d.s[from:pos])
		if _, dup := seen[key]; dup {
			return d.violate(at, CodeUnique, "must not have equal items")
		}
		seen[key] = struct{}{}
	}
}
