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
)

// disagree changes a valid value here and there, and expects that we refuse what the
// judge refuses, and nothing else.
func disagree(t *testing.T, zero any, schema *jsonschema.Schema, text []byte, r *rand.Rand) {
	t.Helper()
	m := mutator{r}
	for range 40 {
		plain, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(3) {
			plain = m.change(plain)
		}
		changed, err := json.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		judged := schema.Validate(plain)
		ours := json.Unmarshal(changed, reflect.New(reflect.TypeOf(zero).Elem()).Interface())
		if (judged == nil) != (ours == nil) {
			t.Errorf("of %.400s\nwe say    %v\nthe judge %v", changed, ours, judged)
			return
		}
	}
}

// A mutator changes JSON values.
type mutator struct{ *rand.Rand }

func (m mutator) atom() any {
	return []any{nil, true, "", "a", "p-a", "other", json.Number("0"), json.Number("1"), json.Number("2.5"), json.Number("-3"),
		[]any{}, map[string]any{}}[m.IntN(12)]
}

// change returns v with one change somewhere.
func (m mutator) change(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return m.object(v)
	case []any:
		return m.list(v)
	}
	return m.atom()
}

func (m mutator) object(v map[string]any) any {
	names := slices.Sorted(maps.Keys(v))
	n := m.IntN(8)
	if len(names) == 0 {
		n = 7
	}
	switch {
	case n == 0:
		return m.atom()
	case n < 3:
		delete(v, names[m.IntN(len(names))])
	case n == 7:
		v[[]string{"a", "b", "p-a", "y-1", "other", "zz"}[m.IntN(6)]] = m.atom()
	default:
		name := names[m.IntN(len(names))]
		v[name] = m.change(v[name])
	}
	return v
}

func (m mutator) list(v []any) any {
	n := m.IntN(8)
	if len(v) == 0 {
		n = 7
	}
	switch {
	case n == 0:
		return m.atom()
	case n == 1:
		return v[:len(v)-1]
	case n == 2:
		return append(v, v[m.IntN(len(v))])
	case n == 7:
		return append(v, m.atom())
	}
	i := m.IntN(len(v))
	v[i] = m.change(v[i])
	return v
}
