package codec

import (
	"strings"
	"testing"
	"unsafe"
)

type defaulted struct {
	N     *int64
	Tags  []string
	Inner *defaulted
	Must  string
	Read  *bool
}

func defaultedType(defaults ...Default) *Type {
	t := &Type{Kind: Object, Size: unsafe.Sizeof(defaulted{}), Go: (*defaulted)(nil), Required: 1, Defaults: defaults}
	t.Fields = []Field{
		{Key: `,"n":`, Kind: Int64, Off: unsafe.Offsetof(defaulted{}.N), Flag: Ptr, R: &Rule{Has: Max, Max: 9}},
		{Key: `,"tags":`, Kind: Slice, T: &StringsTable, Off: unsafe.Offsetof(defaulted{}.Tags)},
		{Key: `,"inner":`, Kind: Object, T: t, Off: unsafe.Offsetof(defaulted{}.Inner), Flag: Ptr},
		{Key: `,"must":`, Off: unsafe.Offsetof(defaulted{}.Must), Flag: Req},
		{Key: `,"read":`, Kind: Bool, Off: unsafe.Offsetof(defaulted{}.Read), Flag: Ptr | ReadOnly},
	}
	return t
}

func TestDefaults(t *testing.T) {
	table := defaultedType(Default{0, "7"}, Default{1, `["a"]`}, Default{4, "true"})
	for _, c := range []struct {
		mode       Mode
		text, want string
	}{
		{Request | Defaults, `{"must":"m"}`, `{"n":7,"tags":["a"],"must":"m"}`},
		{Request | Defaults, `{"must":"m","read":false}`, `{"n":7,"tags":["a"],"must":"m"}`},
		{Request | Defaults, `{"inner":{"must":"i","tags":[]},"must":"m","n":1}`, `{"n":1,"tags":["a"],"inner":{"n":7,"tags":[],"must":"i"},"must":"m"}`},
		{Defaults, `{"must":"m"}`, `{"n":7,"tags":["a"],"must":"m","read":true}`},
		{Request, `{"must":"m"}`, `{"must":"m"}`},
		{0, `{"must":"m"}`, `{"must":"m"}`},
	} {
		var v defaulted
		if err := table.Decode([]byte(c.text), unsafe.Pointer(&v), Options{Mode: c.mode}); err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, err := table.Marshal(unsafe.Pointer(&v)); err != nil || string(got) != c.want {
			t.Errorf("mode %d, %s\ngot  %s %v\nwant %s", c.mode, c.text, got, err, c.want)
		}
	}
}

// Two values share nothing, though they have one default.
func TestDefaultsAreNotShared(t *testing.T) {
	table := defaultedType(Default{0, "7"}, Default{1, `["a"]`})
	var one, two defaulted
	for _, v := range []*defaulted{&one, &two} {
		if err := table.Decode([]byte(`{"must":"m"}`), unsafe.Pointer(v), Options{Mode: Defaults}); err != nil {
			t.Fatal(err)
		}
	}
	one.Tags[0], *one.N = "changed", 8
	if two.Tags[0] != "a" || *two.N != 7 {
		t.Errorf("the other became %v, %d", two.Tags, *two.N)
	}
}

func TestWrongDefaults(t *testing.T) {
	for _, c := range []struct {
		of   Default
		want string
	}{
		{Default{0, `"seven"`}, "cannot be"}, {Default{0, "10"}, "cannot be"}, {Default{1, "[1]"}, "cannot be"},
		{Default{3, `"m"`}, "no field that may be absent"}, {Default{9, "1"}, "no field that may be absent"}, {Default{0, "{"}, "cannot be"},
	} {
		if err := Check[defaulted](defaultedType(c.of)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.of, err)
		}
	}
	if err := Check[defaulted](defaultedType(Default{0, "9"})); err != nil {
		t.Error(err)
	}
}
