package roundtrip

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// Judge draws values of types, writes them as JSON and lets a JSON Schema validator that
// knows nothing of ours hold them against the document's own schemas; what it accepts
// must read back as it was. types are pointers to zero values by Go name, document is
// the contract as JSON values, at is where its schemas are: "components/schemas". Each
// type is drawn draws times, at least five. Where the document is made to be judged
// exactly, what is refused is compared, too.
func Judge(t *testing.T, types map[string]any, document map[string]any, at string, draws int, exact bool) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	plain, _ := modern(document).(map[string]any)
	if err := c.AddResource("doc.json", plain); err != nil {
		t.Fatal(err)
	}
	names := schemaNames(plain, at)
	judged := 0
	for _, name := range slices.Sorted(maps.Keys(types)) {
		schema, ok := names[normal(name)]
		if !ok || hasFiles(types[name]) {
			continue
		}
		judged++
		t.Run(name, func(t *testing.T) {
			compiled, err := c.Compile("doc.json#/" + at + "/" + strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", " ", "%20", `"`, "%22").Replace(schema))
			if err != nil {
				t.Skipf("the judge cannot read the schema: %v", err)
			}
			r := source(name)
			for range max(draws, 5) {
				if text := judge(t, types[name], compiled, r); text != nil && exact {
					disagree(t, types[name], compiled, text, r)
				}
			}
		})
	}
	t.Logf("%d of %d types were judged", judged, len(types))
}

// hasFiles says whether a type is of forms only.
func hasFiles(zero any) bool {
	for _, f := range zero.(codec.Tabled).ConcordatTable().Fields {
		k, t := f.Resolve()
		if k == codec.Slice {
			k = t.Elem.Kind
		}
		if k == codec.Reader {
			return true
		}
	}
	return false
}

// judge draws one value and returns its text; nil where there is none.
func judge(t *testing.T, zero any, schema *jsonschema.Schema, r *rand.Rand) []byte {
	t.Helper()
	table := zero.(codec.Tabled).ConcordatTable()
	v := reflect.New(reflect.TypeOf(zero).Elem())
	d := &drawer{Rand: r}
	d.value(v.Elem(), table.Kind, table, nil)
	if d.err != nil {
		t.Logf("no value: %v", d.err)
		return nil
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		t.Errorf("%v: %s", err, show(v.Interface()))
		return nil
	}
	var plain any
	if plain, err = jsonschema.UnmarshalJSON(strings.NewReader(string(text))); err == nil {
		err = schema.Validate(plain)
	}
	if err != nil {
		t.Errorf("%.600s is not what the schema says: %v", text, err)
	}
	back := reflect.New(v.Type().Elem())
	if err := json.Unmarshal(text, back.Interface()); err != nil {
		t.Errorf("%.600s does not read back: %v", text, err)
	} else if want, got := show(v.Interface()), show(back.Interface()); want != got {
		t.Errorf("%.600s reads back as another value, %s", text, differ(want, got))
	}
	return text
}

// normal is a name without what Go names lose.
func normal(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' || r == '/' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// schemaNames finds schemas by normal names that only one has.
func schemaNames(document map[string]any, at string) map[string]string {
	node := any(document)
	for part := range strings.SplitSeq(at, "/") {
		m, _ := node.(map[string]any)
		node = m[part]
	}
	schemas, _ := node.(map[string]any)
	names, twice := map[string]string{}, map[string]bool{}
	for name := range schemas {
		n := normal(name)
		if _, ok := names[n]; ok {
			twice[n] = true
		}
		names[n] = name
	}
	for n := range twice {
		delete(names, n)
	}
	return names
}

// modern turns what OpenAPI 3.0 says in its own way into JSON Schema 2020-12. oneOf
// becomes anyOf: that a value fits a second variant by chance is not ours to judge.
func modern(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = modern(v[i])
		}
		return out
	case map[string]any:
		return modernObject(v)
	}
	return v
}

func modernObject(v map[string]any) any {
	out := map[string]any{}
	for k, x := range v {
		if k == "example" || k == "examples" || k == "default" || k == "discriminator" || strings.HasPrefix(k, "x-") {
			continue
		}
		out[k] = modern(x)
	}
	if one, ok := out["oneOf"].([]any); ok && out["anyOf"] == nil {
		out["anyOf"] = one
		delete(out, "oneOf")
	}
	for from, to := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if b, ok := out[from].(bool); ok {
			delete(out, from)
			if b {
				out[from] = out[to]
				delete(out, to)
			}
		}
	}
	if b, ok := out["nullable"].(bool); ok {
		delete(out, "nullable")
		if b {
			return map[string]any{"anyOf": []any{out, map[string]any{"type": "null"}}}
		}
	}
	return out
}
