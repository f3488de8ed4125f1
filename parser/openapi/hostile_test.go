package openapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
	"github.com/concordat-dev/concordat/parser/openapi"
)

// sound asserts what holds of every result, whatever the input was.
func sound(t *testing.T, what string, c *contract.Contract, diags diag.List) {
	t.Helper()
	if c == nil && !diags.HasErrors() {
		t.Errorf("%s: neither contract nor error", what)
	}
	for _, d := range diags {
		if d.Span.File == "" || d.Span.Line < 1 || d.Span.Col < 1 || d.Code == "" || d.Message == "" {
			t.Errorf("%s: %+v", what, d)
		}
	}
	if c != nil {
		complete(t, c)
	}
}

// TestMutations replaces every value of a document by every other kind of value, one at
// a time.
func TestMutations(t *testing.T) {
	data, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	doc = plain(doc)
	values := []any{nil, 7, "text", []any{map[string]any{"$ref": "#/paths"}}, map[string]any{}, map[string]any{"$ref": "#/components/schemas/Item"}}
	count := 0
	alone, cancel := context.WithCancel(t.Context())
	cancel() // without the second opinion, which takes most of the time
	mutate(doc, func(set func(any)) {
		for i, v := range values {
			ctx := alone
			if (count+i)%23 == 0 {
				ctx = t.Context()
			}
			set(v)
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			c, diags := openapi.Parse(ctx, "a.json", files{"a.json": string(text)}.read)
			sound(t, string(text), c, diags)
			count++
		}
	})
	if count < 2000 {
		t.Errorf("only %d mutations", count)
	}
}

// plain turns YAML's maps with keys of any type into JSON's.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = plain(x)
		}
	case map[any]any:
		m := map[string]any{}
		for k, x := range v {
			m[fmt.Sprint(k)] = plain(x)
		}
		return m
	case []any:
		for i, x := range v {
			v[i] = plain(x)
		}
	}
	return v
}

// mutate calls f for every value inside v, with a function that replaces it.
func mutate(v any, f func(set func(any))) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			mutate(x, f)
			f(func(y any) { v[k] = y })
			v[k] = x
		}
	case []any:
		for i, x := range v {
			mutate(x, f)
			f(func(y any) { v[i] = y })
			v[i] = x
		}
	}
}

func TestTruncations(t *testing.T) {
	data, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.MarshalIndent(plain(doc), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.yaml": string(data), "a.json": string(asJSON)} {
		for end := 0; end < len(text)-1; end += 37 {
			c, diags := openapi.Parse(t.Context(), name, files{name: text[:end]}.read)
			sound(t, fmt.Sprintf("%s cut at %d", name, end), c, diags)
			if name == "a.json" && c != nil {
				t.Errorf("a truncated document of %d bytes was understood", end)
			}
		}
	}
}

func TestCircles(t *testing.T) {
	for name, text := range map[string]string{
		"path items":   "  /a: {$ref: '#/paths/~1b'}\n  /b: {$ref: '#/paths/~1a'}\n",
		"parameters":   "  /a: {get: {parameters: [{$ref: '#/components/parameters/x'}], " + ok + "}}\ncomponents: {parameters: {x: {$ref: '#/components/parameters/y'}, y: {$ref: '#/components/parameters/x'}}}\n",
		"bodies":       "  /a: {post: {requestBody: {$ref: '#/components/requestBodies/x'}, " + ok + "}}\ncomponents: {requestBodies: {x: {$ref: '#/components/requestBodies/x'}}}\n",
		"headers":      "  /a: {get: {responses: {200: {description: x, headers: {a: {$ref: '#/components/headers/x'}}}}}}\ncomponents: {headers: {x: {$ref: '#/components/headers/x'}}}\n",
		"media types":  "  /a: {get: {responses: {200: {description: x, content: {a/b: {$ref: '#/components/mediaTypes/x'}}}}}}\ncomponents: {mediaTypes: {x: {$ref: '#/components/mediaTypes/x'}}}\n",
		"schemes":      "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {x: {$ref: '#/components/securitySchemes/x'}}}\n",
		"whole file":   "  /a: {$ref: 'a.yaml'}\n",
		"root":         "  /a: {get: {responses: {200: {description: x, content: {application/json: {schema: {$ref: '#'}}}}}}}\n",
		"schemas":      "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {allOf: [{$ref: '#/components/schemas/y'}]}, y: {anyOf: [{$ref: '#/components/schemas/x'}]}}}\n",
		"allOf":        "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {allOf: [{$ref: '#/components/schemas/x'}, {type: object}]}}}\n",
		"items":        "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {type: array, items: {$ref: '#/components/schemas/x'}}}}\n",
		"extra":        "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {additionalProperties: {$ref: '#/components/schemas/x'}}}}\n",
		"required map": "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {type: object, required: [x], properties: {x: {$ref: '#/components/schemas/x'}}}}}\n",
		"not":          "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {not: {$ref: '#/components/schemas/x'}, type: string}}}\n",
		"mapping":      "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {type: object, discriminator: {propertyName: a, mapping: {a: x}}}}}\n",
		"two bases": "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {type: object, discriminator: {propertyName: a, mapping: {a: y}}}, " +
			"y: {type: object, discriminator: {propertyName: a, mapping: {a: x}}}}}\n",
		"doubling": "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {" + doubling(40) + "}}\n",
		"unions in unions": "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {x: {allOf: [" + strings.Repeat("{oneOf: [{type: object}, {type: string}]}, ", 40) +
			"]}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, diags := parse(t, top+text)
			sound(t, name, c, diags)
			if c == nil {
				t.Error("nothing understood")
			}
		})
	}
}

// doubling returns schemas each of which merges the next one twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "s%d: {allOf: [{$ref: '#/components/schemas/s%d'}, {properties: {a: {$ref: '#/components/schemas/s%d'}, b: {allOf: [{$ref: '#/components/schemas/s%d'}, {minProperties: %d}]}}}]}, ", i, i+1, i+1, i+1, i)
	}
	fmt.Fprintf(&b, "s%d: {type: object}", n)
	return b.String()
}

func TestHostileFiles(t *testing.T) {
	bomb := "openapi: 3.1.0\ninfo: {title: A, version: '1'}\nx0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("x%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 10))
	}
	deepSchema := strings.Repeat(`{"items":`, 400) + "{}" + strings.Repeat("}", 400)
	for _, c := range []struct{ name, text, code string }{
		{"empty", "", "empty-file"},
		{"white space", " \n\n", "empty-file"},
		{"binary", "\x7fELF\x02\x01\x01\x00\x00\x00\xff\xfe", "not-text"},
		{"random bytes", "openapi: \xc3\x28\xa0\xa1", "not-text"},
		{"alias bomb", bomb, "alias-bomb"},
		{"deep lists", "openapi: 3.1.0\npaths: " + strings.Repeat("[", 100_000), "too-deep"},
		{"deep maps", `{"openapi":"3.1.0","paths":` + strings.Repeat(`{"a":`, 100_000), "too-deep"},
		{"deep blocks", "openapi: 3.1.0\npaths:\n" + strings.Repeat("- ", 100_000), "too-deep"},
		{"50 MB", "openapi: 3.1.0\n" + strings.Repeat("# comment\n", 5<<20), "too-large"},
		{"deep schema", `{"openapi":"3.1.0","info":{"title":"A","version":"1"},"paths":{},"components":{"schemas":{"a":` + deepSchema + `}}}`, ""},
		{"long line", `{"openapi":"3.1.0","info":{"title":"` + strings.Repeat("a", 1<<20) + `","version":"1"},"paths":{}}`, ""},
		{"huge number", `{"openapi":"3.1.0","info":{"title":"A","version":"1"},"paths":{},"components":{"schemas":{"a":{"type":"number","minimum":1e999999999}}}}`, "bad-keyword second-opinion"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, diags := parse(t, c.text)
			sound(t, c.name, got, diags)
			var codes []string
			for _, d := range diags {
				codes = append(codes, d.Code)
			}
			if strings.Join(codes, " ") != c.code {
				t.Errorf("got %v, want %q", codes, c.code)
			}
		})
	}
}

// TestWide holds documents that are wide where ours are short.
func TestWide(t *testing.T) {
	const n = 20_000
	list := func(format string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, format, i, i+1)
		}
		return b.String()
	}
	schemas := func(body string) string {
		return `{"openapi":"3.1.0","info":{"title":"A","version":"1"},"paths":{},"components":{"schemas":{` + body + `}}}`
	}
	for name, text := range map[string]string{
		"allOf":      schemas(`"a":{"allOf":[` + list(`{"minProperties":%d,"x":%d}`) + `]}`),
		"oneOf":      schemas(`"a":{"oneOf":[` + list(`{"const":%d,"x":%d}`) + `]}`),
		"enum":       schemas(`"a":{"enum":[` + list(`"%d-%d"`) + `]}`),
		"properties": schemas(`"a":{"properties":{` + list(`"p%d":{"const":%d}`) + `}}`),
		"chain":      schemas(list(`"s%d":{"properties":{"next":{"$ref":"#/components/schemas/s%d"}}}`)),
		"aliases":    schemas(list(`"s%d":{"$ref":"#/components/schemas/s%d"}`)),
		"bases":      schemas(list(`"s%d":{"allOf":[{"$ref":"#/components/schemas/s%d"},{"minProperties":1}]}`)),
		"tags":       schemas(`"a":{"oneOf":[` + list(`{"required":["t"],"properties":{"t":{"const":"%d"},"p%d":{}}}`) + `]}`),
		"parameters": `{"openapi":"3.1.0","info":{"title":"A","version":"1"},"paths":{"/a":{"parameters":[` + list(`{"name":"%d-%d","in":"query","schema":{"type":"string"}}`) + `],"get":{}}}}`,
		"paths":      `{"openapi":"3.1.0","info":{"title":"A","version":"1"},"paths":{` + list(`"/%d/%d":{"get":{}}`) + `}}`,
		"braces":     `{"openapi":"3.1.0","info":{"title":"A","version":"1"},"paths":{"/` + strings.ReplaceAll(list(`{%d}{%d}`), ",", "") + `":{"get":{}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, diags := openapi.Parse(t.Context(), "a.json", files{"a.json": text}.read)
			if c == nil {
				t.Fatal("nothing understood")
			}
			sound(t, name, c, diags[:min(len(diags), 10)])
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, diags := openapi.Parse(ctx, "testdata/shop.yaml", os.ReadFile)
	if c == nil || diags.HasErrors() {
		t.Error(show(diags))
	}
}

// FuzzParse lets the fuzzer look for panics; its seeds run as a test.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add(top + "  /a/{b}: {get: {" + ok + "}}\n")
	f.Add(`{"openapi":"3.0.0","paths":{"/":{"get":{}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > node.MaxBytes {
			t.Skip()
		}
		c, diags := openapi.Parse(t.Context(), "a.yaml", files{"a.yaml": text}.read)
		sound(t, "fuzz", c, diags)
	})
}
