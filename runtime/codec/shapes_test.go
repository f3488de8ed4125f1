package codec_test

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

type Any interface{ isAny() }
type Text string
type Num float64
type Texts []string

func (*Text) isAny()  {}
func (*Num) isAny()   {}
func (*Texts) isAny() {}
func (*Card) isAny()  {}
func (*IBAN) isAny()  {}

var (
	textTable  = Type{Kind: String, Size: unsafe.Sizeof(Text("")), Go: (*Text)(nil), Rules: &Rule{Has: MinLen | Pattern, MinLen: 2, Pattern: "^[a-z]+$"}}
	numTable   = Type{Kind: Float64, Size: unsafe.Sizeof(Num(0)), Go: (*Num)(nil)}
	textsTable = Type{Kind: Slice, Size: unsafe.Sizeof(Texts(nil)), Go: (*Texts)(nil), Elem: &StringTable, Rules: &Rule{Has: Unique}}
	anyTable   = Type{Kind: Union, Size: unsafe.Sizeof(Any(nil)), Go: (*Any)(nil), Union: &UnionType{Variants: []Variant{
		{T: &textTable, Set: setAny[Text]}, {T: &numTable, Set: setAny[Num]}, {T: &textsTable, Set: setAny[Texts]},
		{T: &cardTable, Set: setAny[Card]}, {T: &ibanTable, Set: setAny[IBAN]},
	}, Get: func(p unsafe.Pointer) (int, unsafe.Pointer) {
		switch v := (*(*Any)(p)).(type) {
		case *Text:
			return 0, unsafe.Pointer(v)
		case *Num:
			return 1, unsafe.Pointer(v)
		case *Texts:
			return 2, unsafe.Pointer(v)
		case *Card:
			return 3, unsafe.Pointer(v)
		case *IBAN:
			return 4, unsafe.Pointer(v)
		}
		return -1, nil
	}}}
)

func setAny[T any](p unsafe.Pointer) unsafe.Pointer {
	v := new(T)
	*(*Any)(p) = any(v).(Any)
	return unsafe.Pointer(v)
}

func TestUntagged(t *testing.T) {
	if err := Check[Any](&anyTable); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, want, code string }{
		{`"abc"`, "*codec_test.Text", ""},
		{`1.5`, "*codec_test.Num", ""},
		{`["a","b"]`, "*codec_test.Texts", ""},
		{`{"kind":"iban","iban":"x"}`, "*codec_test.IBAN", ""},
		{`{"last4":"1","kind":"card"}`, "*codec_test.Card", ""},
		{`true`, "", "type"},
		{`"A"`, "", "min_length"},
		{`["a","a"]`, "", "unique"},
		{`{"kind":"card"}`, "", "union"},
		{`{"kind":"card",}`, "", "syntax"},
	} {
		var v Any
		err := anyTable.Unmarshal([]byte(c.in), unsafe.Pointer(&v))
		if c.code == "" {
			out, merr := anyTable.Marshal(unsafe.Pointer(&v))
			if err != nil || merr != nil || fmt.Sprintf("%T", v) != c.want || len(out) != len(c.in) {
				t.Errorf("%s: %T, %v, %s", c.in, v, err, out)
			}
		} else if string(firstViolation(t, err).Code) != c.code {
			t.Errorf("%s: %v", c.in, err)
		}
	}
	var v Any
	err := anyTable.Unmarshal([]byte(`{"kind":"card"}`), unsafe.Pointer(&v))
	if msg := firstViolation(t, err).Message; !strings.Contains(msg, "Card (/last4 is required)") || !strings.Contains(msg, "IBAN (") || v != nil {
		t.Errorf("%v %s", v, msg)
	}
}

func TestExtra(t *testing.T) {
	in := `{"nints":null,"naddr":null,"a":true,"b":false}`
	var l Lists
	if err := listsTable.Unmarshal([]byte(in), unsafe.Pointer(&l)); err != nil || len(l.Extra) != 2 {
		t.Fatal(l.Extra, err)
	}
	if out, err := listsTable.Marshal(unsafe.Pointer(&l)); err != nil || string(out) != in {
		t.Error(string(out), err)
	}
	l.Extra["ints"] = true
	if _, err := listsTable.Marshal(unsafe.Pointer(&l)); firstViolation(t, err).Pointer != "/ints" {
		t.Error(err)
	}
	if err := listsTable.Unmarshal([]byte(`{"nints":null,"naddr":null,"a":true,"a":false}`), unsafe.Pointer(&l)); firstViolation(t, err).Code != CodeDuplicate {
		t.Error(err)
	}
}

// TestWide uses more fields than any bit set in a register, in reverse order.
func TestWide(t *testing.T) {
	type wide struct{ V [400]int64 }
	table := Type{Kind: Object, Size: unsafe.Sizeof(wide{}), Go: (*wide)(nil), Required: 400}
	var parts []string
	for i := range 400 {
		table.Fields = append(table.Fields, Field{Key: fmt.Sprintf(`,"f%d":`, i), Kind: Int64, Off: uintptr(i) * 8, Flag: Req})
		parts = append(parts, fmt.Sprintf(`"f%d":%d`, 399-i, 399-i))
	}
	var w wide
	if err := table.Unmarshal([]byte("{"+strings.Join(parts, ", ")+"}"), unsafe.Pointer(&w)); err != nil {
		t.Fatal(err)
	}
	for i, v := range w.V {
		if v != int64(i) {
			t.Fatalf("f%d is %d", i, v)
		}
	}
	if err := table.Unmarshal([]byte("{"+strings.Join(parts[1:], ",")+"}"), unsafe.Pointer(&w)); firstViolation(t, err).Pointer != "/f399" {
		t.Error(err)
	}
	if err := table.Unmarshal([]byte("{"+strings.Join(parts, ",")+`,"f300":1}`), unsafe.Pointer(&w)); firstViolation(t, err).Code != CodeDuplicate {
		t.Error(err)
	}
}

func TestSides(t *testing.T) {
	type user struct{ ID, Name, Password string }
	table := Type{Kind: Object, Size: unsafe.Sizeof(user{}), Go: (*user)(nil), Required: 3, Closed: true, Fields: []Field{
		{Key: `,"id":`, Off: unsafe.Offsetof(user{}.ID), Flag: Req | ReadOnly},
		{Key: `,"name":`, Off: unsafe.Offsetof(user{}.Name), Flag: Req},
		{Key: `,"password":`, Off: unsafe.Offsetof(user{}.Password), Flag: Req | WriteOnly},
	}}
	u := user{"1", "n", "p"}
	for m, want := range map[Mode]string{Request: `{"name":"n","password":"p"}`, Response: `{"id":"1","name":"n"}`, 0: `{"id":"1","name":"n","password":"p"}`} {
		b, err := table.Append(nil, unsafe.Pointer(&u), m)
		if err != nil || string(b) != want {
			t.Errorf("%d: %s, %v", m, b, err)
		}
		var v user
		if err := table.Decode(b, unsafe.Pointer(&v), Options{Mode: m}); err != nil {
			t.Error(err)
		}
	}
	var v user
	if err := table.Decode([]byte(`{"id":"x","name":"n","password":"p"}`), unsafe.Pointer(&v), Options{Mode: Request}); err != nil || v.ID != "" {
		t.Error("a read-only field was taken from a request:", v, err)
	}
	if err := table.Unmarshal([]byte(`{"id":"x","name":"n","password":"p","more":1}`), unsafe.Pointer(&v)); firstViolation(t, err).Pointer != "/more" {
		t.Error(err)
	}
}

func TestFormats(t *testing.T) {
	for name, c := range map[string][2]string{
		"email": {"a.b@example.org", "a b@example.org"}, "hostname": {"a-1.example", "-a.example"}, "ipv4": {"10.0.0.1", "10.0.0.256"},
		"ipv6": {"::1", "1.2.3.4"}, "uri": {"https://a/b?c", "/b"}, "uri-reference": {"/b", "a b"}, "uuid": {"7f6dc1e2-7a3f-4a51-9d3b-0c3a1f2e4b5d", "7f6d"},
		"date": {"2024-02-29", "2023-02-29"}, "time": {"10:00:00Z", "25:00:00Z"}, "duration": {"P1DT2H", "P1H"}, "json-pointer": {"/a~1b", "a"}, "date-time": {"2024-01-01T00:00:00Z", "2024-01-01"},
	} {
		if !HasFormat(name, c[0]) || HasFormat(name, c[1]) {
			t.Errorf("%s: %s, %s", name, c[0], c[1])
		}
	}
}

func TestAllocations(t *testing.T) {
	data := []byte(orderJSON)
	var o Order
	if n := testing.AllocsPerRun(100, func() {
		o = Order{}
		if err := orderTable.Decode(data, unsafe.Pointer(&o), Options{Mode: Owned}); err != nil {
			t.Fatal(err)
		}
	}); n > 11 {
		t.Errorf("decoding takes %v allocations", n)
	}
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf, _ = orderTable.Append(buf[:0], unsafe.Pointer(&o), 0) }); n > 0 {
		t.Errorf("encoding takes %v allocations", n)
	}
}

// TestCollector reads while the collector runs all the time: what a wrong store hides
// from it would be reused.
func TestCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	list := Type{Kind: Slice, Elem: &orderTable}
	in := "[" + strings.TrimSuffix(strings.Repeat(orderJSON+",", 50), ",") + "]"
	for range 5 {
		var os []Order
		if err := list.Unmarshal([]byte(in), unsafe.Pointer(&os)); err != nil {
			t.Fatal(err)
		}
		if out, err := list.Marshal(unsafe.Pointer(&os)); err != nil || string(out) != in {
			t.Fatal("another value came back", err)
		}
	}
}

func BenchmarkOrder(b *testing.B) {
	data := []byte(orderJSON)
	var o Order
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o = Order{}
			_ = orderTable.Decode(data, unsafe.Pointer(&o), Options{Mode: Owned})
		}
	})
	b.Run("decode-any/encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v map[string]any
			_ = json.Unmarshal(data, &v)
		}
	})
	buf := make([]byte, 0, 4096)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = orderTable.Append(buf[:0], unsafe.Pointer(&o), 0)
		}
	})
}
