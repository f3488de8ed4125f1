package codec_test

import (
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

func TestCheckAccepts(t *testing.T) {
	for name, err := range map[string]error{
		"order": Check[Order](&orderTable), "node": Check[Node](&nodeTable), "payment": Check[Payment](&paymentTable),
		"status": Check[Status](&statusTable), "strings": Check[[]string](&StringsTable), "map": Check[map[string]string](&StringMapTable),
		"kinds": Check[Kinds](&kindsTable), "time": checkStd(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func checkStd() error { return Check[UUIDValue](&UUIDTable) }

func TestCheckRefuses(t *testing.T) {
	type small struct {
		A string `json:"a"`
		B *int64 `json:"b"`
	}
	good := func() Type {
		return Type{Kind: Object, Size: unsafe.Sizeof(small{}), Go: (*small)(nil), Required: 1, Fields: []Field{
			{Key: `,"a":`, Off: unsafe.Offsetof(small{}.A), Flag: Req},
			{Key: `,"b":`, Kind: Int64, Off: unsafe.Offsetof(small{}.B), Flag: Ptr},
		}}
	}
	base := good()
	if err := Check[small](&base); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(t *Type)
		want  string
	}{
		"kind":       {func(t *Type) { t.Fields[0].Kind = Int64 }, "wants int64"},
		"offset":     {func(t *Type) { t.Fields[0].Off = 3 }, "no field lies at offset 3"},
		"swapped":    {func(t *Type) { t.Fields[0].Off, t.Fields[1].Off = t.Fields[1].Off, t.Fields[0].Off }, "flag Ptr is missing"},
		"pointer":    {func(t *Type) { t.Fields[1].Flag = 0 }, "flag Ptr is missing"},
		"no pointer": {func(t *Type) { t.Fields[0].Flag |= Ptr }, "wants a pointer"},
		"maybe":      {func(t *Type) { t.Fields[0].Flag |= Maybe }, "wants Opt[T]"},
		"null":       {func(t *Type) { t.Fields[0].Flag |= Null }, "cannot say so"},
		"size":       {func(t *Type) { t.Size++ }, "size"},
		"go":         {func(t *Type) { t.Go = (*Order)(nil) }, "allocates"},
		"required":   {func(t *Type) { t.Required = 2 }, "2 required"},
		"key":        {func(t *Type) { t.Fields[0].Key = `"a":` }, "is not written like"},
		"name":       {func(t *Type) { t.Fields[0].Key = `,"x":` }, "in its tag"},
		"twice":      {func(t *Type) { t.Fields[1] = t.Fields[0] }, "there twice"},
		"left out":   {func(t *Type) { t.Fields = t.Fields[:1] }, "B is not in the table"},
		"no table":   {func(t *Type) { t.Fields[0].Kind = Object }, "needs a table"},
		"pattern":    {func(t *Type) { t.Fields[0].R = &Rule{Has: Pattern, Pattern: "("} }, "does not compile"},
		"map": {func(t *Type) {
			t.Extra, t.ExtraOff = &Type{Kind: Map, Elem: &StringTable, Map: (*MapOf[int])(nil)}, 0
		}, "wants a map"},
		"lazy": {func(t *Type) { t.Fields[0].Kind, t.Fields[0].T = Lazy, &Type{Kind: Lazy} }, "no type knows"},
	} {
		bad := good()
		c.spoil(&bad)
		if err := Check[small](&bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	wrong := Type{Kind: Map, Elem: &StringTable, Map: (*MapOf[int])(nil)}
	if err := Check[map[string]string](&wrong); err == nil {
		t.Error("a Map of other values was accepted")
	}
	u := paymentTable.Union
	crossed := Type{Kind: Union, Union: &UnionType{Tag: "kind", Get: u.Get, Variants: []Variant{
		{Tags: []string{"card"}, T: &ibanTable, Set: u.Variants[0].Set}, {Tags: []string{"card"}, T: &ibanTable, Set: u.Variants[1].Set}}}}
	if err := Check[Payment](&crossed); err == nil || !strings.Contains(err.Error(), "two variants") || !strings.Contains(err.Error(), "Card") {
		t.Error("crossed variants:", err)
	}
}
