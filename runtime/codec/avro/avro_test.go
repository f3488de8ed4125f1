package avro_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	hamba "github.com/hamba/avro/v2"

	"github.com/concordat-dev/concordat/runtime/codec/avro"
)

// What we write, hamba/avro reads as the value that it was; what hamba/avro writes of that,
// we read as the JSON that it was.
func TestBinaryIsHambas(t *testing.T) {
	tests := []struct{ schema, json, other string }{
		{`"null"`, `null`, `null`},
		{`"boolean"`, `true`, `true`},
		{`"int"`, `-2147483648`, ``},
		{`"long"`, `9007199254740993`, ``},
		{`"float"`, `1.5`, ``},
		{`"double"`, `-0.1`, ``},
		{`"string"`, `"ä <&> \u0000"`, ``},
		{`"bytes"`, `"AP+A"`, ``},
		{`{"type":"array","items":"int"}`, `[1,-2,3]`, ``},
		{`{"type":"map","values":"long"}`, `{"a":1}`, ``},
		{`{"type":"enum","name":"E","symbols":["A","B"]}`, `"B"`, ``},
		{`["null","string"]`, `null`, ``},
		{`["null","string"]`, `"x"`, ``},
		{`{"type":"fixed","name":"F","size":3}`, `"AAEC"`, ``},
		{`{"type":"int","logicalType":"date"}`, `"1969-12-31"`, ``},
		{`{"type":"long","logicalType":"timestamp-millis"}`, `"2024-02-29T23:59:59.999Z"`, ``},
		{`{"type":"long","logicalType":"timestamp-micros"}`, `"1969-12-31T23:59:59.999999Z"`, ``},
		{`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, `-12.30`, ``},
		{`{"type":"fixed","name":"D","size":6,"logicalType":"decimal","precision":9,"scale":2}`, `-0.01`, ``},
		{`{"type":"string","logicalType":"uuid"}`, `"0b9a5c5c-9a3e-4a69-9d30-0123456789ab"`, ``},
		{`{"type":"record","name":"N","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","N"]}]}`,
			`{"v":1,"next":{"v":2}}`, ``},
	}
	for _, test := range tests {
		t.Run(test.schema, func(t *testing.T) {
			c, s := avro.Schema(test.schema), hamba.MustParse(test.schema)
			binary, err := c.Append(nil, []byte(test.json))
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := hamba.Unmarshal(s, binary, &v); err != nil {
				t.Fatalf("hamba/avro refuses %x: %v", binary, err)
			}
			theirs, err := hamba.Marshal(s, v)
			if err != nil {
				t.Fatal(err)
			}
			back, err := c.JSON(theirs)
			if err != nil || string(back) != test.json && !equal(back, []byte(test.json)) {
				t.Errorf("%s came back as %s, %v", test.json, back, err)
			}
		})
	}
}

func equal(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

const shop = `{"type":"record","name":"a.Order","fields":[
	{"name":"id","type":"long"},{"name":"count","type":"int","default":3},{"name":"raw","type":"bytes","default":"\u00ff"},
	{"name":"note","type":["null","string"],"default":null},{"name":"when","type":{"type":"long","logicalType":"timestamp-millis"},"default":5},
	{"name":"pay","type":["null",{"type":"record","name":"a.Card","tagged":true,"fields":[{"name":"n","type":"string"}]},
		{"type":"record","name":"a.Cash","tagged":true,"fields":[{"name":"n","type":"string"}]},"string","bytes"],"default":null},
	{"name":"card","type":"a.Card"}]}`

// Branches that look alike keep apart; what is absent is null or the schema's default.
func TestUnionsAndDefaults(t *testing.T) {
	c := avro.Schema(shop)
	for in, want := range map[string]string{
		`{"id":1,"card":{"$type":"a.Card","n":"x"}}`:                                           `{"id":1,"count":3,"raw":"/w==","when":"1970-01-01T00:00:00.005Z","card":{"$type":"a.Card","n":"x"}}`,
		`{"id":1,"count":0,"pay":{"$type":"a.Cash","n":"y"},"card":{"$type":"a.Card","n":""}}`: `{"id":1,"count":0,"raw":"/w==","when":"1970-01-01T00:00:00.005Z","pay":{"$type":"a.Cash","n":"y"},"card":{"$type":"a.Card","n":""}}`,
		`{"id":1,"pay":{"$type":"bytes","value":"AAE="},"card":{"$type":"a.Card","n":""}}`:     `{"id":1,"count":3,"raw":"/w==","when":"1970-01-01T00:00:00.005Z","pay":{"$type":"bytes","value":"AAE="},"card":{"$type":"a.Card","n":""}}`,
		`{"id":1,"pay":{"$type":"string","value":"AAE="},"card":{"$type":"a.Card","n":""}}`:    `{"id":1,"count":3,"raw":"/w==","when":"1970-01-01T00:00:00.005Z","pay":{"$type":"string","value":"AAE="},"card":{"$type":"a.Card","n":""}}`,
	} {
		binary, err := c.Append(nil, []byte(in))
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if back, err := c.JSON(binary); err != nil || string(back) != want {
			t.Errorf("%s came back as\n%s, %v, not\n%s", in, back, err, want)
		}
		var v any
		if err := hamba.Unmarshal(hamba.MustParse(shop), binary, &v); err != nil {
			t.Errorf("hamba/avro refuses %x: %v", binary, err)
		}
	}
}

func TestAppendSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ schema, json, want string }{
		{`"int"`, `2147483648`, "is no int"},
		{`"string"`, `1`, "is no string"},
		{`{"type":"fixed","name":"F","size":3}`, `"AAE="`, "F has 3 bytes, not 2"},
		{`{"type":"enum","name":"E","symbols":["A"]}`, `"B"`, "no symbol of E"},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `1.234`, "more than 2 digits"},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `1e999999999`, "is no decimal"},
		{`{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`, `{}`, "a: is missing"},
		{`{"type":"array","items":"int"}`, `[1,"x"]`, "[1]: x is no int"},
		{`["int","string"]`, `null`, "none of the union's branches"},
		{`{"type":"record","name":"R"`, `{}`, "schema"},
		{`"Unknown"`, `{}`, `no type is called "Unknown"`},
	} {
		_, err := avro.Schema(test.schema).Append(nil, []byte(test.json))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s of %s: %v, want %q", test.json, test.schema, err, test.want)
		}
	}
}

// Few bytes never become many, and no bytes make a reader panic.
func TestHostileBinary(t *testing.T) {
	nulls := avro.Schema(`{"type":"array","items":"null"}`)
	if _, err := nulls.JSON([]byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}); err == nil {
		t.Error("an array of 2^62 nulls was read")
	}
	loop := avro.Schema(`{"type":"record","name":"N","fields":[{"name":"next","type":"N"}]}`)
	if _, err := loop.JSON(nil); err == nil {
		t.Error("a record inside of itself without end was read")
	}
	c := avro.Schema(shop)
	whole, err := c.Append(nil, []byte(`{"id":1,"pay":{"$type":"bytes","value":"AAE="},"card":{"$type":"a.Card","n":"abc"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := c.JSON(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were read", n, len(whole))
		}
	}
	if _, err := c.JSON(append(whole, 0)); err == nil {
		t.Error("a byte too many was read")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := []byte(string(whole))
		for range 1 + random.IntN(4) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		if text, err := c.JSON(b); err == nil && !json.Valid(text) {
			t.Fatalf("%x was read as %s", b, text)
		}
	}
}

func TestFramed(t *testing.T) {
	c := avro.Schema(`"int"`)
	b, err := c.Framed(258).Append(nil, []byte("1"))
	if err != nil || fmt.Sprintf("%x", b) != "000000010202" {
		t.Fatalf("%x, %v", b, err)
	}
	if text, err := c.Framed(7).JSON(b); err != nil || string(text) != "1" {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := c.Framed(0).Append(nil, []byte("1")); err != avro.ErrNoSchemaID {
		t.Errorf("without a number: %v", err)
	}
	if _, err := c.Framed(7).JSON([]byte{1, 0, 0, 0, 0, 2}); err == nil {
		t.Error("a message without the zero byte was read")
	}
}
