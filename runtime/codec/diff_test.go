package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

const scalarsJSON = `{"s":"text é \ud83d\ude00","b":true,"i32":-2147483648,"i64":-9223372036854775808,"u32":4294967295,"u64":18446744073709551615,"f32":0.1,"f64":1e-7,"n":12345678901234567890.10,"t":"2024-02-29T23:59:59.5+02:00","d":"2024-02-29","u":"7f6dc1e2-7a3f-4a51-9d3b-0c3a1f2e4b5d","e":"paid","ei":3}`

const nullsJSON = `{"s":null,"b":null,"i32":null,"i64":null,"u32":null,"u64":null,"f32":null,"f64":null,"n":null,"t":null,"d":null,"u":null,"e":null,"ei":null}`

const listsJSON = `{"bytes":"AAECAw==","raw":{"a": [1, 2.50]},"ints":[1,2,3],"nulls":[1.5,null,2],"deep":[["a"],[],["b","c"]],"map":{"x":1,"y":2},"addrs":{"home":{"street":"s","city":"c","zip":null,"country":"gb"}},"obytes":"","oints":null,"omap":{},"oaddr":{"street":"s","city":"c","country":"fr"},"nints":[],"naddr":null}`

func kindsSeeds() [][]byte {
	mk := func(p, q, o, l string) []byte {
		return fmt.Appendf(nil, `{"plain":%s,"ptr":%s,"opt":%s,"lists":%s}`, p, q, o, l)
	}
	return [][]byte{
		mk(scalarsJSON, scalarsJSON, scalarsJSON, listsJSON),
		mk(scalarsJSON, `{}`, nullsJSON, `{"nints":null,"naddr":{"street":"s","city":"c","country":"fr"}}`),
		mk(scalarsJSON, `{}`, `{}`, `{"nints":[1],"naddr":null}`),
	}
}

// reference reads with encoding/json into the same Go type: an independent judge of
// values.
func reference(data []byte) (k Kinds, err error) {
	err = json.Unmarshal(data, &k)
	return k, err
}

// foldable reports whether a name could match another one for the reference, which does
// not mind upper and lower case.
func foldable(data []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		if s, ok := tok.(string); ok && len(s) < 8 && strings.ToLower(strings.ToUpper(s)) != s {
			return true
		}
	}
}

// compare holds one input against the reference: whatever both accept must be equal; what we
// accept the reference must accept; what it refuses as JSON we must refuse.
// It returns whether values were compared.
func compare(t testing.TB, data []byte) bool {
	var got Kinds
	own := bytes.Clone(data)
	err := kindsTable.Unmarshal(own, unsafe.Pointer(&got))
	for i := range own {
		own[i] = 'X' // nothing may point into what is the caller's
	}
	var alias Kinds
	aerr := kindsTable.Decode(bytes.Clone(data), unsafe.Pointer(&alias), Options{Mode: Owned})
	if fmt.Sprint(err) != fmt.Sprint(aerr) {
		t.Fatalf("modes differ: %v, %v\n%s", err, aerr, data)
	}
	var soft Kinds
	serr := kindsTable.Decode(data, unsafe.Pointer(&soft), Options{Mode: Lenient})
	if err == nil && serr != nil {
		t.Fatalf("lenient refuses what strict accepts: %v\n%s", serr, data)
	}
	if !json.Valid(data) {
		if err == nil || serr == nil {
			t.Fatalf("accepted what is not JSON: %q", data)
		}
		return false
	}
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Malformed && e.Violations[0].Code == CodeSyntax {
			t.Fatalf("refused as no JSON, but it is: %v\n%s", err, data)
		}
		return false
	}
	if foldable(data) {
		return false
	}
	want, rerr := reference(data)
	if rerr != nil {
		if e := rerr.Error(); strings.Contains(e, "cannot unmarshal number") || strings.Contains(e, "base64") || strings.Contains(e, "depth") {
			return false // 1.0 is an integer to JSON Schema; base64 without padding
		}
		t.Fatalf("accepted, but the reference says %v\n%s", rerr, data)
	}
	got.Lists.Extra, alias.Lists.Extra, soft.Lists.Extra = nil, nil, nil // the reference does not know it
	if got.Lists.Pay != nil {
		return false // nor unions
	}
	for name, v := range map[string]Kinds{"copied": got, "owned": alias} {
		if !reflect.DeepEqual(normal(v), normal(want)) {
			t.Fatalf("%s: values differ\n got %+v\nwant %+v\n%s", name, v, want, data)
		}
	}
	out, err := kindsTable.Marshal(unsafe.Pointer(&got))
	if err != nil {
		t.Fatalf("cannot write what was read: %v\n%s", err, data)
	}
	var again Kinds
	if err := kindsTable.Unmarshal(out, unsafe.Pointer(&again)); err != nil {
		t.Fatalf("cannot read what was written: %v\n%s", err, out)
	}
	back, err := reference(out)
	if err != nil || !reflect.DeepEqual(normal(back), normal(want)) || !reflect.DeepEqual(normal(again), normal(got)) {
		t.Fatalf("round trip: %v\n%s\n%s", err, out, data)
	}
	return true
}

// normal writes a value in a form in which equal times are equal, whatever their zone is.
func normal(k Kinds) string {
	b, err := json.Marshal(k)
	return fmt.Sprint(string(b), err)
}

func FuzzKinds(f *testing.F) {
	for _, s := range kindsSeeds() {
		f.Add(s)
	}
	for _, p := range pieces {
		f.Add([]byte(`{"plain":` + p + `,"lists":{"pay":` + p + `}}`))
	}
	f.Fuzz(func(t *testing.T, b []byte) { compare(t, b) })
}

var pieces = []string{`null`, `true`, `{}`, `[]`, `""`, `"a"`, `1`, `-1`, `0`, `-0`, `01`, `1.5`, `1e3`, `1.0`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775809`, `1e400`, `0.1`, `123456789012345678901234567890`, `5e-324`, `1.7976931348623157e308`, `2147483648`, `3.4e39`, `[null]`, `[1,null]`,
	`"2024-02-29T00:00:00Z"`, `"2023-02-29T00:00:00Z"`, `"0000-01-01T00:00:00Z"`, `"1969-12-31T23:59:59.5Z"`, `"2024-03-01T24:00:00Z"`, `"1700-12-31T23:59:59.000000001Z"`, `"2023-02-29"`,
	`"\ud83d\ude00"`, `"\ud83d"`, `"é日本"`, "\"\xff\"", `"\u00zz"`, `"\n\t\\\/\b\f\r"`, "\"\x01\"", `"GB"`, `"iban"`, `"paid"`, ` `, "\n", `,`, `:`, `"zip":"x",`, `"unknown":[1,{"a":null}],`, `"\u0073":`, `"flag":true,`,
	strings.Repeat("[", 200), strings.Repeat(`"x`, 40), `"` + strings.Repeat("y", 201) + `"`, `{"kind":"iban","iban":"x"}`, `{"iban":"x","kind":"iban"}`}

func mutate(r *rand.Rand, in []byte) []byte {
	b := bytes.Clone(in)
	for n := r.IntN(3); n >= 0 && len(b) > 0; n-- {
		i, piece := r.IntN(len(b)), pieces[r.IntN(len(pieces))]
		switch r.IntN(7) {
		case 0:
			b[i] = byte(r.IntN(256))
		case 1:
			b = append(b[:i], b[min(len(b), i+1+r.IntN(8)):]...)
		case 2, 3, 4: // a value becomes another
			j := bytes.IndexByte(b[i:], ':')
			if j < 0 {
				continue
			}
			j += i + 1
			if k := bytes.IndexAny(b[j:], ",}]"); k >= 0 {
				b = append(append(bytes.Clone(b[:j]), piece...), b[j+k:]...)
			}
		case 5:
			b = append(append(bytes.Clone(b[:i]), piece...), b[i:]...)
		case 6: // behind a comma or brace, so that it may stay valid
			if j := bytes.IndexAny(b[i:], ",{["); j >= 0 {
				j += i + 1
				b = append(append(bytes.Clone(b[:j]), piece...), b[j:]...)
			}
		}
	}
	return b
}

func TestDifferential(t *testing.T) {
	n := 20000
	if testing.Short() {
		n = 2000
	}
	r := rand.New(rand.NewPCG(1, 2))
	seeds, accepted := kindsSeeds(), 0
	for _, s := range seeds {
		if !compare(t, s) {
			var k Kinds
			t.Fatal("seed refused:", kindsTable.Unmarshal(s, unsafe.Pointer(&k)))
		}
	}
	for i := range n {
		if compare(t, mutate(r, seeds[i%len(seeds)])) {
			accepted++
		}
		if i%500 == 0 {
			runtime.GC()
		}
	}
	if accepted < n/50 {
		t.Errorf("only %d of %d inputs were compared: the test proves little", accepted, n)
	}
}
