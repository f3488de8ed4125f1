package generator

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A form is one Go type of a message's body, in one or more media types. What JSON and
// XML, or two kinds of JSON, say of one schema is one form; text and bytes are others.
type form struct {
	class  class
	bodies []*contract.Body
}

// forms are the Go types of a message's body, the best first: typed values, then text,
// then bytes. It declares nothing.
func (p *pass) formsOf(bodies []*contract.Body) []*form {
	var out []*form
	for _, b := range bodies {
		c := replyClass(b)
		if composite(b.Schema) && isPlainText(b.Media) && slices.ContainsFunc(out, func(f *form) bool {
			return f.class == jsonClass && sameSchema(f.bodies[0].Schema, b.Schema, 0)
		}) {
			c = jsonClass // its text can be nothing else
		}
		i := slices.IndexFunc(out, func(f *form) bool { return f.takes(c, b) })
		if i < 0 {
			i = len(out)
			out = append(out, &form{class: c})
		}
		out[i].bodies = append(out[i].bodies, b)
	}
	slices.SortStableFunc(out, func(a, b *form) int { return rank(a.class) - rank(b.class) })
	return out
}

// takes says whether b is one more media type of f.
func (f *form) takes(c class, b *contract.Body) bool {
	typed := func(c class) bool { return c == jsonClass || c == xmlClass }
	if typed(c) && typed(f.class) {
		return sameSchema(f.bodies[0].Schema, b.Schema, 0)
	}
	if first := f.bodies[0]; c == itemsClass && f.class == itemsClass {
		return (b.Item == first.Item || sameItem(b, first)) && b.Events == first.Events
	}
	return c == f.class
}

// replyClass is classOf for what comes back: forms are bytes there, and sequences whose
// items are described are streams of those.
func replyClass(b *contract.Body) class {
	if base, _, _ := strings.Cut(strings.ToLower(b.Media), ";"); b.Item != nil && streamed(strings.TrimSpace(base)) {
		return itemsClass
	}
	switch c := classOf(b.Media, b.Schema); c {
	case formClass, multipartClass:
		return streamClass
	default:
		return c
	}
}

// opaque says whether Go cannot tell the media types of a form apart: they are the same
// text or bytes, or a range.
func (f *form) opaque() bool {
	if f.class != textClass && f.class != streamClass {
		return false
	}
	return len(f.bodies) > 1 || f.class == streamClass && slices.ContainsFunc(f.bodies, func(b *contract.Body) bool { return isRange(b.Media) })
}

// composite says whether values of a schema consist of others.
func composite(s contract.Schema) bool {
	switch contract.Resolve(s).(type) {
	case *contract.Object, *contract.List, *contract.Map, *contract.Union:
		return true
	}
	return false
}

// sameSchema says whether two schemas allow the same values, by what they say.
func sameSchema(a, b contract.Schema, depth int) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || depth > 20 {
		return false
	}
	same := func(a, b contract.Schema) bool { return sameSchema(a, b, depth+1) }
	switch a := a.(type) {
	case *contract.Ref:
		b, ok := b.(*contract.Ref)
		return ok && a.Type == b.Type
	case *contract.Scalar:
		b, ok := b.(*contract.Scalar)
		return ok && a.Kind == b.Kind && a.Format == b.Format && sameRules(&a.Rules, &b.Rules) && (a.Const == b.Const || a.Const != nil && b.Const != nil && *a.Const == *b.Const)
	case *contract.List:
		b, ok := b.(*contract.List)
		return ok && len(a.Prefix)+len(b.Prefix) == 0 && a.NullElem == b.NullElem && sameRules(&a.Rules, &b.Rules) && same(a.Elem, b.Elem)
	case *contract.Map:
		b, ok := b.(*contract.Map)
		return ok && a.NullValue == b.NullValue && sameRules(&a.Rules, &b.Rules) && same(a.Value, b.Value)
	case *contract.Enum:
		b, ok := b.(*contract.Enum)
		return ok && a.Open == b.Open && a.Nullable == b.Nullable && slices.EqualFunc(a.Values, b.Values, func(x, y contract.EnumValue) bool { return x.JSON == y.JSON })
	case *contract.Object:
		b, ok := b.(*contract.Object)
		return ok && a.Closed == b.Closed && len(a.Pattern)+len(b.Pattern) == 0 && sameRules(&a.Rules, &b.Rules) && (a.Extra == nil) == (b.Extra == nil) &&
			(a.Extra == nil || same(a.Extra, b.Extra)) && slices.EqualFunc(a.Fields, b.Fields, func(x, y *contract.Field) bool {
			return x.Name == y.Name && x.Required == y.Required && x.Nullable == y.Nullable && x.ReadOnly == y.ReadOnly && x.WriteOnly == y.WriteOnly && same(x.Schema, y.Schema)
		})
	case *contract.Any:
		_, ok := b.(*contract.Any)
		return ok
	}
	return false
}

func sameRules(a, b *contract.Rules) bool {
	length := func(a, b *int) bool { return a == b || a != nil && b != nil && *a == *b }
	return a.Min == b.Min && a.Max == b.Max && a.MultipleOf == b.MultipleOf && a.ExclusiveMin == b.ExclusiveMin && a.ExclusiveMax == b.ExclusiveMax &&
		a.Pattern == b.Pattern && a.Unique == b.Unique && length(a.MinLen, b.MinLen) && length(a.MaxLen, b.MaxLen)
}

// contentType adds the field that names the media type of a body which may have several.
func contentType(st *golang.Struct, name, comment string) {
	st.Fields = append(st.Fields, &golang.Field{Name: name, Type: golang.Ref{Name: "string"}, Comment: comment})
}
