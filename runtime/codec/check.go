package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"time"
)

// Check holds a table against the Go type that it describes and returns every mismatch:
// offsets, kinds, sizes, pointers, elements, flags, unions, recursion, and names against
// json tags. It uses reflection and is for tests.
func Check[T any](t *Type) error {
	c := checker{seen: map[seenType]bool{}}
	rt := reflect.TypeFor[T]()
	c.typ(rt.String(), t.Kind, t, rt)
	return errors.Join(c.errs...)
}

// CheckField is Check for one field of T that is used by itself, like a parameter.
func CheckField[T any](f *Field, name string) error {
	c := checker{seen: map[seenType]bool{}}
	c.field(reflect.TypeFor[T]().String()+"."+name, f, reflect.TypeFor[T]())
	return errors.Join(c.errs...)
}

type seenType struct {
	t  *Type
	rt reflect.Type
}

type checker struct {
	errs []error
	seen map[seenType]bool
}

func (c *checker) bad(at, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: "+format, append([]any{at}, args...)...))
}

// kindTypes holds the type that each simple kind must have, or whose underlying kind.
var kindTypes = map[Kind]reflect.Type{
	String: reflect.TypeFor[string](), Bool: reflect.TypeFor[bool](),
	Int32: reflect.TypeFor[int32](), Int64: reflect.TypeFor[int64](),
	Uint32: reflect.TypeFor[uint32](), Uint64: reflect.TypeFor[uint64](),
	Float32: reflect.TypeFor[float32](), Float64: reflect.TypeFor[float64](),
	Enum: reflect.TypeFor[string](), EnumInt: reflect.TypeFor[int64](),
}

// typ checks the table t of kind k, as it is found at a place, against rt.
func (c *checker) typ(at string, k Kind, t *Type, rt reflect.Type) {
	if t != nil {
		if t.Lazy == nil && t.Kind != k && k != Lazy {
			c.bad(at, "the field's kind is %d, its table's %d", k, t.Kind)
		}
		if k, t = c.lazy(at, k, t); t == nil {
			return
		}
		if c.seen[seenType{t, rt}] {
			return
		}
		c.seen[seenType{t, rt}] = true
		c.memory(at, t, rt)
		c.rule(at, t.Rules)
	} else if k >= Enum && k != Reader {
		c.bad(at, "kind %d needs a table", k)
		return
	}
	switch k {
	case Number:
		c.want(at, rt.Kind() == reflect.String, rt, "json.Number")
	case Time:
		c.want(at, rt.ConvertibleTo(reflect.TypeFor[time.Time]()), rt, "time.Time")
	case Date:
		c.want(at, rt.ConvertibleTo(reflect.TypeFor[DateValue]()), rt, "codec.DateValue")
	case UUID:
		c.want(at, rt.Kind() == reflect.Array && rt.Size() == 16 && rt.Elem().Kind() == reflect.Uint8, rt, "[16]byte")
	case Bytes:
		c.want(at, rt.Kind() == reflect.Slice && rt.Elem().Kind() == reflect.Uint8, rt, "[]byte")
	case Raw:
		c.want(at, rt == reflect.TypeFor[json.RawMessage]() || rt.Kind() == reflect.Slice && rt.Elem().Kind() == reflect.Uint8, rt, "json.RawMessage")
	case Const:
		if !json.Valid([]byte(t.Const)) {
			c.bad(at, "the constant is no JSON")
		}
	case Custom:
		c.want(at, t.Go != nil, rt, "a type that the table names")
	case Object:
		c.object(at, t, rt)
	case Tuple:
		c.tuple(at, t, rt)
	case Slice:
		if c.want(at, rt.Kind() == reflect.Slice, rt, "a slice") && c.elem(at, t) {
			c.element(at+"[]", t, rt.Elem())
		}
	case Map:
		c.mapping(at, t, rt)
	case Union:
		c.union(at, t, rt)
	case Reader:
		c.want(at, rt == reflect.TypeFor[io.Reader]() || rt == reflect.TypeFor[io.ReadCloser](), rt, "io.Reader or io.ReadCloser")
	default:
		want, ok := kindTypes[k]
		if !ok {
			c.bad(at, "there is no kind %d", k)
			return
		}
		c.want(at, rt.Kind() == want.Kind(), rt, want.String())
	}
}

func (c *checker) want(at string, ok bool, rt reflect.Type, want string) bool {
	if !ok {
		c.bad(at, "the table wants %s, the type is %s", want, rt)
	}
	return ok
}

// lazy resolves a recursive edge, which must end.
func (c *checker) lazy(at string, k Kind, t *Type) (Kind, *Type) {
	for range 8 {
		if t == nil || t.Lazy == nil {
			if k == Lazy {
				c.bad(at, "is Lazy, but no type knows its table")
				return k, nil
			}
			return k, t
		}
		t = t.Lazy.ConcordatTable()
		if t != nil {
			k = t.Kind
		}
	}
	c.bad(at, "the recursive edge does not end")
	return k, nil
}

// memory checks what the table says about size and allocation.
func (c *checker) memory(at string, t *Type, rt reflect.Type) {
	if t.Kind == Const {
		return
	}
	if t.Size != 0 && t.Size != rt.Size() || t.Size == 0 && (t.Kind == Object || t.Kind == Tuple || t.Kind == Custom) && rt.Size() != 0 {
		c.bad(at, "the table's size is %d, the type's %d", t.Size, rt.Size())
	}
	if t.Go != nil {
		if got := reflect.TypeOf(t.Go); got != reflect.PointerTo(rt) {
			c.bad(at, "the table allocates for a %s, the type is %s", got, rt)
		}
	} else if t.Kind == Object {
		c.bad(at, "the table has no Go, so that nothing can be allocated")
	}
}

func (c *checker) elem(at string, t *Type) bool {
	if t.Elem == nil {
		c.bad(at, "the table has no Elem")
	}
	return t.Elem != nil
}

func (c *checker) element(at string, t *Type, rt reflect.Type) {
	switch {
	case t.ElemFlag&^(Ptr|Null) != 0:
		c.bad(at, "elements can have the flags Ptr and Null only")
	case t.ElemFlag&Ptr != 0:
		if !c.want(at, rt.Kind() == reflect.Pointer, rt, "a pointer") {
			return
		}
		rt = rt.Elem()
	}
	c.typ(at, t.Elem.Kind, t.Elem, rt)
}

func (c *checker) mapping(at string, t *Type, rt reflect.Type) {
	if !c.want(at, rt.Kind() == reflect.Map && rt.Key() == reflect.TypeFor[string](), rt, "a map with string keys") || !c.elem(at, t) {
		return
	}
	if t.Map == nil {
		c.bad(at, "the table has no Map")
		return
	}
	of, ok := t.Map.(interface{ Of() any })
	if !ok || reflect.TypeOf(of.Of()).Elem() != rt.Elem() {
		c.bad(at, "the table's Map is %T, the type %s", t.Map, rt)
		return
	}
	c.element(at+"{}", t, rt.Elem())
}

func (c *checker) rule(at string, r *Rule) {
	if r == nil {
		return
	}
	if r.Has&Pattern != 0 {
		if _, err := regexp.Compile(r.Pattern); err != nil {
			c.bad(at, "the pattern does not compile: %v", err)
		}
	}
	if r.Has&ConstOf != 0 && !json.Valid([]byte(r.Const)) {
		c.bad(at, "the rule's constant is no JSON")
	}
	if r.Has&Also != 0 {
		if r.Also == nil {
			c.bad(at, "the rule asserts nothing")
		} else if err := r.Also.Err(); err != nil {
			c.bad(at, "the rule's schema cannot be read: %v", err)
		}
	}
}
