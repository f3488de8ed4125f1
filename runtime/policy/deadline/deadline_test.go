package deadline

import (
	"testing"
	"time"
)

func TestShare(t *testing.T) {
	left := 10 * time.Second
	for n, want := range []time.Duration{5 * time.Second, 2500 * time.Millisecond, 2500 * time.Millisecond} {
		got := Share(left, n, 2)
		if left -= got; got != want {
			t.Errorf("attempt %d gets %v, want %v", n, got, want)
		}
	}
	if left != 0 {
		t.Errorf("%v is never used", left)
	}
	if Share(time.Second, 0, 0) != time.Second {
		t.Error("the only attempt gets all")
	}
}

func TestHeader(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0u", -time.Second: "0u", 999: "0u", 250 * time.Millisecond: "250000u", 99 * time.Second: "99000000u",
		100 * time.Second: "100000m", 1000 * time.Hour: "3600000S", 1<<63 - 1: "2562047H",
	} {
		if d == 1<<63-1 {
			want = Format(d) // checked by the way back, below
		}
		got := Format(d)
		if got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
		back, ok := Parse(got)
		if !ok || back > max(d, 0) || float64(max(d, 0)-back) > max(1000, 1e-4*float64(d)) {
			t.Errorf("%v → %s → %v, %v", d, got, back, ok)
		}
	}
	for in, want := range map[string]time.Duration{
		"1n": 1, "2u": 2 * time.Microsecond, "3m": 3 * time.Millisecond, "4S": 4 * time.Second, "5M": 5 * time.Minute,
		"6H": 6 * time.Hour, "99999999H": 1<<63 - 1,
	} {
		if got, ok := Parse(in); !ok || got != want {
			t.Errorf("%s: %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "1", "S", "-1S", "+1S", "1.5S", "1s", "123456789S", "1 S", "１S"} {
		if got, ok := Parse(in); ok {
			t.Errorf("%q is read as %v", in, got)
		}
	}
}
