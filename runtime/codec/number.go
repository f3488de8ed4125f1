package codec

import (
	"math"
	"strconv"
	"strings"
)

// scanNumber returns the end of the JSON number at i, or -1.
func scanNumber(s string, i int) int {
	if i < len(s) && s[i] == '-' {
		i++
	}
	from := i
	if i = digits(s, i); i == from || i > from+1 && s[from] == '0' {
		return -1
	}
	if i < len(s) && s[i] == '.' {
		from = i + 1
		if i = digits(s, from); i == from {
			return -1
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from = i
		if i = digits(s, i); i == from {
			return -1
		}
	}
	return i
}

func digits(s string, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}

const (
	wantInteger = "must be an integer"
	wantNumber  = "must be a number"
	msgRange    = "must fit its integer type"
)

// magnitude reads the digits of an integer. next is where they end; -1 after a failure.
// exact is false if there are other forms of an integer, like 1e3, or too many digits:
// slowInteger must look.
func (d *dec) magnitude(pos int) (n uint64, neg, exact bool, next int) {
	s := d.s
	if pos < len(s) && s[pos] <= ' ' {
		pos = d.space(pos)
	}
	i := pos
	if i < len(s) && s[i] == '-' {
		neg = true
		i++
	}
	from := i
	for i < len(s) {
		c := s[i] - '0'
		if c > 9 {
			break
		}
		n = n*10 + uint64(c)
		i++
	}
	count := i - from
	if count == 0 || count > 1 && s[from] == '0' {
		return 0, neg, false, d.mismatch(pos, wantInteger)
	}
	if count > 19 || i < len(s) && (s[i] == '.' || s[i]|0x20 == 'e') {
		n, i = d.slowInteger(pos)
		return n, neg, false, i
	}
	return n, neg, true, i
}

// slowInteger reads integers that are written like 1.0 or 1e3 (JSON Schema 2020-12,
// 6.1.1, takes them for integers), or with 20 digits or more.
func (d *dec) slowInteger(pos int) (uint64, int) {
	end := scanNumber(d.s, pos)
	if end < 0 {
		return 0, d.fail(pos, CodeSyntax, "must be a JSON number")
	}
	var buf [40]byte
	_, ds, exp := decimal(buf[:0], d.s[pos:end])
	if len(ds) == 0 {
		return 0, end
	}
	if exp < 0 {
		return 0, d.fail(pos, CodeType, wantInteger)
	}
	if len(ds)+exp > 20 {
		return 0, d.fail(pos, CodeRange, msgRange)
	}
	for ; exp > 0; exp-- {
		ds = append(ds, '0')
	}
	n, err := strconv.ParseUint(string(ds), 10, 64)
	if err != nil {
		return 0, d.fail(pos, CodeRange, msgRange)
	}
	return n, end
}

// decimal returns the value of a JSON number as digits × 10^exp, in the one form that has
// no zeros at either end of digits; zero has no digits. Exponents saturate.
func decimal(b []byte, s string) (neg bool, ds []byte, exp int) {
	if neg = strings.HasPrefix(s, "-"); neg {
		s = s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		if exp, err = strconv.Atoi(s[i+1:]); err != nil || exp > 1<<28 || exp < -1<<28 {
			exp = 1 << 28
			if s[i+1] == '-' {
				exp = -exp
			}
		}
		s = s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	b = append(append(b, whole...), frac...)
	exp -= len(frac)
	for len(b) > 0 && b[0] == '0' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] == '0' {
		b = b[:len(b)-1]
		exp++
	}
	if len(b) == 0 {
		return false, nil, 0
	}
	return neg, b, exp
}

// int reads an integer between lo and hi.
func (d *dec) int(pos int, lo, hi int64) (int64, int) {
	n, neg, _, next := d.magnitude(pos)
	if next < 0 {
		return 0, -1
	}
	v := int64(n)
	if neg {
		v = -v
	}
	if n > 1<<63 || n == 1<<63 && !neg || v < lo || v > hi {
		return 0, d.fail(d.space(pos), CodeRange, msgRange)
	}
	return v, next
}

// uint reads an integer between 0 and hi.
func (d *dec) uint(pos int, hi uint64) (uint64, int) {
	n, neg, _, next := d.magnitude(pos)
	if next < 0 {
		return 0, -1
	}
	if n > hi || neg && n != 0 {
		return 0, d.fail(d.space(pos), CodeRange, msgRange)
	}
	return n, next
}

var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// float reads a number as the nearest float64.
func (d *dec) float(pos int) (float64, int) {
	s := d.s
	if pos < len(s) && s[pos] <= ' ' {
		pos = d.space(pos)
	}
	i := pos
	neg := i < len(s) && s[i] == '-'
	if neg {
		i++
	}
	var m uint64
	from := i
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		m = m*10 + uint64(s[i]-'0')
	}
	count, exp := i-from, 0
	if count == 0 || count > 1 && s[from] == '0' {
		return 0, d.mismatch(pos, wantNumber)
	}
	if i < len(s) && s[i] == '.' {
		i++
		from = i
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
			m = m*10 + uint64(s[i]-'0')
		}
		exp = from - i
		count -= exp
		if exp == 0 {
			return 0, d.mismatch(pos, wantNumber)
		}
	}
	// Both m and the power are exact: so is one operation on them.
	if count <= 19 && m < 1<<53 && exp >= -22 && (i == len(s) || s[i]|0x20 != 'e') {
		v := float64(m) / pow10[-exp]
		if neg {
			v = -v
		}
		return v, i
	}
	return d.slowFloat(pos, 64)
}

func (d *dec) float32(pos int) (float32, int) {
	pos = d.space(pos)
	v, next := d.slowFloat(pos, 32)
	return float32(v), next
}

func (d *dec) slowFloat(pos, bits int) (float64, int) {
	end := scanNumber(d.s, pos)
	if end < 0 {
		return 0, d.mismatch(pos, wantNumber)
	}
	v, err := strconv.ParseFloat(d.s[pos:end], bits)
	if err != nil || math.IsInf(v, 0) {
		return 0, d.fail(pos, CodeRange, "must fit a floating-point number")
	}
	return v, end
}

// number reads a number and keeps its digits.
func (d *dec) number(pos int) (string, int) {
	pos = d.space(pos)
	end := scanNumber(d.s, pos)
	if end < 0 {
		return "", d.mismatch(pos, wantNumber)
	}
	return d.cut(pos, end), end
}
