package codec_test

import (
	"encoding/json"
	"time"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

type Level int64

// Scalars has every kind with memory once, in one way of being optional.
type Scalars[S, B, I32, I64, U32, U64, F32, F64, N, T, D, U, E, EI any] struct {
	S   S   `json:"s,omitzero"`
	B   B   `json:"b,omitzero"`
	I32 I32 `json:"i32,omitzero"`
	I64 I64 `json:"i64,omitzero"`
	U32 U32 `json:"u32,omitzero"`
	U64 U64 `json:"u64,omitzero"`
	F32 F32 `json:"f32,omitzero"`
	F64 F64 `json:"f64,omitzero"`
	N   N   `json:"n,omitzero"`
	T   T   `json:"t,omitzero"`
	D   D   `json:"d,omitzero"`
	U   U   `json:"u,omitzero"`
	E   E   `json:"e,omitzero"`
	EI  EI  `json:"ei,omitzero"`
}

type (
	plainScalars = Scalars[string, bool, int32, int64, uint32, uint64, float32, float64, json.Number, time.Time, DateValue, UUIDValue, Status, Level]
	ptrScalars   = Scalars[*string, *bool, *int32, *int64, *uint32, *uint64, *float32, *float64, *json.Number, *time.Time, *DateValue, *UUIDValue, *Status, *Level]
	optScalars   = Scalars[Opt[string], Opt[bool], Opt[int32], Opt[int64], Opt[uint32], Opt[uint64], Opt[float32], Opt[float64], Opt[json.Number], Opt[time.Time], Opt[DateValue], Opt[UUIDValue], Opt[Status], Opt[Level]]
)

// Lists has what can be nil, as it is and in an Opt.
type Lists struct {
	Bytes  []byte                `json:"bytes,omitzero"`
	Raw    json.RawMessage       `json:"raw,omitzero"`
	Ints   []int64               `json:"ints,omitzero"`
	Nulls  []*float64            `json:"nulls,omitzero"`
	Deep   [][]string            `json:"deep,omitzero"`
	Map    map[string]int64      `json:"map,omitzero"`
	Addrs  map[string]Address    `json:"addrs,omitzero"`
	Pay    Payment               `json:"pay,omitzero"`
	OBytes Opt[[]byte]           `json:"obytes,omitzero"`
	OInts  Opt[[]int64]          `json:"oints,omitzero"`
	OMap   Opt[map[string]int64] `json:"omap,omitzero"`
	OAddr  Opt[Address]          `json:"oaddr,omitzero"`
	NInts  []int64               `json:"nints"` // required and nullable
	NAddr  *Address              `json:"naddr"` // required and nullable
	Extra  map[string]bool       `json:"-"`
}

type Kinds struct {
	Plain plainScalars `json:"plain"`
	Ptr   ptrScalars   `json:"ptr"`
	Opt   optScalars   `json:"opt"`
	Lists Lists        `json:"lists"`
}

var levelTable = Type{Kind: EnumInt, Size: unsafe.Sizeof(Level(0)), Go: (*Level)(nil), EnumInt: []int64{1, 2, 3}}

func scalarFields(off [14]uintptr, fl Flag) []Field {
	fs := []Field{
		{Key: `,"s":`, Kind: String}, {Key: `,"b":`, Kind: Bool}, {Key: `,"i32":`, Kind: Int32}, {Key: `,"i64":`, Kind: Int64},
		{Key: `,"u32":`, Kind: Uint32}, {Key: `,"u64":`, Kind: Uint64}, {Key: `,"f32":`, Kind: Float32}, {Key: `,"f64":`, Kind: Float64},
		{Key: `,"n":`, Kind: Number}, {Key: `,"t":`, Kind: Time}, {Key: `,"d":`, Kind: Date}, {Key: `,"u":`, Kind: UUID},
		{Key: `,"e":`, Kind: Enum, T: &statusTable}, {Key: `,"ei":`, Kind: EnumInt, T: &levelTable},
	}
	for i := range fs {
		fs[i].Off, fs[i].Flag = off[i], fl
	}
	return fs
}

var (
	p0 plainScalars
	p1 ptrScalars
	p2 optScalars

	plainTable = Type{Kind: Object, Size: unsafe.Sizeof(p0), Go: (*plainScalars)(nil), Required: 14, Fields: scalarFields([14]uintptr{
		unsafe.Offsetof(p0.S), unsafe.Offsetof(p0.B), unsafe.Offsetof(p0.I32), unsafe.Offsetof(p0.I64), unsafe.Offsetof(p0.U32), unsafe.Offsetof(p0.U64), unsafe.Offsetof(p0.F32),
		unsafe.Offsetof(p0.F64), unsafe.Offsetof(p0.N), unsafe.Offsetof(p0.T), unsafe.Offsetof(p0.D), unsafe.Offsetof(p0.U), unsafe.Offsetof(p0.E), unsafe.Offsetof(p0.EI)}, Req)}
	ptrTable = Type{Kind: Object, Size: unsafe.Sizeof(p1), Go: (*ptrScalars)(nil), Fields: scalarFields([14]uintptr{
		unsafe.Offsetof(p1.S), unsafe.Offsetof(p1.B), unsafe.Offsetof(p1.I32), unsafe.Offsetof(p1.I64), unsafe.Offsetof(p1.U32), unsafe.Offsetof(p1.U64), unsafe.Offsetof(p1.F32),
		unsafe.Offsetof(p1.F64), unsafe.Offsetof(p1.N), unsafe.Offsetof(p1.T), unsafe.Offsetof(p1.D), unsafe.Offsetof(p1.U), unsafe.Offsetof(p1.E), unsafe.Offsetof(p1.EI)}, Ptr)}
	optTable = Type{Kind: Object, Size: unsafe.Sizeof(p2), Go: (*optScalars)(nil), Fields: scalarFields([14]uintptr{
		unsafe.Offsetof(p2.S), unsafe.Offsetof(p2.B), unsafe.Offsetof(p2.I32), unsafe.Offsetof(p2.I64), unsafe.Offsetof(p2.U32), unsafe.Offsetof(p2.U64), unsafe.Offsetof(p2.F32),
		unsafe.Offsetof(p2.F64), unsafe.Offsetof(p2.N), unsafe.Offsetof(p2.T), unsafe.Offsetof(p2.D), unsafe.Offsetof(p2.U), unsafe.Offsetof(p2.E), unsafe.Offsetof(p2.EI)}, Maybe|Null)}
)

var (
	intsTable = Type{Kind: Slice, Size: unsafe.Sizeof([]int64(nil)), Go: (*[]int64)(nil), Elem: &Int64Table}
	intMap    = Type{Kind: Map, Size: unsafe.Sizeof(map[string]int64(nil)), Go: (*map[string]int64)(nil), Elem: &Int64Table, Map: (*MapOf[int64])(nil)}
)

var listsTable = Type{Kind: Object, Size: unsafe.Sizeof(Lists{}), Go: (*Lists)(nil), Required: 2, Fields: []Field{
	{Key: `,"bytes":`, Kind: Bytes, Off: unsafe.Offsetof(Lists{}.Bytes)},
	{Key: `,"raw":`, Kind: Raw, Off: unsafe.Offsetof(Lists{}.Raw)},
	{Key: `,"ints":`, Kind: Slice, T: &intsTable, Off: unsafe.Offsetof(Lists{}.Ints)},
	{Key: `,"nulls":`, Kind: Slice, T: &Type{Kind: Slice, Elem: &Float64Table, ElemFlag: Ptr | Null}, Off: unsafe.Offsetof(Lists{}.Nulls)},
	{Key: `,"deep":`, Kind: Slice, T: &Type{Kind: Slice, Elem: &StringsTable}, Off: unsafe.Offsetof(Lists{}.Deep)},
	{Key: `,"map":`, Kind: Map, T: &intMap, Off: unsafe.Offsetof(Lists{}.Map)},
	{Key: `,"addrs":`, Kind: Map, T: &Type{Kind: Map, Elem: &addressTable, Map: (*MapOf[Address])(nil)}, Off: unsafe.Offsetof(Lists{}.Addrs)},
	{Key: `,"pay":`, Kind: Union, T: &paymentTable, Off: unsafe.Offsetof(Lists{}.Pay)},
	{Key: `,"obytes":`, Kind: Bytes, Off: unsafe.Offsetof(Lists{}.OBytes), Flag: Maybe | Null},
	{Key: `,"oints":`, Kind: Slice, T: &intsTable, Off: unsafe.Offsetof(Lists{}.OInts), Flag: Maybe | Null},
	{Key: `,"omap":`, Kind: Map, T: &intMap, Off: unsafe.Offsetof(Lists{}.OMap), Flag: Maybe | Null},
	{Key: `,"oaddr":`, Kind: Object, T: &addressTable, Off: unsafe.Offsetof(Lists{}.OAddr), Flag: Maybe | Null},
	{Key: `,"nints":`, Kind: Slice, T: &intsTable, Off: unsafe.Offsetof(Lists{}.NInts), Flag: Req | Null},
	{Key: `,"naddr":`, Kind: Object, T: &addressTable, Off: unsafe.Offsetof(Lists{}.NAddr), Flag: Req | Null | Ptr},
}, Extra: &Type{Kind: Map, Elem: &BoolTable, Map: (*MapOf[bool])(nil)}, ExtraOff: unsafe.Offsetof(Lists{}.Extra)}

var kindsTable = Type{Kind: Object, Size: unsafe.Sizeof(Kinds{}), Go: (*Kinds)(nil), Required: 4, Fields: []Field{
	{Key: `,"plain":`, Kind: Object, T: &plainTable, Off: unsafe.Offsetof(Kinds{}.Plain), Flag: Req},
	{Key: `,"ptr":`, Kind: Object, T: &ptrTable, Off: unsafe.Offsetof(Kinds{}.Ptr), Flag: Req},
	{Key: `,"opt":`, Kind: Object, T: &optTable, Off: unsafe.Offsetof(Kinds{}.Opt), Flag: Req},
	{Key: `,"lists":`, Kind: Object, T: &listsTable, Off: unsafe.Offsetof(Kinds{}.Lists), Flag: Req},
}}
