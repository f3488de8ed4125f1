package openapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/openapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares the dump of c, and the findings below it, with a file.
func golden(t *testing.T, file string, c *contract.Contract, diags diag.List) {
	t.Helper()
	var b bytes.Buffer
	if err := contract.Dump(&b, c); err != nil {
		t.Fatal(err)
	}
	for _, d := range diags.Sorted() {
		b.WriteString("# " + strings.TrimSpace(show(diag.List{d})) + ": " + d.Message + "\n")
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs; run with -update and read the difference. Got\n%s", file, b.String())
	}
}

func TestSwagger(t *testing.T) {
	c, diags := openapi.Parse(t.Context(), "testdata/swagger.yaml", os.ReadFile)
	golden(t, "testdata/swagger.golden", c, diags)
	complete(t, c)
	ops := c.Services[0].Operations
	if ops[0].Failures[0].Body != ops[1].Failures[0].Body {
		t.Error("a shared response is two")
	}
}

// TestSwaggerOracle holds operations, parameters, media types and statuses against the
// conversion of kin-openapi.
func TestSwaggerOracle(t *testing.T) {
	data, err := os.ReadFile("testdata/swagger.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var raw any
	if err := yaml.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	data, err = json.Marshal(plain(raw))
	if err != nil {
		t.Fatal(err)
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		t.Fatal(err)
	}
	want, err := openapi2conv.ToV3(&old)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := openapi.Parse(t.Context(), "a.json", files{"a.json": string(data)}.read)
	for _, op := range c.Services[0].Operations {
		h := op.Wire.(*contract.HTTP)
		item := want.Paths.Find(h.Path)
		theirs := item.Operations()[h.Method]
		var got, expect []string
		for _, p := range h.Params {
			got = append(got, p.In+" "+p.Name)
		}
		for _, p := range slices.Concat(openapi3.Parameters(item.Parameters), theirs.Parameters) {
			if p.Value.In != "" {
				expect = append(expect, p.Value.In+" "+p.Value.Name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(expect))) {
			t.Errorf("%s: parameters %v, want %v", op.Name, got, expect)
		}
		for _, o := range op.Out {
			if theirs.Responses.Value(o.Status) == nil {
				t.Errorf("%s: status %s", op.Name, o.Status)
			}
		}
	}
}

// TestSwaggerFiles holds references between files: parameters, responses, paths and
// schemas of 2.0 in files of their own.
func TestSwaggerFiles(t *testing.T) {
	f := files{
		"api/a.yaml": "swagger: '2.0'\ninfo: {title: A, version: '1'}\npaths:\n  /a: {$ref: 'paths.yaml#/a'}\n",
		"api/paths.yaml": "a:\n  post:\n    operationId: a\n    parameters: [{$ref: 'shared.yaml#/parameters/q'}, {$ref: 'shared.yaml#/parameters/b'}]\n" +
			"    responses: {200: {$ref: 'shared.yaml#/responses/ok'}}\n",
		"api/shared.yaml": "parameters:\n  q: {name: q, in: query, type: array, items: {type: integer}}\n  b: {name: b, in: body, schema: {$ref: '#/definitions/T'}}\n" +
			"responses:\n  ok: {description: x, schema: {$ref: '#/definitions/T'}}\ndefinitions:\n  T: {type: object, properties: {next: {$ref: '#/definitions/T'}}}\n",
	}
	c, diags := openapi.Parse(t.Context(), "api/a.yaml", f.read)
	if len(diags) > 0 {
		t.Fatalf("%s%s", show(diags), diags[0].Message)
	}
	op := c.Services[0].Operations[0]
	want := "a POST /a {  } []\n  query q form  List \"\"\n  in \"\"; application/json @T\n  out 200 \"x\"; application/json @T!\n"
	if got := outline(op); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if s := op.Wire.(*contract.HTTP).Params[0].Span; s.File != "api/shared.yaml" || s.Line != 2 || s.Path != "#/parameters/q" {
		t.Errorf("%+v", s)
	}
}

const oldTop = "swagger: '2.0'\ninfo: {title: A, version: '1'}\npaths:\n"

func TestSwaggerFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"two bodies", oldTop + "  /a:\n    post:\n      parameters:\n        - {name: a, in: body, schema: {type: string}}\n        - {name: b, in: body, schema: {type: string}}\n      " + ok + "\n", "8:11 error duplicate-parameter"},
		{"body and form", oldTop + "  /a:\n    post:\n      parameters:\n        - {name: a, in: body, schema: {type: string}}\n        - {name: b, in: formData, type: string}\n      " + ok + "\n", "8:11 error duplicate-parameter"},
		{"format", oldTop + "  /a/{x}:\n    get:\n      parameters:\n        - {name: x, in: path, required: true, type: array, items: {type: string}, collectionFormat: pipes}\n      " + ok + "\n", "7:101 warning collection-format"},
		{"flow", oldTop + "  /a: {get: {" + ok + "}}\nsecurityDefinitions: {o: {type: oauth2, flow: code}}\n", "5:23 warning missing-field\n5:47 error unknown-value"},
		{"parameter of 3.0", oldTop + "  /a: {get: {parameters: [{name: q, in: query, schema: {type: string}, explode: true}], " + ok + "}}\n", ""},
		{"misspelled", oldTop + "  /a: {get: {parameters: [{name: q, in: query, type: string, requried: true}], " + ok + "}}\n", "4:62 warning unknown-field"},
		{"broken", oldTop + "  /a: {get: {parameters: [{$ref: '#/parameters/x'}], responses: {200: {$ref: '#/responses/x'}}}}\n", "4:34 error broken-reference\n4:78 error broken-reference"},
		{"wrong kinds", oldTop + "  /a: {get: {parameters: 7, responses: 8, consumes: x, produces: {}}}\n", "4:8 warning no-responses\n4:26 error wrong-kind\n4:40 error wrong-kind"},
		{"top is wrong", "swagger: '2.0'\ninfo: {title: A, version: '1'}\nhost: 1\nbasePath: []\nschemes: x\npaths: []\ndefinitions: 1\nsecurityDefinitions: 2\nresponses: 3\nparameters: 4\n",
			"3:7 error wrong-kind\n4:1 error wrong-kind\n6:1 error wrong-kind\n7:14 error wrong-kind\n8:22 error wrong-kind\n9:12 error wrong-kind\n10:13 error wrong-kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, diags := parse(t, c.text)
			if got := strings.TrimSpace(show(diags.Sorted())); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
				for _, d := range diags {
					t.Log(d.Message)
				}
			}
		})
	}
}

// TestSwaggerMutations replaces every value of a 2.0 document by every other kind of value.
func TestSwaggerMutations(t *testing.T) {
	data, err := os.ReadFile("testdata/swagger.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	doc = plain(doc)
	count := 0
	mutate(doc, func(set func(any)) {
		for _, v := range []any{nil, 7, "text", true, []any{7, map[string]any{"$ref": "#/paths"}}, map[string]any{}, map[string]any{"$ref": "#/definitions/Item"}, map[string]any{"$ref": "#/parameters/limit"}} {
			set(v)
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			c, diags := parse(t, string(text))
			sound(t, string(text), c, diags)
			count++
		}
	})
	if count < 2000 {
		t.Errorf("only %d mutations", count)
	}
}
