package codec_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

// Awkward has the names that JSON must escape, and those that look as if it had to.
type Awkward struct {
	Quote, Backslash, Newline, Control, Empty, Slash, Beyond string
	Others                                                   map[string]string
}

var awkwardNames = []string{`a"b`, `a\`, "a\nb", "a\x01b", "", "a/b", "日本"}

// awkwardTable has more than a dozen fields where wide, which are found in another way.
func awkwardTable(wide bool) *Type {
	t := Type{Kind: Object, Size: unsafe.Sizeof(Awkward{}), Go: (*Awkward)(nil), Extra: &StringMapTable, ExtraOff: unsafe.Offsetof(Awkward{}.Others)}
	for i, name := range awkwardNames {
		t.Fields = append(t.Fields, Field{Key: string(AppendQuoted([]byte(","), name)) + ":", Off: uintptr(i) * unsafe.Sizeof(""), Flag: Req})
		t.Required++
	}
	for i := 0; wide && i < 12; i++ {
		constant := &Type{Kind: Const, Const: "1"}
		t.Fields = append(t.Fields, Field{Key: fmt.Sprintf(`,"c%d":`, i), Kind: Const, T: constant})
	}
	return &t
}

func TestNamesThatNeedEscapes(t *testing.T) {
	for _, wide := range []bool{false, true} {
		table := awkwardTable(wide)
		if err := Check[Awkward](table); err != nil {
			t.Fatal(err)
		}
		want := Awkward{"1", "2", "3", "4", "5", "6", "7", map[string]string{`o"`: "8"}}
		b, err := table.Marshal(unsafe.Pointer(&want))
		if err != nil {
			t.Fatal(err)
		}
		var seen map[string]any
		if err := json.Unmarshal(b, &seen); err != nil {
			t.Fatal(err)
		}
		for i, name := range awkwardNames {
			if seen[name] != fmt.Sprint(i+1) {
				t.Errorf("%q is %v in %s", name, seen[name], b)
			}
		}
		foreign, _ := json.Marshal(seen) // another order, and other escapes
		for _, text := range []string{string(b), string(foreign), strings.Replace(string(b), `"a/b"`, `"\u0061\/b"`, 1)} {
			var got Awkward
			if err := table.Unmarshal([]byte(text), unsafe.Pointer(&got)); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v %v", text, got, err)
			}
		}
		missing := strings.Replace(string(b), `"a\"b"`, `"x"`, 1)
		if err := table.Unmarshal([]byte(missing), unsafe.Pointer(new(Awkward))); err == nil || !strings.Contains(err.Error(), `/a"b`) {
			t.Errorf("what is missing is not named: %v", err)
		}
	}
}
