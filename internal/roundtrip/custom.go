package roundtrip

import (
	"reflect"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// texts are what types of programs read: some of these, for most types.
var texts = []string{`"192.0.2.7"`, `"2001:db8::1"`, `"2020-01-02T03:04:05Z"`, `"https://example.com/a?b=c"`, `"plain"`, `"1h2m"`, `17`, `-3`, `123456789012345678901`, `2.5`, `true`, `["a"]`, `{"a":"b"}`}

// custom draws a value of a type that the program brings: what its reader takes of some
// texts, and its table's rules allow.
func (d *drawer) custom(v reflect.Value, t *codec.Type) {
	from := d.IntN(len(texts))
	for i := range texts {
		text := texts[(from+i)%len(texts)]
		if d.flat() && (text[0] == '[' || text[0] == '{') {
			continue
		}
		fresh := reflect.New(v.Type())
		if t.Decode([]byte(text), fresh.UnsafePointer(), codec.Options{}) == nil {
			v.Set(fresh.Elem())
			return
		}
	}
	d.fail("nothing is a %s", v.Type())
}
