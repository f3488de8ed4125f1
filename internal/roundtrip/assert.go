package roundtrip

import (
	"encoding/json"
	"reflect"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// assertions are those of the place and of the type of a value.
func assertions(t *codec.Type, r *codec.Rule) (all []codec.Assertion) {
	if t != nil && t.Rules != nil {
		all = appendAlso(all, t.Rules)
	}
	return appendAlso(all, r)
}

func appendAlso(all []codec.Assertion, r *codec.Rule) []codec.Assertion {
	if r != nil && r.Has&codec.Also != 0 {
		all = append(all, r.Also)
	}
	return all
}

// asserted draws until the value is what assertions say, beginning with the values that
// they list.
func (d *drawer) asserted(v reflect.Value, f codec.Field, l limits, all []codec.Assertion) {
	listed := listedBy(all)
	for range 500 {
		v.SetZero()
		if len(listed) > 0 {
			if f.Decode(listed[d.IntN(len(listed))], v.Addr().UnsafePointer(), codec.Options{}) != nil {
				continue
			}
		} else {
			d.plain(v, f.Kind, f.T, l)
		}
		text, err := f.Append(nil, v.Addr().UnsafePointer(), 0)
		if d.err != nil {
			return
		}
		if err == nil && satisfied(text, all) {
			return
		}
	}
	d.fail("no %s as its assertions want it", v.Type())
}

func satisfied(text []byte, all []codec.Assertion) bool {
	ok := true
	for _, a := range all {
		a.Assert(string(text), func(string, codec.Code, string) bool {
			ok = false
			return false
		})
	}
	return ok
}

// listedBy returns the values of the assertions that are enums.
func listedBy(all []codec.Assertion) []json.RawMessage {
	for _, a := range all {
		var s struct{ Enum []json.RawMessage }
		if one, ok := a.(*codec.Schema); ok && json.Unmarshal([]byte(one.Text), &s) == nil && s.Enum != nil {
			return s.Enum
		}
	}
	return nil
}
