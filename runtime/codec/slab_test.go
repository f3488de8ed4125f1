package codec_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

// A Parcel has what shares memory while it is read, and a union whose variants know
// nothing of their tag.
type Parcel struct {
	Name  *string
	Note  *string
	Count *int64
	Gift  *bool
	Owner *UUIDValue
	Small []int32
	Flags []bool
	By    Courier
}

type Courier interface{ isCourier() }
type Bike struct{ Gears *int32 }
type Van struct{ Plate *string }

func (*Bike) isCourier() {}
func (*Van) isCourier()  {}

var bikeTable = Type{Kind: Object, Size: unsafe.Sizeof(Bike{}), Go: (*Bike)(nil), Closed: true, Fields: []Field{
	{Key: `,"gears":`, Kind: Int32, Off: unsafe.Offsetof(Bike{}.Gears), Flag: Ptr}}}

var vanTable = Type{Kind: Object, Size: unsafe.Sizeof(Van{}), Go: (*Van)(nil), Fields: []Field{
	{Key: `,"plate":`, Off: unsafe.Offsetof(Van{}.Plate), Flag: Ptr}}}

var courierTable = Type{Kind: Union, Union: &UnionType{Tag: "kind", Get: func(p unsafe.Pointer) (int, unsafe.Pointer) {
	switch v := (*(*Courier)(p)).(type) {
	case *Bike:
		return 0, unsafe.Pointer(v)
	case *Van:
		return 1, unsafe.Pointer(v)
	}
	return -1, nil
}, Variants: []Variant{
	{Tags: []string{"bike"}, T: &bikeTable, Set: func(p unsafe.Pointer) unsafe.Pointer {
		v := new(Bike)
		*(*Courier)(p) = v
		return unsafe.Pointer(v)
	}},
	{Tags: []string{"van"}, T: &vanTable, Set: func(p unsafe.Pointer) unsafe.Pointer {
		v := new(Van)
		*(*Courier)(p) = v
		return unsafe.Pointer(v)
	}}}}}

var parcelTable = Type{Kind: Object, Size: unsafe.Sizeof(Parcel{}), Go: (*Parcel)(nil), Fields: []Field{
	{Key: `,"name":`, Off: unsafe.Offsetof(Parcel{}.Name), Flag: Ptr},
	{Key: `,"note":`, Off: unsafe.Offsetof(Parcel{}.Note), Flag: Ptr | Null},
	{Key: `,"count":`, Kind: Int64, Off: unsafe.Offsetof(Parcel{}.Count), Flag: Ptr},
	{Key: `,"gift":`, Kind: Bool, Off: unsafe.Offsetof(Parcel{}.Gift), Flag: Ptr},
	{Key: `,"owner":`, Kind: UUID, Off: unsafe.Offsetof(Parcel{}.Owner), Flag: Ptr},
	{Key: `,"small":`, Kind: Slice, T: &Type{Kind: Slice, Elem: &Int32Table}, Off: unsafe.Offsetof(Parcel{}.Small)},
	{Key: `,"flags":`, Kind: Slice, T: &Type{Kind: Slice, Elem: &BoolTable}, Off: unsafe.Offsetof(Parcel{}.Flags)},
	{Key: `,"by":`, Kind: Union, T: &courierTable, Off: unsafe.Offsetof(Parcel{}.By)},
}}

var parcelsTable = Type{Kind: Slice, Size: unsafe.Sizeof([]Parcel{}), Go: (*[]Parcel)(nil), Elem: &parcelTable}

func parcelJSON(i int) string {
	return fmt.Sprintf(`{"name":"n%d","note":"%s","count":%d,"gift":%t,"owner":"%08x-0000-4000-8000-000000000000","small":[%d,%d],"flags":[true,false,%t],"by":{"kind":"bike","gears":%d}}`,
		i, strings.Repeat("x", i%130), i, i%2 == 0, i, i, -i, i%2 == 0, i)
}

// Values that share an allocation do not touch each other, also when the collector runs
// while they are read, when they are changed, and when others that were beside them are
// gone.
func TestValuesThatShareMemory(t *testing.T) {
	const n = 300
	var all []string
	for i := range n {
		all = append(all, parcelJSON(i))
	}
	for _, m := range []Mode{0, Owned} {
		var got []Parcel
		if err := parcelsTable.Decode([]byte("["+strings.Join(all, ",")+"]"), unsafe.Pointer(&got), Options{Mode: m}); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i].Small = append(got[i].Small, 7) // must not run into what lies behind
			if i%3 == 0 {
				got[i] = Parcel{}
			} else {
				*got[i].Count++
			}
		}
		runtime.GC()
		for i, p := range got {
			if i%3 == 0 {
				continue
			}
			*p.Count--
			p.Small = p.Small[:2]
			b, err := parcelTable.Marshal(unsafe.Pointer(&p))
			if err != nil || string(b) != all[i] {
				t.Fatalf("%v\n got %s\nwant %s", err, b, all[i])
			}
		}
	}
}

// One optional value keeps no more alive than a piece of a slab.
func TestLongStringsAreNotKeptByTheirNeighbours(t *testing.T) {
	long := strings.Repeat("y", 1<<20)
	var got []Parcel
	in := `[{"name":"` + long + `","note":"` + long + `"},{"name":"` + long + `"}]`
	if err := parcelsTable.Decode([]byte(in), unsafe.Pointer(&got), Options{}); err != nil {
		t.Fatal(err)
	}
	freed := make(chan struct{})
	runtime.AddCleanup(unsafe.StringData(*got[0].Name), func(c chan struct{}) { close(c) }, freed)
	kept := got[0].Note
	clear(got)
	for done := false; !done; { // for ever where the neighbour keeps it
		runtime.GC()
		select {
		case <-freed:
			done = true
		default:
			runtime.Gosched()
		}
	}
	runtime.KeepAlive(kept)
}

// The tag of a union may stand anywhere, however it is spelt, but once.
func TestTagsOfUnions(t *testing.T) {
	for in, code := range map[string]Code{
		`{"kind":"bike","gears":3}`:                          "",
		`{"gears":3,"kind":"bike"}`:                          "",
		`{ "kind" : "bike" , "gears" : 3 }`:                  "",
		`{"\u006bind":"bike","gears":3}`:                     "",
		`{"gears":3,"\u006bind":"bike"}`:                     "",
		`{"kind":"bike"}`:                                    "",
		`{"kind":"bike","kind":"bike","gears":3}`:            CodeDuplicate,
		`{"kind":"bike","gears":3,"kind":"bike"}`:            CodeDuplicate,
		`{"kind":"bike","gears":3,"kind":"van"}`:             CodeDuplicate,
		`{"gears":3,"kind":"bike","\u006bind":"bike"}`:       CodeDuplicate,
		`{"kind":"van","plate":"a","x":{"kind":1,"kind":2}}`: "",
		`{"kind":"van","kind":[],"plate":"a"}`:               CodeDuplicate,
		`{"kind":"bike","gears":3,"horn":true}`:              CodeUnknown,
		`{"kind":"tram"}`:                                    CodeEnum,
		`{"gears":3}`:                                        CodeRequired,
		`{"kind":7,"gears":3}`:                               CodeType,
		`{"kind":"bike","gears":3`:                           CodeSyntax,
		`{"kind":"bike" "gears":3}`:                          CodeSyntax,
		`{"kind":"bike",}`:                                   CodeSyntax,
	} {
		var p Parcel
		err := parcelTable.Unmarshal([]byte(`{"by":`+in+`}`), unsafe.Pointer(&p))
		if code == "" && (err != nil || p.By == nil) || code != "" && (err == nil || firstViolation(t, err).Code != code) {
			t.Errorf("%s: %v, want %q", in, err, code)
		}
	}
}

// A list may not claim memory that its text does not pay for.
func TestListsOfNumbers(t *testing.T) {
	for in, code := range map[string]Code{
		`[]`: "", `[ ]`: "", `[1]`: "", `[ 1 , 2 ]`: "", `[1,2,3,4,5]`: "",
		`[1,]`: CodeSyntax, `[,1]`: CodeSyntax, `[1 2]`: CodeSyntax,
		`["a,b]",1]`: CodeType, `[[1],2]`: CodeType, `[1,{"a":[1,2]}]`: CodeType, `[1,null]`: CodeType, `[1.5]`: CodeType, `[2147483648]`: CodeRange,
	} {
		var p Parcel
		err := parcelTable.Unmarshal([]byte(`{"small":`+in+`,"name":"a,b"}`), unsafe.Pointer(&p))
		if code == "" && (err != nil || p.Small == nil || cap(p.Small) != len(p.Small)) || code != "" && (err == nil || firstViolation(t, err).Code != code) {
			t.Errorf("%s: %v %v, want %q", in, p.Small, err, code)
		}
	}
}

// instrumented says that the race detector adds allocations of its own.
var instrumented bool

func TestAllocationsOfOptionalValues(t *testing.T) {
	if instrumented {
		t.Skip("the race detector allocates")
	}
	in := []byte(parcelJSON(60))
	var p Parcel
	n := testing.AllocsPerRun(100, func() {
		p = Parcel{}
		if err := parcelTable.Decode(in, unsafe.Pointer(&p), Options{Mode: Owned}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 3 { // strings, words, the variant
		t.Errorf("%v allocations", n)
	}
}
