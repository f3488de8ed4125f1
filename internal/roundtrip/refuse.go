package roundtrip

import (
	"math"
	"reflect"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// refuse breaks each rule of the parameters, and of the properties of a JSON body, once.
// The server must refuse the request with a reason that names the place, and the
// implementation must not see it.
func (c *restCase) refuse() {
	for i := range c.op.Params {
		p := &c.op.Params[i]
		if p.Style == stub.JSON {
			continue
		}
		f := codec.Field{Kind: p.Kind, T: p.T, R: p.R, Off: p.Off, Flag: p.Flag}
		c.broken(p.Name, func(in reflect.Value) bool { return spoil(cell(in, &f), &f, p.In == stub.Path) })
	}
	if len(c.op.Bodies) == 0 || !isJSON(c.op.Bodies[0].Media) {
		return
	}
	b := &c.op.Bodies[0]
	body := codec.Field{Kind: b.Kind, T: b.T, R: b.R, Off: b.Off, Flag: b.Flag}
	k, t := body.Resolve()
	if k != codec.Object {
		return
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Flag&codec.ReadOnly != 0 || f.Kind == codec.Const {
			continue
		}
		c.broken(f.Name(), func(in reflect.Value) bool {
			v := cell(in, &body)
			if body.Flag&codec.Ptr != 0 {
				if v.IsNil() {
					return false
				}
				v = v.Elem()
			}
			return body.Flag&codec.Maybe == 0 && spoil(cell(v, f), f, false)
		})
	}
}

// broken sends a request that breaks one rule of what name names.
func (c *restCase) broken(name string, spoil func(in reflect.Value) bool) {
	in := c.request()
	if !in.IsValid() || !spoil(in.Elem()) {
		return
	}
	c.answer(func([]reflect.Value) []reflect.Value {
		c.t.Errorf("%s breaks its rule, and the implementation saw it: %s", name, show(in.Elem().Interface()))
		return results(c.impl.MethodByName(c.method).Type(), reflect.Value{}, concordat.Errorf(concordat.Internal, "seen"))
	})
	_, err := call(c.t.Context(), c.client, c.method, in)
	if err == nil {
		c.t.Errorf("%s breaks its rule, and nobody minded", name)
		return
	}
	e := concordat.ErrorOf(err)
	if e.Code != concordat.InvalidArgument && e.Status != 422 && e.Status != 400 {
		c.t.Errorf("%s breaks its rule: %d %v", name, e.Status, err)
	}
	if !strings.Contains(err.Error(), strings.NewReplacer("~", "~0", "/", "~1").Replace(name)) {
		c.t.Errorf("%s breaks its rule, but the refusal does not name it: %v", name, err)
	}
}

// spoil makes the value that f describes break a rule; false: there is none to break.
func spoil(v reflect.Value, f *codec.Field, segment bool) bool {
	k, t := f.Resolve()
	if !v.IsValid() || f.Flag&codec.Maybe != 0 {
		return false
	}
	if f.Flag&codec.Ptr != 0 {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	l := limitsOf(f.R)
	if t != nil {
		l = limitsOf(f.R, t.Rules)
	}
	switch k {
	case codec.String:
		return spoilText(v, l, segment)
	case codec.Enum:
		v.SetString("no such value")
		return !t.Open
	case codec.EnumInt:
		v.SetInt(-77)
		return !t.Open
	case codec.Int32, codec.Int64:
		return spoilInt(v, l)
	case codec.Float64:
		if l.min > math.Inf(-1) {
			v.SetFloat(l.min - 1)
			return true
		}
		v.SetFloat(l.max + 1)
		return l.max < math.Inf(1)
	case codec.Slice:
		if !l.hasMaxLen || l.maxLen > 1000 || v.Len() == 0 {
			return false
		}
		one := v.Index(0)
		for v.Len() <= l.maxLen {
			v.Set(reflect.Append(v, one))
		}
		return true
	}
	return false
}

func spoilText(v reflect.Value, l limits, segment bool) bool {
	switch {
	case l.hasMaxLen && l.maxLen < 1e5:
		v.SetString(strings.Repeat("x", l.maxLen+1))
		return true
	case l.minLen > 0 && (l.minLen > 1 || !segment):
		v.SetString(strings.Repeat("x", l.minLen-1))
		return true
	}
	for _, s := range []string{"!", "no", "0 0", "@", "x.y.z!", "-"} {
		if !l.holds(s) {
			v.SetString(s)
			return true
		}
	}
	return false
}

func spoilInt(v reflect.Value, l limits) bool {
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	if v.Kind() == reflect.Int32 {
		least, most = math.MinInt32, math.MaxInt32
	}
	switch {
	case l.intMax < most:
		v.SetInt(l.intMax + 1)
	case l.intMin > least:
		v.SetInt(l.intMin - 1)
	case l.max < float64(most):
		v.SetInt(int64(l.max) + 1)
	default:
		return false
	}
	return true
}
