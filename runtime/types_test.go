package runtime_test

import (
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
)

func TestValues(t *testing.T) {
	id := concordat.NewUUID()
	if got, err := concordat.ParseUUID(id.String()); err != nil || got != id || got == concordat.NewUUID() {
		t.Errorf("%v becomes %v, %v", id, got, err)
	}
	at := time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", 3600))
	d := concordat.DateOf(at)
	if got, err := concordat.ParseDate(d.String()); err != nil || got != d || d.String() != "2026-11-23" {
		t.Errorf("%v becomes %v, %v", d, got, err)
	}
	for _, bad := range []string{"", "2026-13-01", "23.11.2026"} {
		if _, err := concordat.ParseDate(bad); err == nil {
			t.Errorf("%q is a date", bad)
		}
	}
	if _, err := concordat.ParseUUID("42"); err == nil {
		t.Error("42 is a UUID")
	}
	if v, ok := concordat.Some(3).Get(); !ok || v != 3 {
		t.Errorf("got %v, %v", v, ok)
	}
	if !concordat.NullOf[int]().IsNull() {
		t.Error("null is not null")
	}
}
