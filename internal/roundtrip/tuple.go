package roundtrip

import (
	"reflect"
	"regexp"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// tuple draws the positions of a list: all that are required, and some of those behind.
func (d *drawer) tuple(v reflect.Value, t *codec.Type) {
	n := t.Required + d.IntN(len(t.Fields)-t.Required+1)
	for i := range n {
		f := t.Fields[i]
		f.Flag |= codec.Req
		if f.Kind == codec.Const {
			continue
		}
		at := cell(v, &t.Fields[i])
		if f.Flag&(codec.Ptr|codec.Maybe) == codec.Ptr && f.Flag&codec.Null == 0 {
			at.Set(reflect.New(at.Type().Elem()))
			d.value(at.Elem(), f.Kind, f.T, f.R)
			continue
		}
		d.place(at, f)
	}
	if t.Extra != nil && n == len(t.Fields) && !d.maybe() {
		rest := cell(v, &codec.Field{Off: t.ExtraOff, Kind: codec.Slice})
		if d.list(rest, t.Extra, limitsOf()); rest.Len() == 0 {
			rest.SetZero() // an empty one is not there
		}
	}
}

// claimed says whether a property of the object of belongs into a map before m.
func claimed(of, m *codec.Type, name string) bool {
	for _, other := range of.More {
		if other.T == m {
			return false
		}
		if regexp.MustCompile(other.T.Names.Pattern).MatchString(name) {
			return true
		}
	}
	return false
}
