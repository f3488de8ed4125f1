package codec

import (
	"reflect"
	"unsafe"
)

// defaults gives the fields of the object at p that were not seen what t says they are
// then. Check holds every default against its field, so that none fails here.
func (d *dec) defaults(t *Type, p unsafe.Pointer, seen []uint64) {
	for _, x := range t.Defaults {
		i := x.Field
		if f := &t.Fields[i]; seen[i>>6]&(1<<(i&63)) == 0 && f.Flag&d.drop == 0 {
			_ = f.Decode([]byte(x.JSON), p, Options{})
		}
	}
}

// defaults checks that the fields of rt can hold their defaults.
func (c *checker) defaults(at string, t *Type, rt reflect.Type) {
	for _, x := range t.Defaults {
		if x.Field < 0 || x.Field >= len(t.Fields) || t.Fields[x.Field].Flag&Req != 0 {
			c.bad(at, "the default %s belongs to no field that may be absent", x.JSON)
			continue
		}
		f := &t.Fields[x.Field]
		if err := f.Decode([]byte(x.JSON), reflect.New(rt).UnsafePointer(), Options{}); err != nil {
			c.bad(at+"."+f.name(), "cannot be %s, its default: %v", x.JSON, err)
		}
	}
}
