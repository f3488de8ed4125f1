package codec_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

func nest(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func firstViolation(t *testing.T, err error) Violation {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Violations) == 0 {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e.Violations[0]
}

func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		old, new string
		code     Code // "" accepts
		ptr      string
	}{
		{`"utm":`, `"web":"x","utm":`, CodeDuplicate, "/metadata/web"},
		{`"total":162.23`, `"total":1,"total":2`, CodeDuplicate, "/total"},
		{`"total":162.23`, `"total":1,"t\u006ftal":2`, CodeDuplicate, "/total"},
		{`"kind":"card"`, `"kind":"card","kind":"card"`, CodeDuplicate, "/payment/kind"},
		{`"total":162.23`, `"total":1,"u":1,"u":2`, "", ""}, // duplicates among unknown names pass
		{`"sku":"SKU-004567-CD",`, ``, CodeRequired, "/items/1/sku"},
		{`"quantity":5`, `"quantity":0`, CodeMinimum, "/items/1/quantity"},
		{`"quantity":5`, `"quantity":2147483648`, CodeRange, "/items/1/quantity"},
		{`"quantity":5`, `"quantity":5.0`, "", ""},
		{`"quantity":5`, `"quantity":5e2`, "", ""},
		{`"quantity":5`, `"quantity":50e-1`, "", ""},
		{`"quantity":5`, `"quantity":5.5`, CodeType, "/items/1/quantity"},
		{`"quantity":5`, `"quantity":"5"`, CodeType, "/items/1/quantity"},
		{`"country":"US"`, `"country":"USA"`, CodeMaxLength, "/billing/country"},
		{`"country":"US"`, `"country":"éé"`, "", ""},
		{`"status":"paid"`, `"status":"lost"`, CodeEnum, "/status"},
		{`"kind":"card"`, `"kind":"cash"`, CodeEnum, "/payment/kind"},
		{`"kind":"card",`, ``, CodeRequired, "/payment/kind"},
		{`"kind":"card","last4":"4242"`, `"last4":"4242","kind":"card"`, "", ""},
		{`"zip":null`, `"zip":null,"street":null`, CodeDuplicate, "/billing/street"},
		{`"paid":true`, `"paid":tru`, CodeSyntax, "/paid"},
		{`"paid":true`, `"paid":null`, CodeType, "/paid"},
		{`"note":"Please`, `"note":"\ud800`, CodeUTF8, "/note"},
		{`"note":"Please`, "\"note\":\"\xff", CodeUTF8, "/note"},
		{`"note":"Please`, "\"note\":\"\n", CodeSyntax, ""},
		{`"note":`, `"x":` + nest(127) + `,"note":`, "", ""},
		{`"note":`, `"x":` + nest(128) + `,"note":`, CodeDepth, "/x" + strings.Repeat("/0", 127)},
		{`"yes"},`, `"yes"},,`, CodeSyntax, ""},
	} {
		in := strings.Replace(orderJSON, c.old, c.new, 1)
		if in == orderJSON {
			t.Fatal("not applied", c.old)
		}
		for _, mode := range []Mode{0, Owned, Request, Response} {
			var o Order
			err := orderTable.Decode([]byte(in), unsafe.Pointer(&o), Options{Mode: mode})
			if c.code == "" {
				if err != nil {
					t.Errorf("%s: %v", c.new, err)
				}
				continue
			}
			if err == nil {
				t.Errorf("%.60s: accepted", c.new)
				continue
			}
			if v := firstViolation(t, err); v.Code != c.code || v.Pointer != c.ptr && c.code != CodeSyntax {
				t.Errorf("%.60s: %+v", c.new, v)
			}
		}
	}
}

func TestCollects(t *testing.T) {
	in := strings.NewReplacer(`"status":"paid"`, `"status":"lost"`, `"country":"GB"`, `"country":"GBR"`, `"total":162.23,`, ``, `"quantity":5`, `"quantity":-5`).Replace(orderJSON)
	var o Order
	err := orderTable.Unmarshal([]byte(in), unsafe.Pointer(&o))
	e, _ := errors.AsType[*Error](err)
	if e == nil || e.Malformed {
		t.Fatal(err)
	}
	var got []string
	for _, v := range e.Violations {
		got = append(got, v.Pointer+" "+string(v.Code))
	}
	want := "/total required, /status enum, /shipping/country max_length, /items/1/quantity minimum"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
	if err := orderTable.Decode([]byte(in), unsafe.Pointer(&o), Options{Mode: Lenient}); err != nil {
		t.Error("lenient:", err)
	}
	if o.Status != "lost" {
		t.Error("an unknown member was not kept")
	}
}

func TestLimits(t *testing.T) {
	var o Order
	items := strings.TrimSuffix(strings.Repeat(`{},`, 100), ",")
	err := orderTable.Unmarshal([]byte(`{"items":[`+items+`]}`), unsafe.Pointer(&o))
	e, _ := errors.AsType[*Error](err)
	if e == nil || len(e.Violations) != MaxViolations {
		t.Fatal(err)
	}
	var raw json.RawMessage
	if err := RawTable.Decode([]byte(nest(9)), unsafe.Pointer(&raw), Options{MaxDepth: 8}); firstViolation(t, err).Code != CodeDepth {
		t.Error(err)
	}
	if err := RawTable.Decode([]byte(nest(8)), unsafe.Pointer(&raw), Options{MaxDepth: 8}); err != nil {
		t.Error(err)
	}
}

func TestRoundTrip(t *testing.T) {
	var o Order
	if err := json.Unmarshal([]byte(orderJSON), &o); err != nil {
		t.Fatal(err)
	}
	got, err := orderTable.Marshal(unsafe.Pointer(&o))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != orderJSON {
		t.Errorf("got  %s\nwant %s", got, orderJSON)
	}
}

func TestRecursion(t *testing.T) {
	in := `{"name":"a","kids":[{"name":"b","kids":[{"name":"c"}]},{"name":"d"}],"next":{"name":"e","next":{"name":"f"}},"by":{"x":{"name":"g"},"y":null}}`
	var n Node
	if err := nodeTable.Unmarshal([]byte(in), unsafe.Pointer(&n)); err != nil {
		t.Fatal(err)
	}
	out, err := nodeTable.Marshal(unsafe.Pointer(&n))
	if err != nil || string(out) != in {
		t.Fatal(string(out), err)
	}
	n.Next.Next.Next = &n
	if _, err := nodeTable.Marshal(unsafe.Pointer(&n)); firstViolation(t, err).Code != CodeDepth {
		t.Error("a cycle of pointers:", err)
	}
}
