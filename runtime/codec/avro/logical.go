package avro

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// units are how many of their units a second has.
var units = map[string]int64{"timestamp-millis": 1e3, "timestamp-micros": 1e6, "timestamp-nanos": 1e9}

const day = 24 * time.Hour

// logical writes a value of a logical type that has JSON of its own. Where it has none,
// the value is written as the underlying type is.
func (w *writer) logical(s *schema, v any) (done bool, err error) {
	switch {
	case s.logical == "decimal" && (s.kind == byteString || s.kind == fixed):
		return true, w.decimal(s, v)
	case s.logical == "uuid" && s.kind == fixed && s.size == 16:
		text, _ := v.(string)
		raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
		if err != nil || len(raw) != 16 {
			return true, mismatch(s, v)
		}
		w.b = append(w.b, raw...)
		return true, nil
	case s.logical == "date" && s.kind == integer:
		text, _ := v.(string)
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return true, mismatch(s, v)
		}
		w.b = binary.AppendVarint(w.b, t.Unix()/int64(day/time.Second))
		return true, nil
	case units[s.logical] > 0 && s.kind == long:
		text, _ := v.(string)
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return true, mismatch(s, v)
		}
		n, ok := since(t, units[s.logical])
		if !ok {
			return true, fmt.Errorf("%s is out of the range of %s", text, s.logical)
		}
		w.b = binary.AppendVarint(w.b, n)
		return true, nil
	}
	return false, nil
}

// since counts units since 1970, down to the whole one.
func since(t time.Time, unit int64) (int64, bool) {
	n := new(big.Int).Mul(big.NewInt(t.Unix()), big.NewInt(unit))
	n.Add(n, big.NewInt(int64(t.Nanosecond())/(1e9/unit)))
	return n.Int64(), n.IsInt64()
}

// decimal writes an unscaled two's complement number, which must lose no digit.
func (w *writer) decimal(s *schema, v any) error {
	n, ok := v.(json.Number)
	if !ok {
		return mismatch(s, v)
	}
	unscaled, err := scaled(n.String(), s.scale)
	if err != nil {
		return err
	}
	raw := complement(unscaled)
	if s.kind == byteString {
		w.bytes(raw)
		return nil
	}
	if len(raw) > s.size {
		return fmt.Errorf("%s does not fit %d bytes", n, s.size)
	}
	sign := byte(0)
	if unscaled.Sign() < 0 {
		sign = 0xff
	}
	w.b = append(append(w.b, slices.Repeat([]byte{sign}, s.size-len(raw))...), raw...)
	return nil
}

// maxExponent bounds the numbers that are multiplied out.
const maxExponent = 10_000

// scaled is text times ten to the scale.
func scaled(text string, scale int) (*big.Int, error) {
	mantissa, exp, _ := strings.Cut(strings.ToLower(text), "e")
	e, err := strconv.Atoi(exp)
	if err != nil && exp != "" || e > maxExponent || e < -maxExponent || len(text) > maxExponent {
		return nil, fmt.Errorf("%.40s is no decimal", text)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return nil, fmt.Errorf("%.40s is no decimal", text)
	}
	shift := e + scale - len(fraction)
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		return n.Mul(n, ten), nil
	}
	n, rest := n.QuoRem(n, ten, new(big.Int))
	if rest.Sign() != 0 {
		return nil, fmt.Errorf("%s has more than %d digits after the point", text, scale)
	}
	return n, nil
}

// complement is the shortest two's complement of n, big-endian.
func complement(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	size := len(new(big.Int).Not(n).Bytes())
	for {
		b := new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(max(size, 1))*8)).Bytes()
		if size > 0 && len(b) == size && b[0]&0x80 != 0 {
			return b
		}
		size++
	}
}

// logical reads a value of a logical type that has JSON of its own.
func (r *reader) logical(s *schema) (done bool, err error) {
	switch {
	case s.logical == "decimal" && (s.kind == byteString || s.kind == fixed):
		raw, err := r.raw(s)
		if err != nil {
			return true, err
		}
		return true, r.decimal(raw, s.scale)
	case s.logical == "uuid" && s.kind == fixed && s.size == 16:
		b, err := r.take(16)
		if err != nil {
			return true, err
		}
		r.quote(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
		return true, nil
	case s.logical == "date" && s.kind == integer:
		n, err := r.long()
		if err != nil {
			return true, err
		}
		return true, r.moment(time.Unix(0, 0).UTC().AddDate(0, 0, int(int32(n))), time.DateOnly)
	case units[s.logical] > 0 && s.kind == long:
		n, err := r.long()
		if err != nil {
			return true, err
		}
		unit := units[s.logical]
		seconds, rest := n/unit, n%unit
		return true, r.moment(time.Unix(seconds, rest*(1e9/unit)).UTC(), time.RFC3339Nano)
	}
	return false, nil
}

func (r *reader) moment(t time.Time, layout string) error {
	if t.Year() < 0 || t.Year() > 9999 {
		return fmt.Errorf("the year %d cannot be written as RFC 3339", t.Year())
	}
	r.quote(t.Format(layout))
	return nil
}

// decimal writes a number with all its digits.
func (r *reader) decimal(raw []byte, scale int) error {
	if len(raw) > maxExponent/4 || scale < 0 || scale > maxExponent {
		return errors.New("a decimal is too long")
	}
	n := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(raw))*8))
	}
	digits := new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		r.out = append(r.out, '-')
	}
	if scale == 0 {
		r.out = append(r.out, digits...)
		return nil
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	r.out = append(append(append(r.out, digits[:len(digits)-scale]...), '.'), digits[len(digits)-scale:]...)
	return nil
}

// number decodes JSON with numbers as they are written.
func number(text json.RawMessage) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}
