package codec

import (
	"encoding/base64"
	"strings"
	"time"
)

// two returns the value of two digits, or something that is no part of any date.
func two(s string, i int) int {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return 1 << 20
	}
	return int(a)*10 + int(b)
}

var (
	monthDays = [...]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	daysTo    = [...]int{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}
)

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func validDay(y, m, d int) bool {
	return m >= 1 && m <= 12 && d >= 1 && (d <= monthDays[m] || m == 2 && d == 29 && leap(y))
}

// parseTime reads RFC 3339: UTC by hand, other zones by the standard library.
func parseTime(v string) (time.Time, bool) {
	if n := len(v); n >= 20 && v[n-1] == 'Z' && v[4] == '-' && v[7] == '-' && v[10] == 'T' && v[13] == ':' && v[16] == ':' {
		y := two(v, 0)*100 + two(v, 2)
		mo, da, h, mi, se := two(v, 5), two(v, 8), two(v, 11), two(v, 14), two(v, 17)
		if ns, ok := fraction(v[19 : n-1]); ok && y >= 1 && y <= 9999 && h < 24 && mi < 60 && se < 60 && validDay(y, mo, da) {
			p := y - 1
			days := p*365 + (p/4 - p/100 + p/400) + daysTo[mo] + da - 1 - 719162
			if mo > 2 && leap(y) {
				days++
			}
			return time.Unix(int64(days)*86400+int64(h*3600+mi*60+se), ns).UTC(), true
		}
	}
	var t time.Time
	err := t.UnmarshalText([]byte(v))
	return t, err == nil
}

// fraction reads "" or a point and up to nine digits, as nanoseconds.
func fraction(v string) (ns int64, ok bool) {
	if v == "" {
		return 0, true
	}
	if v[0] != '.' || len(v) < 2 || len(v) > 10 {
		return 0, false
	}
	for i := 1; i < len(v); i++ {
		c := v[i] - '0'
		if c > 9 {
			return 0, false
		}
		ns = ns*10 + int64(c)
	}
	for i := len(v); i < 10; i++ {
		ns *= 10
	}
	return ns, true
}

const (
	wantTime  = "must be a time like 2006-01-02T15:04:05Z (RFC 3339)"
	wantDate  = "must be a date like 2006-01-02"
	wantUUID  = "must be a UUID"
	wantBytes = "must be base64 (RFC 4648)"
)

// parseBytes reads base64 of either alphabet, with or without padding: the contract says
// that it is base64, and senders disagree on the rest.
func parseBytes(v string) ([]byte, bool) {
	enc := base64.StdEncoding
	if strings.ContainsAny(v, "-_") {
		enc = base64.URLEncoding
	}
	if len(v)%4 != 0 {
		enc = enc.WithPadding(base64.NoPadding)
	}
	b, err := enc.DecodeString(v)
	return b, err == nil
}
