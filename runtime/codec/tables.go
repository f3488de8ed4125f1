package codec

import (
	"encoding/json"
	"time"
	"unsafe"
)

// Tables of types that Go declares, for elements, bodies and variants.
var (
	StringTable  = Type{Kind: String, Size: unsafe.Sizeof(""), Go: (*string)(nil)}
	BoolTable    = Type{Kind: Bool, Size: unsafe.Sizeof(false), Go: (*bool)(nil)}
	Int32Table   = Type{Kind: Int32, Size: unsafe.Sizeof(int32(0)), Go: (*int32)(nil)}
	Int64Table   = Type{Kind: Int64, Size: unsafe.Sizeof(int64(0)), Go: (*int64)(nil)}
	Uint32Table  = Type{Kind: Uint32, Size: unsafe.Sizeof(uint32(0)), Go: (*uint32)(nil)}
	Uint64Table  = Type{Kind: Uint64, Size: unsafe.Sizeof(uint64(0)), Go: (*uint64)(nil)}
	Float32Table = Type{Kind: Float32, Size: unsafe.Sizeof(float32(0)), Go: (*float32)(nil)}
	Float64Table = Type{Kind: Float64, Size: unsafe.Sizeof(float64(0)), Go: (*float64)(nil)}
	NumberTable  = Type{Kind: Number, Size: unsafe.Sizeof(json.Number("")), Go: (*json.Number)(nil)}
	TimeTable    = Type{Kind: Time, Size: unsafe.Sizeof(time.Time{}), Go: (*time.Time)(nil)}
	DateTable    = Type{Kind: Date, Size: unsafe.Sizeof(DateValue{}), Go: (*DateValue)(nil)}
	UUIDTable    = Type{Kind: UUID, Size: unsafe.Sizeof(UUIDValue{}), Go: (*UUIDValue)(nil)}
	BytesTable   = Type{Kind: Bytes, Size: unsafe.Sizeof([]byte(nil)), Go: (*[]byte)(nil)}
	RawTable     = Type{Kind: Raw, Size: unsafe.Sizeof(json.RawMessage(nil)), Go: (*json.RawMessage)(nil)}

	// StringsTable is of []string, StringMapTable of map[string]string.
	StringsTable   = Type{Kind: Slice, Size: unsafe.Sizeof([]string(nil)), Go: (*[]string)(nil), Elem: &StringTable}
	StringMapTable = Type{Kind: Map, Size: unsafe.Sizeof(map[string]string(nil)), Go: (*map[string]string)(nil), Elem: &StringTable, Map: (*MapOf[string])(nil)}
)
