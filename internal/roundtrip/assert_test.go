package roundtrip_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// What codec.Schema accepts and refuses is what another validator does, for schemas that
// use every keyword at random.
func TestAssertionsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	n, fits := 0, 0
	for range 3000 {
		g := randomSchema{r}
		schema := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema",
			"$defs": map[string]any{"a": g.schema(2), "b": g.schema(1)}}
		for k, v := range g.object(3) {
			schema[k] = v
		}
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		judge := compiled(t, string(text))
		ours := &codec.Schema{Text: string(text)}
		if ours.Err() != nil {
			t.Fatalf("%s: %v", text, ours.Err())
		}
		for range 6 {
			value, _ := json.Marshal(g.value(3))
			var plain any
			plain, err = jsonschema.UnmarshalJSON(strings.NewReader(string(value)))
			if err != nil {
				t.Fatal(err)
			}
			var faults []string
			ours.Assert(string(value), func(pointer string, c codec.Code, message string) bool {
				faults = append(faults, pointer+" "+string(c)+" "+message)
				return true
			})
			n++
			err := judge.Validate(plain)
			if err == nil {
				fits++
			}
			if (err == nil) != (len(faults) == 0) {
				t.Fatalf("of %s\nby %s\nwe say %q\nthe judge says %v", value, text, faults, err)
			}
		}
	}
	if fits < n/10 || fits > n*9/10 {
		t.Errorf("%d of %d values fit: the draw shows nothing", fits, n)
	}
}

func compiled(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	plain, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", plain); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("s.json")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// A randomSchema draws schemas and values from so few names and numbers that they meet.
type randomSchema struct{ *rand.Rand }

var drawnNames = []string{"a", "b", "ab", "x-a", "x-b"}

func (g randomSchema) name() string { return drawnNames[g.IntN(len(drawnNames))] }

func (g randomSchema) schema(depth int) any {
	if depth <= 0 || g.IntN(8) == 0 {
		return g.IntN(5) > 0
	}
	return g.object(depth)
}

func (g randomSchema) list(depth int) []any {
	out := make([]any, 1+g.IntN(3))
	for i := range out {
		out[i] = g.schema(depth)
	}
	return out
}

func (g randomSchema) object(depth int) map[string]any {
	out := map[string]any{}
	one := func() any { return g.schema(depth - 1) }
	named := func() map[string]any {
		m := map[string]any{}
		for range 1 + g.IntN(2) {
			m[g.name()] = one()
		}
		return m
	}
	draw := []func(){
		func() { out["type"] = g.types() },
		func() { out["enum"] = []any{g.value(1), g.value(1), g.value(2)} },
		func() { out["const"] = g.value(1) },
		func() { out["minimum"] = g.IntN(4) },
		func() { out["exclusiveMaximum"] = g.IntN(6) },
		func() { out["multipleOf"] = json.Number([]string{"0.1", "2", "1.5"}[g.IntN(3)]) },
		func() { out["minLength"] = g.IntN(3) },
		func() { out["maxLength"] = g.IntN(3) },
		func() { out["pattern"] = []string{"^a", "b$", "x"}[g.IntN(3)] },
		func() { out["prefixItems"] = g.list(depth - 1) },
		func() { out["items"] = one() },
		func() { out["contains"] = one() },
		func() { out["contains"], out["minContains"], out["maxContains"] = one(), g.IntN(3), g.IntN(3) },
		func() { out["uniqueItems"] = true },
		func() { out["minItems"] = g.IntN(3) },
		func() { out["unevaluatedItems"] = one() },
		func() { out["properties"] = named() },
		func() { out["properties"] = named() },
		func() { out["patternProperties"] = map[string]any{"^x-": one(), "b": one()} },
		func() { out["additionalProperties"] = one() },
		func() { out["propertyNames"] = one() },
		func() { out["required"] = []any{g.name()} },
		func() { out["maxProperties"] = g.IntN(4) },
		func() { out["dependentRequired"] = map[string]any{g.name(): []any{g.name()}} },
		func() { out["dependentSchemas"] = named() },
		func() { out["unevaluatedProperties"] = one() },
		func() { out["allOf"] = g.list(depth - 1) },
		func() { out["anyOf"] = g.list(depth - 1) },
		func() { out["oneOf"] = g.list(depth - 1) },
		func() { out["not"] = one() },
		func() { out["if"], out["then"] = one(), one() },
		func() { out["if"], out["else"] = one(), one() },
		func() { out["$ref"] = "#/$defs/" + []string{"a", "b"}[g.IntN(2)] },
	}
	for range 1 + g.IntN(3) {
		i := g.IntN(len(draw))
		if i == len(draw)-1 && depth < 3 {
			continue // no definition refers to one: that might never end
		}
		draw[i]()
	}
	return out
}

func (g randomSchema) types() any {
	all := []string{"object", "array", "string", "number", "integer", "boolean", "null"}
	if g.IntN(2) == 0 {
		return all[g.IntN(len(all))]
	}
	return []any{all[g.IntN(3)], all[3+g.IntN(4)]}
}

func (g randomSchema) value(depth int) any {
	switch n := g.IntN(9); {
	case n < 2 && depth > 0:
		out := make([]any, g.IntN(4))
		for i := range out {
			out[i] = g.value(depth - 1)
		}
		return out
	case n < 5 && depth > 0:
		out := map[string]any{}
		for range g.IntN(4) {
			out[g.name()] = g.value(depth - 1)
		}
		return out
	case n == 5:
		return nil
	case n == 6:
		return g.IntN(2) == 0
	case n == 7:
		return g.name()
	}
	return json.Number([]string{"0", "1", "2", "3.0", "0.3", "1.5", "1e1", strconv.Itoa(g.IntN(5))}[g.IntN(8)])
}
