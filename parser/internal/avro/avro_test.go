package avro_test

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/avro"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// read reads one schema and returns what a contract with it looks like, and the findings.
func read(t *testing.T, text string) (string, diag.List, *contract.Coding) {
	t.Helper()
	var ds diag.List
	l := node.NewLoader(func(string) ([]byte, error) { return []byte(text), nil }, &ds)
	r := avro.New(l, &ds)
	b := &contract.Body{}
	r.Body(b, l.Load("s.avsc"))
	types := r.Finish()
	if b.Schema != nil {
		types = append(types, &contract.Type{Name: "payload", Schema: b.Schema})
	}
	var out strings.Builder
	if err := contract.Dump(&out, &contract.Contract{Types: types, Source: "s.avsc"}); err != nil {
		t.Fatal(err)
	}
	return out.String(), ds, b.Coding
}

func TestSchemas(t *testing.T) {
	for schema, want := range map[string][]string{
		`"long"`:                                   {"type payload int64"},
		`["null","int","string"]`:                  {"type payload union", "variant int32", "variant string"},
		`{"type":{"type":"string"}}`:               {"type payload string"},
		`{"type":"map","values":["null","bytes"]}`: {"map[string] bytes|null"},
		`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`: {"type payload decimal"},
		`{"type":"long","logicalType":"time-micros"}`:                      {"type payload int64(time-micros)"},
		`{"type":"enum","name":"a.E","symbols":["X","Y"]}`:                 {`type E enum string("X" "Y")`, "type payload &E"},
		`{"type":"fixed","name":"F","size":2}`:                             {"bytes(fixed(2))"},
		`{"type":"record","name":"N","namespace":"a.b","doc":"A node.","fields":[
			{"name":"v","type":"int","default":7},{"name":"next","type":["null","N"],"default":null}]}`: {
			"type N object @1:1", `detail "A node."`, "field v? int32 default=7", "field next? &N", "type payload &N"},
		`["string","bytes",{"type":"record","name":"R","fields":[]}]`: {"union tag=$type", "variant string [string] object",
			`field $type string const="string"`, "variant [R] &R", `field $type string const="R"`},
	} {
		got, ds, _ := read(t, schema)
		if len(ds) > 0 {
			t.Errorf("%s: %v", schema, ds)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s lacks %q in\n%s", schema, w, got)
			}
		}
	}
}

func TestFaultsHavePlaces(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"record","name":"R","fields":[{"name":"a","type":"Missing"}]}`:           "avro-schema",
		`{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}`: "avro-schema",
		`["int","int"]`:              "avro-schema",
		`{"type":"enum","name":"E"}`: "avro-schema",
		`{"type":"record","name":"R","fields":[{"name":"a","type":"long","logicalType":"timestamp-millis"}]}`: "avro-logical-type",
		`7`: "avro-schema",
	} {
		_, ds, _ := read(t, schema)
		if len(ds) != 1 || ds[0].Code != want || ds[0].Span.Line != 1 {
			t.Errorf("%s: %v, want one %s", schema, ds, want)
		}
	}
}

// The text for codecs has full names, and a type that comes again by its name alone.
func TestCoding(t *testing.T) {
	_, _, c := read(t, `{"type":"record","name":"R","namespace":"a","aliases":["Q"],"fields":[
		{"name":"x","type":{"type":"enum","name":"E","symbols":["A"],"doc":"dropped"}},{"name":"y","type":"E"},{"name":"z","type":["null","a.R"]}]}`)
	const want = `{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"enum","name":"a.E","symbols":["A"]}},{"name":"y","type":"a.E"},{"name":"z","type":["null","a.R"]}]}`
	if c == nil || c.Schema != want {
		t.Errorf("coding %v, want\n%s", c, want)
	}
}
