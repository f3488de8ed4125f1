package codec

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

func (c *checker) object(at string, t *Type, rt reflect.Type) {
	if !c.want(at, rt.Kind() == reflect.Struct, rt, "a struct") {
		return
	}
	required, names := 0, map[string]bool{}
	covered := map[int]bool{}
	for i := range t.Fields {
		f := &t.Fields[i]
		if len(f.Key) < 4 || f.Key[:2] != `,"` || f.Key[len(f.Key)-2:] != `":` {
			c.bad(at, "the key %s is not written like ,\"name\":", f.Key)
			continue
		}
		name := f.name()
		if want := string(appendString(nil, ",", name)) + ":"; f.Key != want {
			c.bad(at, "the key %s should be written %s", f.Key, want)
		}
		if names[name] {
			c.bad(at, "the name %s is there twice", name)
		}
		names[name] = true
		required += int(f.Flag & Req)
		if j := c.field(at+"."+name, f, rt); j >= 0 {
			covered[j] = true
			c.tag(at, name, f, rt.Field(j))
		}
	}
	if required != t.Required {
		c.bad(at, "the table says %d required fields, but has %d", t.Required, required)
	}
	if t.Extra != nil {
		if j := fieldAt(rt, t.ExtraOff); j < 0 {
			c.bad(at, "no field lies at the offset of the additional properties")
		} else {
			covered[j] = true
			if t.Extra.Kind != Map {
				c.bad(at, "additional properties must be a Map")
			}
			c.typ(at+".{}", t.Extra.Kind, t.Extra, rt.Field(j).Type)
		}
	}
	for _, m := range t.More {
		if j := fieldAt(rt, m.Off); j < 0 || m.T.Kind != Map || m.T.Names == nil {
			c.bad(at, "no map of named properties lies at offset %d", m.Off)
		} else {
			covered[j] = true
			c.typ(at+".{"+m.T.Names.Pattern+"}", Map, m.T, rt.Field(j).Type)
		}
	}
	if len(c.errs) == 0 {
		c.defaults(at, t, rt)
	}
	for j := range rt.NumField() {
		if sf := rt.Field(j); sf.IsExported() && !covered[j] && sf.Tag.Get("json") != "-" {
			c.bad(at, "the field %s is not in the table", sf.Name)
		}
	}
}

// tuple checks the positions of a list.
func (c *checker) tuple(at string, t *Type, rt reflect.Type) {
	if !c.want(at, rt.Kind() == reflect.Struct, rt, "a struct") {
		return
	}
	covered, required := map[int]bool{}, 0
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Flag&Req != 0 {
			if required++; required != i+1 {
				c.bad(at, "position %d is required, one before it is not", i)
			}
		}
		covered[c.field(fmt.Sprintf("%s[%d]", at, i), f, rt)] = true
	}
	if required != t.Required {
		c.bad(at, "the table says %d required positions, but has %d", t.Required, required)
	}
	if t.Extra != nil {
		if j := fieldAt(rt, t.ExtraOff); j < 0 || t.Extra.Kind != Slice {
			c.bad(at, "no list lies at the offset of the items behind the positions")
		} else {
			covered[j] = true
			c.typ(at+"[...]", Slice, t.Extra, rt.Field(j).Type)
		}
	}
	for j := range rt.NumField() {
		if !covered[j] {
			c.bad(at, "the field %s is not in the table", rt.Field(j).Name)
		}
	}
}

// fieldAt returns which field lies at an offset: the last one, since those of size zero
// share it.
func fieldAt(rt reflect.Type, off uintptr) int {
	at := -1
	for j := range rt.NumField() {
		if rt.Field(j).Offset == off {
			at = j
		}
	}
	return at
}

// field checks one field against the struct rt and returns which of its fields it is, -1
// for none.
func (c *checker) field(at string, f *Field, rt reflect.Type) int {
	c.rule(at, f.R)
	if f.Kind == Const {
		if f.T == nil || f.Flag&(Ptr|Maybe) != 0 {
			c.bad(at, "a constant needs a table and no memory")
			return -1
		}
		c.typ(at, f.Kind, f.T, reflect.TypeFor[struct{}]())
		return -1
	}
	j := -1
	if rt.Kind() == reflect.Struct {
		j = fieldAt(rt, f.Off)
	}
	if j < 0 {
		if f.Off == 0 { // the value as a whole
			c.flagged(at, f, rt)
			return -1
		}
		c.bad(at, "no field lies at offset %d", f.Off)
		return -1
	}
	c.flagged(at, f, rt.Field(j).Type)
	return j
}

func (c *checker) flagged(at string, f *Field, rt reflect.Type) {
	switch {
	case f.Flag&(Maybe|Ptr) == Maybe|Ptr:
		c.bad(at, "has both Maybe and Ptr")
		return
	case f.Flag&Maybe != 0:
		if !c.want(at, rt.Kind() == reflect.Struct && strings.HasPrefix(rt.Name(), "Opt[") && rt.PkgPath() == reflect.TypeFor[Opt[int]]().PkgPath(), rt, "Opt[T]") {
			return
		}
		value := rt.Field(0).Type
		if size := sizeOf(f.Kind, f.T); size != rt.Field(1).Offset {
			c.bad(at, "the state lies at %d, the table looks at %d", rt.Field(1).Offset, size)
		}
		rt = value
	case f.Flag&Ptr != 0:
		if !c.want(at, rt.Kind() == reflect.Pointer, rt, "a pointer") {
			return
		}
		rt = rt.Elem()
	case rt.Kind() == reflect.Pointer:
		c.bad(at, "is %s, but the flag Ptr is missing", rt)
		return
	case f.Flag&Null != 0:
		switch k, _ := resolve(f.Kind, f.T); k {
		case Slice, Map, Union, Raw, Bytes:
		default:
			c.bad(at, "may be null, but %s cannot say so", rt)
		}
	}
	c.typ(at, f.Kind, f.T, rt)
}

// tag compares the name with the json tag, which other codecs go by.
func (c *checker) tag(at, name string, f *Field, sf reflect.StructField) {
	tag, ok := sf.Tag.Lookup("json")
	if !ok {
		return
	}
	if got, _, _ := strings.Cut(tag, ","); got != name && got != "-" {
		c.bad(at, "the field %s is %s in the table and %s in its tag", sf.Name, name, got)
	}
}

func (c *checker) union(at string, t *Type, rt reflect.Type) {
	u := t.Union
	if !c.want(at, rt.Kind() == reflect.Interface, rt, "an interface") {
		return
	}
	if u == nil || u.Get == nil || len(u.Variants) == 0 {
		c.bad(at, "the table has no variants")
		return
	}
	p := reflect.New(rt)
	if i, _ := u.Get(p.UnsafePointer()); i != -1 {
		c.bad(at, "Get finds variant %d in nil", i)
	}
	tags := map[string]bool{}
	for i := range u.Variants {
		v := &u.Variants[i]
		if v.T == nil || v.Set == nil {
			c.bad(at, "variant %d has no table or Set", i)
			continue
		}
		for _, tag := range v.Tags {
			if tags[tag] {
				c.bad(at, "two variants have the tag %s", tag)
			}
			tags[tag] = true
		}
		if u.Tag != "" && len(v.Tags) == 0 {
			c.bad(at, "variant %d has no tag", i)
		}
		c.variant(at, u, i, p)
	}
}

func (c *checker) variant(at string, u *UnionType, i int, p reflect.Value) {
	v := &u.Variants[i]
	addr := v.Set(p.UnsafePointer())
	held := p.Elem().Elem()
	if !held.IsValid() || held.Kind() != reflect.Pointer {
		c.bad(at, "Set of variant %d must store a pointer", i)
		return
	}
	if held.UnsafePointer() != addr {
		c.bad(at, "Set of variant %d returns another address than it stores", i)
	}
	if j, q := u.Get(p.UnsafePointer()); j != i || q != unsafe.Pointer(addr) {
		c.bad(at, "Get finds variant %d where Set stored %d", j, i)
	}
	c.typ(at+"("+held.Type().Elem().Name()+")", v.T.Kind, v.T, held.Type().Elem())
}
