package codec_test

import (
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

// A Spot is a list with positions: a constant, a number of one's own type, text that may
// be null, a number that may be missing, and what follows.
type Spot struct {
	Host  netip.Addr
	Label *string
	Port  *int64
	Rest  []bool
}

// A Bag holds what is told by the form of its names.
type Bag struct {
	Big     big.Int
	Numbers map[string]int64
	Words   map[string]string
	Spots   []Spot
}

var (
	hostTable = Type{Kind: Custom, Size: unsafe.Sizeof(netip.Addr{}), Go: (*netip.Addr)(nil)}
	bigTable  = Type{Kind: Custom, Size: unsafe.Sizeof(big.Int{}), Go: (*big.Int)(nil), Rules: &Rule{Has: Also, Also: &Schema{Text: `{"maximum":1000000000000000000000}`}}}
	boolsType = Type{Kind: Slice, Size: unsafe.Sizeof([]bool(nil)), Go: (*[]bool)(nil), Elem: &BoolTable}
	spotTable = Type{Kind: Tuple, Size: unsafe.Sizeof(Spot{}), Go: (*Spot)(nil), Required: 3, Extra: &boolsType, ExtraOff: unsafe.Offsetof(Spot{}.Rest), Fields: []Field{
		{Kind: Const, T: &Type{Kind: Const, Const: `"spot"`}, Flag: Req},
		{Kind: Custom, T: &hostTable, Off: unsafe.Offsetof(Spot{}.Host), Flag: Req},
		{Off: unsafe.Offsetof(Spot{}.Label), Flag: Req | Null | Ptr},
		{Kind: Int64, R: &Rule{Has: Min | Max, Min: 1, Max: 65535}, Off: unsafe.Offsetof(Spot{}.Port), Flag: Ptr},
	}}
	bagTable = Type{Kind: Object, Size: unsafe.Sizeof(Bag{}), Go: (*Bag)(nil), Closed: true,
		More: []More{
			{T: &Type{Kind: Map, Map: (*MapOf[int64])(nil), Go: (*map[string]int64)(nil), Elem: &Int64Table, Names: &Rule{Has: Pattern, Pattern: "^n-"}}, Off: unsafe.Offsetof(Bag{}.Numbers)},
			{T: &Type{Kind: Map, Map: (*MapOf[string])(nil), Go: (*map[string]string)(nil), Elem: &StringTable, Names: &Rule{Has: Pattern, Pattern: "^w"}}, Off: unsafe.Offsetof(Bag{}.Words)},
		},
		Fields: []Field{
			{Key: `,"big":`, Kind: Custom, T: &bigTable, Off: unsafe.Offsetof(Bag{}.Big), Flag: Req},
			{Key: `,"spots":`, Kind: Slice, T: &Type{Kind: Slice, Elem: &spotTable}, Off: unsafe.Offsetof(Bag{}.Spots)},
		}, Required: 1}
)

// bagSchema says the same as bagTable, for another reader: that of assertions.
var bagSchema = Schema{Text: `{"type":"object","required":["big"],"additionalProperties":false,
	"properties":{"big":{"type":"integer","maximum":1000000000000000000000},"spots":{"type":"array","items":
		{"type":"array","minItems":3,"prefixItems":[{"const":"spot"},{"type":"string"},{"type":["string","null"]},{"type":"integer","minimum":1,"maximum":65535}],"items":{"type":"boolean"}}}},
	"patternProperties":{"^n-":{"type":"integer"},"^w":{"type":"string"}}}`}

func TestBagTable(t *testing.T) {
	if err := Check[Bag](&bagTable); err != nil {
		t.Fatal(err)
	}
	if err := bagSchema.Err(); err != nil {
		t.Fatal(err)
	}
}

func readBag(text string) (*Bag, error) {
	b := new(Bag)
	return b, bagTable.Unmarshal([]byte(text), unsafe.Pointer(b))
}

func spots(s string) string { return `{"big":1,"spots":[` + s + `]}` }

func TestPositions(t *testing.T) {
	for _, text := range []string{
		`{"big":123456789012345678901}`, `{"big":-1,"n-":-3,"n-1":2,"wa":"b"}`,
		spots(`["spot","::1",null]`), spots(`["spot","1.2.3.4","home",80]`), spots(`["spot","1.2.3.4","",1,true,false]`), spots(``),
		spots(`["spot","::1","a"],["spot","::2","b",2]`),
	} {
		b, err := readBag(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := bagTable.Marshal(unsafe.Pointer(b))
		if err != nil || string(got) != text {
			t.Errorf("%s became %s, %v", text, got, err)
		}
	}
}

func TestPositionsRefused(t *testing.T) {
	for text, want := range map[string]string{
		spots(`["spot","::1"]`):                 "/spots/0 must have at least 3 items",
		spots(`["spat","::1",null]`):            "/spots/0/0 must be",
		spots(`["spot","nowhere",null]`):        "/spots/0/1 must be what netip.Addr reads",
		spots(`["spot",1,null]`):                "/spots/0/1 must be what netip.Addr reads",
		spots(`["spot","::1",1]`):               "/spots/0/2 must be a string",
		spots(`["spot","::1",null,0]`):          "/spots/0/3 must be at least 1",
		spots(`["spot","::1",null,null]`):       "/spots/0/3 must",
		spots(`["spot","::1",null,1,2]`):        "/spots/0/4 must be true or false",
		spots(`["spot","::1",null,1,true,null`): "must",
		spots(`{"0":"spot"}`):                   "/spots/0 must be an array",
		`{"big":"1"}`:                           "/big must be what big.Int reads",
		`{"big":1000000000000000000001}`:        "/big must be at most",
		`{"big":1,"other":1}`:                   "/other is not a property",
		`{"big":1,"n-1":"x"}`:                   "/n-1 must be an integer",
		`{"big":1,"n-1":1,"n-1":2}`:             "/n-1 must not be there twice",
		`{"big":1,"wa":1}`:                      "/wa must be a string",
		`{"big":null}`:                          "/big must not be null",
		`{}`:                                    "/big is required",
	} {
		if _, err := readBag(text); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), ": ", " "), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// What cannot be written is an error: a gap, a name that the contract does not allow, or
// that another map would read.
func TestPositionsNotWritten(t *testing.T) {
	host, label := netip.MustParseAddr("::1"), "l"
	for want, b := range map[string]Bag{
		"item before it is missing": {Spots: []Spot{{Host: host, Label: &label, Rest: []bool{true}}}},
		"must match ^n-":            {Numbers: map[string]int64{"x": 1}},
		"must match ^w":             {Words: map[string]string{"x": ""}},
	} {
		got, err := bagTable.Marshal(unsafe.Pointer(&b))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %s, %v", want, got, err)
		}
	}
}

// A name of two forms would be read into the first map.
func TestNamesOfTwoForms(t *testing.T) {
	table := bagTable
	table.More = append([]More(nil), bagTable.More...)
	words := *table.More[1].T
	words.Names = &Rule{Has: Pattern, Pattern: "-w$"}
	table.More[1].T = &words
	_, err := table.Append(nil, unsafe.Pointer(&Bag{Words: map[string]string{"n-w": ""}}), 0)
	if err == nil || !strings.Contains(err.Error(), "belongs to the properties") {
		t.Error(err)
	}
}

var bagSeeds = []string{
	`{"big":1}`, `{"big":-1,"n-1":2,"wa":"b","wn":"3"}`, spots(`["spot","::1",null,80,true]`), spots(`["spot","1.2.3.4","a"]`), spots(`["spot","::1",null,1,true,`),
	`{"big":1e2,"spots":null}`, `{"big":null}`, `{"n-1":1.0,"big":0}`, spots(`["spot","::1","\ud83d\ude00"]`), spots(`[]`), `[1]`, `{"big":99999999999999999999999}`,
}

// FuzzPositions reads any text as a Bag. What is read is written, and read again the same;
// and the reader of assertions, which knows nothing of tables, agrees that the contract
// allows it.
func FuzzPositions(f *testing.F) {
	for _, s := range bagSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := readBag(text)
		if err != nil {
			return
		}
		bagSchema.Assert(text, func(pointer string, _ Code, message string) bool {
			t.Fatalf("%q was read, though %s %s", text, pointer, message)
			return false
		})
		once, err := bagTable.Marshal(unsafe.Pointer(b))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, err := readBag(string(once))
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice, err := bagTable.Marshal(unsafe.Pointer(again)); err != nil || string(twice) != string(once) {
			t.Fatalf("%s became %s, %v", once, twice, err)
		}
	})
}
