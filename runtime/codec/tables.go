package codec

import (
	"encoding/json"
	"time"
	"unsafe"
)

// Tables of types that Go declares, for elements, bodies and variants.
var (
	StringTable  = Type{Kind: String, Size: unsafe.Sizeof(""), Go: Go[string]{}}
	BoolTable    = Type{Kind: Bool, Size: unsafe.Sizeof(false), Go: Go[bool]{}}
	Int32Table   = Type{Kind: Int32, Size: unsafe.Sizeof(int32(0)), Go: Go[int32]{}}
	Int64Table   = Type{Kind: Int64, Size: unsafe.Sizeof(int64(0)), Go: Go[int64]{}}
	Uint32Table  = Type{Kind: Uint32, Size: unsafe.Sizeof(uint32(0)), Go: Go[uint32]{}}
	Uint64Table  = Type{Kind: Uint64, Size: unsafe.Sizeof(uint64(0)), Go: Go[uint64]{}}
	Float32Table = Type{Kind: Float32, Size: unsafe.Sizeof(float32(0)), Go: Go[float32]{}}
	Float64Table = Type{Kind: Float64, Size: unsafe.Sizeof(float64(0)), Go: Go[float64]{}}
	NumberTable  = Type{Kind: Number, Size: unsafe.Sizeof(json.Number("")), Go: Go[json.Number]{}}
	TimeTable    = Type{Kind: Time, Size: unsafe.Sizeof(time.Time{}), Go: Go[time.Time]{}}
	DateTable    = Type{Kind: Date, Size: unsafe.Sizeof(DateValue{}), Go: Go[DateValue]{}}
	UUIDTable    = Type{Kind: UUID, Size: unsafe.Sizeof(UUIDValue{}), Go: Go[UUIDValue]{}}
	BytesTable   = Type{Kind: Bytes, Size: unsafe.Sizeof([]byte(nil)), Go: Go[[]byte]{}}
	RawTable     = Type{Kind: Raw, Size: unsafe.Sizeof(json.RawMessage(nil)), Go: Go[json.RawMessage]{}}

	// StringsTable is of []string, StringMapTable of map[string]string.
	StringsTable   = Type{Kind: Slice, Size: unsafe.Sizeof([]string(nil)), Go: Go[[]string]{}, Elem: &StringTable}
	StringMapTable = Type{Kind: Map, Size: unsafe.Sizeof(map[string]string(nil)), Go: Go[map[string]string]{}, Elem: &StringTable, Map: MapOf[string]{}}
)
