package run

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	ours "github.com/concordat-dev/concordat/bench/openapi/gen/concordat/orders"
	oapi "github.com/concordat-dev/concordat/bench/openapi/gen/oapi-codegen/orders"
	ogen "github.com/concordat-dev/concordat/bench/openapi/gen/ogen/orders"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/go-faster/jx"
)

// orderJSON is one order, about 1 KB without its white space.
var orderJSON = compact(`{
	"id": "0b9d3c52-6d1e-4c9e-9a55-6f0b8f2a7c11",
	"customerId": "7f1f2d4e-93d1-4a5f-8c2b-1d2e3f4a5b6c",
	"status": "packed",
	"currency": "EUR",
	"placedAt": "2026-03-14T09:26:53Z",
	"shippedAt": "2026-03-15T17:04:01Z",
	"total": 12899,
	"weight": 2.75,
	"gift": true,
	"note": "Please ring twice, the bell is shy.",
	"tags": ["spring", "returning", "newsletter"],
	"attributes": {"channel": "web", "campaign": "march-14"},
	"payment": {"kind": "card", "brand": "visa", "last4": "4242", "expires": "2028-11"},
	"lines": [
		{"sku": "TEA-0017", "title": "Darjeeling, first flush, 250 g", "quantity": 2, "unitPrice": 1899,
		 "discounts": [{"code": "SPRING", "amount": 200}]},
		{"sku": "POT-0203", "title": "Tea pot, cast iron", "quantity": 1, "unitPrice": 6900},
		{"sku": "CUP-1100", "title": "Cup, porcelain, set of four", "quantity": 1, "unitPrice": 2400}
	],
	"shipping": {"name": "Ada Example", "street": "Lange Gasse 12", "city": "Wien", "zip": "1080", "country": "AT"},
	"parcels": [[0, 1], [2]]
}`)

var pageJSON = `{"items":[` + strings.TrimSuffix(strings.Repeat(orderJSON+",", 100), ",") + `],"nextCursor":"b3JkZXI6MTAw"}`

func compact(s string) string {
	var v json.RawMessage
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		panic(err) // the constant above is wrong
	}
	var b strings.Builder
	quoted := false
	for i := range len(s) {
		if s[i] == '"' {
			quoted = !quoted
		}
		if quoted || !strings.ContainsRune(" \n\t", rune(s[i])) {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// readOurs decodes and validates as the server does: the data belongs to the codec.
func readOurs[T any](tb testing.TB, table *codec.Type, data []byte) *T {
	v := new(T)
	if err := table.Decode(data, unsafe.Pointer(v), codec.Options{Mode: codec.Request | codec.Owned}); err != nil {
		tb.Fatal(err)
	}
	return v
}

// readOgen decodes and validates as ogen's server does.
func readOgen[T any, P interface {
	*T
	Decode(*jx.Decoder) error
	Validate() error
}](tb testing.TB, d *jx.Decoder, data []byte) P {
	v := P(new(T))
	d.ResetBytes(data)
	if err := v.Decode(d); err != nil {
		tb.Fatal(err)
	}
	if err := v.Validate(); err != nil {
		tb.Fatal(err)
	}
	return v
}

// readOapi decodes, and then asks for the typed union, which oapi-codegen keeps as raw
// JSON. It validates nothing.
func readOapi[T any](tb testing.TB, data []byte, payments func(*T) []oapi.Order) *T {
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		tb.Fatal(err)
	}
	for _, o := range payments(v) {
		if _, err := o.Payment.ValueByDiscriminator(); err != nil {
			tb.Fatal(err)
		}
	}
	return v
}

func one(o *oapi.Order) []oapi.Order      { return []oapi.Order{*o} }
func many(p *oapi.OrderPage) []oapi.Order { return p.Items }

// What is compared must mean the same, or the ratios mean nothing.
func TestAllReadAndWriteTheSame(t *testing.T) {
	for _, data := range []string{orderJSON, pageJSON} {
		var a, b, c any
		if data == orderJSON {
			a = readOurs[ours.Order](t, (*ours.Order)(nil).ConcordatTable(), []byte(data))
			b = readOgen[ogen.Order](t, jx.DecodeStr(""), []byte(data))
			c = readOapi(t, []byte(data), one)
		} else {
			a = readOurs[ours.OrderPage](t, (*ours.OrderPage)(nil).ConcordatTable(), []byte(data))
			b = readOgen[ogen.OrderPage](t, jx.DecodeStr(""), []byte(data))
			c = readOapi(t, []byte(data), many)
		}
		want := general(t, data)
		for i, v := range []any{a, b, c} {
			out, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if got := general(t, string(out)); !reflect.DeepEqual(got, want) {
				t.Errorf("side %d wrote\n%s\nfor\n%s", i, out, data)
			}
		}
	}
}

// general is data as maps and slices.
func general(t *testing.T, data string) any {
	var v any
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
