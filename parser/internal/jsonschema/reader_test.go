package jsonschema_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/jsonschema"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// read parses YAML whose components/schemas are declared, and returns the types.
func read(t *testing.T, d jsonschema.Dialect, text string) ([]*contract.Type, diag.List) {
	t.Helper()
	var diags diag.List
	l := node.NewLoader(func(name string) ([]byte, error) {
		if name != "a.yaml" {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}, &diags)
	r := jsonschema.New(l, &diags, d)
	for name, n := range l.Load("a.yaml").Get("components").Get("schemas").Entries() {
		r.Declare(name, n)
	}
	return r.Finish(), diags
}

// brief writes a schema in the shorthand of these tests.
func brief(s contract.Schema) string {
	switch s := s.(type) {
	case *contract.Ref:
		return "@" + s.Type.Name
	case *contract.Any:
		if s.Reason != "" {
			return "any!"
		}
		return "any"
	case *contract.Scalar:
		text := s.Kind.String()
		if s.Format != "" {
			text += "/" + s.Format
		}
		if s.Const != nil {
			text += "=" + *s.Const
		}
		return text + rules(s.Rules)
	case *contract.List:
		return briefList(s)
	case *contract.Map:
		key := ""
		if s.Key != nil {
			key = brief(s.Key) + ":"
		}
		return "map<" + key + brief(s.Value) + mark(s.NullValue, "?") + ">" + rules(s.Rules)
	case *contract.Object:
		return briefObject(s)
	case *contract.Enum:
		var values []string
		for _, v := range s.Values {
			values = append(values, v.JSON)
		}
		return "enum:" + s.Base.String() + "(" + strings.Join(values, ",") + mark(s.Open, ",...") + mark(s.Nullable, ",null") + ")"
	case *contract.Union:
		var all []string
		for _, v := range s.Variants {
			tags := ""
			if len(v.Tags) > 0 {
				tags = strings.Join(v.Tags, "+") + ":"
			}
			all = append(all, tags+brief(v.Schema))
		}
		return "union " + s.Tag + "(" + strings.Join(all, " | ") + ")"
	}
	return fmt.Sprintf("%T", s)
}

func mark(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

func briefList(l *contract.List) string {
	text := "["
	for _, p := range l.Prefix {
		text += brief(p) + ","
	}
	if l.Elem == nil {
		return text + "]" + rules(l.Rules)
	}
	return text + brief(l.Elem) + mark(l.NullElem, "?") + "]" + rules(l.Rules)
}

func briefObject(o *contract.Object) string {
	var all []string
	for _, f := range o.Fields {
		text := f.Name + mark(f.Required, "!") + mark(f.Nullable, "?") + mark(f.ReadOnly, "-ro") + mark(f.WriteOnly, "-wo") + " " + brief(f.Schema)
		if f.Default != nil {
			text += "=" + *f.Default
		}
		all = append(all, text)
	}
	for _, p := range o.Pattern {
		all = append(all, "/"+p.Regexp+"/ "+brief(p.Schema))
	}
	if o.Extra != nil {
		all = append(all, "..."+brief(o.Extra)+mark(o.NullExtra, "?"))
	}
	return "{" + strings.Join(all, ", ") + mark(o.Closed, " closed") + "}" + rules(o.Rules)
}

func rules(r contract.Rules) string {
	var all []string
	if r.MinLen != nil {
		all = append(all, fmt.Sprint("len>=", *r.MinLen))
	}
	if r.MaxLen != nil {
		all = append(all, fmt.Sprint("len<=", *r.MaxLen))
	}
	if r.Min != "" {
		all = append(all, ">"+mark(!r.ExclusiveMin, "=")+r.Min)
	}
	if r.Max != "" {
		all = append(all, "<"+mark(!r.ExclusiveMax, "=")+r.Max)
	}
	if r.MultipleOf != "" {
		all = append(all, "%"+r.MultipleOf)
	}
	if r.Pattern != "" {
		all = append(all, "~"+r.Pattern)
	}
	if r.Unique {
		all = append(all, "unique")
	}
	if len(all) == 0 {
		return ""
	}
	return "(" + strings.Join(all, " ") + ")"
}

func codes(l diag.List) string {
	var all []string
	for _, d := range l {
		all = append(all, d.Code)
	}
	return strings.Join(all, " ")
}

const common = `
    Pet: {type: object, required: [id], properties: {id: {type: integer}, name: {type: string}}}
    Cat: {type: object, required: [kind], properties: {kind: {const: cat}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {type: string, enum: [dog, wolf]}, barks: {type: boolean}}}
    Null: {type: [object, "null"], properties: {a: {type: string}}}
    Size: {type: string, enum: [s, m]}
`

func TestSchemas(t *testing.T) {
	for _, c := range []struct{ name, schema, want, codes string }{
		{"any", `{}`, "any", ""},
		{"true", `true`, "any", ""},
		{"false", `false`, "any!", "false-schema"},
		{"text", `{type: string, minLength: 1, maxLength: 9, pattern: '^\d+$'}`, `string(len>=1 len<=9 ~^\d+$)`, ""},
		{"formats", `{type: object, properties: {a: {type: string, format: date-time}, b: {format: uuid}, c: {type: string, format: email}, d: {type: string, format: byte}, e: {type: string, contentEncoding: base64}, f: {type: file}, g: {type: string, format: ipv6}, h: {type: string, format: binary}}}`,
			"{a date-time, b uuid, c string/email, d bytes, e bytes, f binary, g ip/ipv6, h binary}", ""},
		{"numbers", `{type: object, properties: {a: {type: integer, format: int32}, b: {type: integer, format: int64}, c: {type: number}, d: {type: number, format: float}, e: {type: integer, format: uint8}, f: {type: integer}}}`,
			"{a int32, b int64, c number, d float32, e uint32(>=0 <=255), f integer}", ""},
		{"exact bounds", `{type: integer, minimum: 9007199254740993, maximum: 12345678901234567890}`, "integer(>=9007199254740993 <=12345678901234567890)", ""},
		{"exclusive 3.0", `{type: number, minimum: 1, exclusiveMinimum: true, maximum: 2, exclusiveMaximum: false}`, "number(>1 <=2)", ""},
		{"exclusive 3.1", `{type: number, exclusiveMinimum: 1, minimum: 0, multipleOf: 0.01}`, "number(>1 %0.01)", ""},
		{"nullable 3.0", `{type: object, properties: {a: {type: string, nullable: true}}}`, "{a? string}", ""},
		{"nullable type list", `{type: object, properties: {a: {type: [string, "null"]}, b: {type: [integer, string]}}}`, "{a? string, b union (integer | string)}", ""},
		{"nullable oneOf", `{type: object, properties: {a: {oneOf: [{$ref: '#/components/schemas/Pet'}, {type: "null"}]}, b: {anyOf: [{type: "null"}, {type: string}]}}}`, "{a? @Pet, b? string}", ""},
		{"nullable allOf 3.0", `{type: object, properties: {a: {allOf: [{$ref: '#/components/schemas/Pet'}], nullable: true, description: x}}}`, "{a? @Pet}", ""},
		{"nullable by reference", `{type: object, properties: {a: {$ref: '#/components/schemas/Null'}}}`, "{a? @Null}", ""},
		{"null alone", `{type: object, properties: {a: {type: "null"}}}`, "{a? null}", ""},
		{"nullable items", `{type: array, items: {type: [string, "null"]}}`, "[string?]", ""},
		{"nullable values", `{type: object, additionalProperties: {type: [integer, "null"]}}`, "map<integer?>", ""},
		{"required", `{type: object, required: [b, c], properties: {a: {type: string}, b: {type: string}}}`, "{a string, b! string, c! any}", "required-undeclared"},
		{"order", `{properties: {z: {type: string}, a: {type: string}, m: {type: string}}}`, "{z string, a string, m string}", ""},
		{"map", `{type: object, minProperties: 1}`, "map<any>(len>=1)", ""},
		{"map of", `{additionalProperties: {$ref: '#/components/schemas/Pet'}}`, "map<@Pet>", ""},
		{"map keys", `{type: object, propertyNames: {pattern: '^a'}}`, "map<string(~^a):any>", ""},
		{"closed", `{type: object, properties: {a: {type: string}}, additionalProperties: false}`, "{a string closed}", ""},
		{"extra", `{properties: {a: {type: string}}, additionalProperties: {type: integer}}`, "{a string, ...integer}", ""},
		{"pattern properties", `{type: object, properties: {a: {type: string}}, patternProperties: {'^x-': {type: integer}}}`, "{a string, /^x-/ integer}", ""},
		{"pattern map", `{type: object, patternProperties: {'^x-': {type: integer}}, additionalProperties: false}`, "map<string(~^x-):integer>", ""},
		{"list", `{type: array, items: {type: string}, minItems: 1, uniqueItems: true}`, "[string](len>=1 unique)", ""},
		{"tuple", `{prefixItems: [{type: string}, {type: integer}], items: false}`, "[string,integer,]", ""},
		{"tuple draft 7", `{type: array, items: [{type: string}], additionalItems: {type: integer}}`, "[string,integer]", ""},
		{"enum", `{type: string, enum: [a, b]}`, `enum:string("a","b")`, ""},
		{"enum of numbers", `{enum: [1, 2]}`, "enum:integer(1,2)", ""},
		{"enum with null", `{type: string, nullable: true, enum: [a, null]}`, `enum:string("a",null)`, ""},
		{"enum of null", `{enum: [null]}`, "null", ""},
		{"mixed enum", `{enum: [a, 1]}`, `union (enum:string("a") | enum:integer(1))`, ""},
		{"enum by YAML", `{type: string, enum: [1.0, true, x]}`, `enum:string("1.0","true","x")`, "value-type value-type"},
		{"duplicate value", `{enum: [a, a]}`, `enum:string("a")`, "duplicate-value"},
		{"extensible", `{type: string, x-extensible-enum: [a, b]}`, `enum:string("a","b",...)`, ""},
		{"open enum", `{anyOf: [{type: string}, {type: string, enum: [a]}]}`, `enum:string("a",...)`, ""},
		{"const", `{const: 5}`, "integer=5", ""},
		{"const list", `{const: [1]}`, "any", ""},
		{"allOf of a reference", `{allOf: [{$ref: '#/components/schemas/Pet'}]}`, "@Pet", ""},
		{"allOf that repeats the type", `{type: object, allOf: [{$ref: '#/components/schemas/Pet'}], description: x}`, "@Pet", ""},
		{"allOf merged", `{allOf: [{$ref: '#/components/schemas/Pet'}, {required: [name], properties: {age: {type: integer}}}]}`, "{id! integer, name! string, age integer}", ""},
		{"allOf narrows", `{allOf: [{type: string, minLength: 1, maxLength: 9}, {minLength: 3, enum: [abc, abcd]}, {enum: [abcd, x]}]}`, `enum:string("abcd")`, ""},
		{"allOf tightens", `{allOf: [{type: number, minimum: 1}, {type: integer, minimum: 0.5, maximum: 7}]}`, "integer(>=1 <=7)", ""},
		{"allOf conflict", `{allOf: [{type: string}, {type: integer}]}`, "any!", "conflicting-types"},
		{"allOf of one property", `{allOf: [{properties: {a: {type: string}}}, {properties: {a: {maxLength: 5}}}]}`, "{a string(len<=5)}", ""},
		{"allOf with a union", `{allOf: [{properties: {a: {type: string}}}, {oneOf: [{properties: {b: {type: string}}}, {properties: {c: {type: integer}}}]}]}`, "union ({a string, b string} | {a string, c integer})", ""},
		{"beside a reference", `{$ref: '#/components/schemas/Pet', required: [name]}`, "{id! integer, name! string}", ""},
		{"doc beside a reference", `{$ref: '#/components/schemas/Pet', description: x}`, "@Pet", ""},
		{"one alternative", `{oneOf: [{$ref: '#/components/schemas/Pet'}]}`, "@Pet", ""},
		{"union", `{oneOf: [{type: integer}, {type: string}]}`, "union (integer | string)", ""},
		{"tag by constants", `{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}`, "union kind(cat:@Cat | dog+wolf:@Dog)", ""},
		{"discriminator", `{oneOf: [{$ref: '#/components/schemas/Pet'}, {$ref: '#/components/schemas/Null'}], discriminator: {propertyName: t}}`, "union t(Pet:@Pet | Null:@Null)", ""},
		{"mapping", `{oneOf: [{$ref: '#/components/schemas/Pet'}, {$ref: '#/components/schemas/Null'}], discriminator: {propertyName: t, mapping: {p: '#/components/schemas/Pet', q: Pet, n: '#/components/schemas/Null'}}}`, "union t(p+q:@Pet | n:@Null)", ""},
		{"mapping elsewhere", `{oneOf: [{$ref: '#/components/schemas/Pet'}, {$ref: '#/components/schemas/Cat'}], discriminator: {propertyName: kind, mapping: {x: Dog}}}`, "union kind(Pet:@Pet | cat:@Cat)", "discriminator-mapping"},
		{"base with mapping", `{type: object, properties: {t: {type: string}}, discriminator: {propertyName: t, mapping: {c: Cat, d: Dog}}}`, "union t(c:@Cat | d:@Dog)", ""},
		{"enums are one", `{oneOf: [{type: string, enum: [a]}, {const: b}, {$ref: '#/components/schemas/Size'}]}`, `enum:string("a","b","s","m")`, ""},
		{"required sets", `{properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]}`, "{a string, b string}", ""},
		{"texts of two forms", `{anyOf: [{type: string, format: ipv4}, {type: string, format: ipv6}]}`, "string", "not-checked"},
		{"not", `{type: string, not: {enum: [x]}}`, "string", ""},
		{"if", `{type: object, properties: {a: {type: string}}, if: {}, then: {}, dependentSchemas: {}}`, "{a string}", ""},
		{"default", `{properties: {a: {type: integer, default: 10}, b: {type: string, default: 5}, c: {type: string, default: null}}}`, "{a integer=10, b string, c string}", "bad-default"},
		{"read only", `{properties: {a: {type: integer, readOnly: true}, b: {type: string, writeOnly: true}}}`, "{a-ro integer, b-wo string}", ""},
		{"pattern dropped", `{type: string, pattern: '^(?!x)'}`, "string", "pattern-unsupported"},
		{"broken reference", `{$ref: '#/nowhere'}`, "any!", "broken-reference"},
		{"unknown type", `{type: strng}`, "any", "unknown-type"},
		{"bad keyword", `{type: string, minLength: -1}`, "string", "bad-keyword"},
		{"wrong kinds", `{type: object, properties: [a], required: {}}`, "map<any>", "wrong-kind wrong-kind"},
		{"not a schema", `text`, "any", "wrong-kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			types, diags := read(t, jsonschema.Draft2020, "components:\n  schemas:"+common+"    X: "+c.schema+"\n")
			var got string
			for _, typ := range types {
				if typ.Name == "X" {
					got = brief(typ.Schema)
				}
			}
			if got != c.want || codes(diags) != c.codes {
				t.Errorf("got  %s %s\nwant %s %s", got, codes(diags), c.want, c.codes)
			}
			for _, d := range diags {
				if d.Span.Line == 0 || d.Span.Path == "" || !strings.HasPrefix(d.Span.File, "a.") {
					t.Errorf("%s has no place: %+v", d.Code, d.Span)
				}
			}
		})
	}
}

func TestRecursion(t *testing.T) {
	for _, c := range []struct{ name, schemas, want, codes string }{
		{"direct", "A: {properties: {next: {$ref: '#/components/schemas/A'}}}", "A={next @A}", ""},
		{"through a list", "A: {properties: {kids: {items: {$ref: '#/components/schemas/A'}}}}", "A={kids [@A]}", ""},
		{"by anchor", "A: {$anchor: me, properties: {next: {$ref: '#me'}}}", "A={next @A}", ""},
		{"to a place inside", "A: {properties: {b: {properties: {c: {$ref: '#/components/schemas/A/properties/b'}}}}}", "A={b {c @A_b}} A_b={c @A_b}", ""},
		{"merged with itself", "A: {properties: {next: {allOf: [{$ref: '#/components/schemas/A'}, {properties: {x: {type: string}}}]}}}",
			"A={next @A_next} A_next={next @A_next, x string}", ""},
		{"union", "A: {oneOf: [{type: string}, {type: array, items: {$ref: '#/components/schemas/A'}}]}", "A=union (string | [@A])", ""},
		{"alias", "A: {$ref: '#/components/schemas/B'}\n    B: {type: string}", "A=@B B=string", ""},
		{"reference to itself", "A: {$ref: '#/components/schemas/A'}", "A=any!", "reference-loop"},
		{"references in a circle", "A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}", "A=@B B=any!", "reference-loop"},
		{"union of itself", "A: {oneOf: [{$ref: '#/components/schemas/A'}, {type: string}]}", "A=union (string)", "reference-loop"},
		{"allOf of itself", "A: {allOf: [{$ref: '#/components/schemas/A'}, {properties: {x: {type: string}}}]}", "A={x string}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			types, diags := read(t, jsonschema.Draft2020, "components:\n  schemas:\n    "+c.schemas+"\n")
			var all []string
			for _, typ := range types {
				all = append(all, typ.Name+"="+brief(typ.Schema))
			}
			if got := strings.Join(all, " "); got != c.want || codes(diags) != c.codes {
				t.Errorf("got  %s %s\nwant %s %s", got, codes(diags), c.want, c.codes)
			}
		})
	}
}

func TestBesideReferenceIn30(t *testing.T) {
	types, diags := read(t, jsonschema.OpenAPI30, "components:\n  schemas:"+common+
		"    X: {properties: {a: {$ref: '#/components/schemas/Pet', nullable: true}, b: {$ref: '#/components/schemas/Pet', required: [name]}}}\n")
	if got := brief(types[len(types)-1].Schema); got != "{a? @Pet, b @Pet}" || codes(diags) != "not-checked" {
		t.Errorf("got %s %s", got, codes(diags))
	}
}

func TestSharedSchemasAreReadOnce(t *testing.T) {
	var diags diag.List
	l := node.NewLoader(func(string) ([]byte, error) { return []byte("a: {enum: [x, y]}\n"), nil }, &diags)
	r := jsonschema.New(l, &diags, jsonschema.Draft2020)
	n := l.Load("a.yaml").Get("a")
	if r.Schema(n) != r.Schema(n) {
		t.Error("the same node gave two schemas")
	}
}

func TestLongChainsCostNoStack(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"components":{"schemas":{`)
	const size = 20_000
	for i := range size {
		fmt.Fprintf(&b, `"A%d":{"allOf":[{"$ref":"#/components/schemas/A%d"},{"properties":{"p":{"$ref":"#/components/schemas/A%d"}}}]},`, i, (i+1)%size, (i+1)%size)
	}
	b.WriteString(`"Z":{}}}}`)
	types, diags := read(t, jsonschema.Draft2020, b.String())
	if len(types) < size || len(diags) == 0 || diags[0].Code != "too-complex" {
		t.Errorf("%d types, %d findings", len(types), len(diags))
	}
}
