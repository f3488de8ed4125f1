package contract

import (
	"strconv"
	"strings"
)

func (d *dumper) typ(t *Type) {
	d.line("type", name(t.Name), head(t.Schema), assigned("go", t.GoType), xmlHead(t.XML), d.place(t.Span))
	d.in(func() {
		d.doc(t.Doc)
		d.inside(t.Schema)
	})
}

func (d *dumper) field(word string, f *Field, more ...string) {
	n := name(f.Name)
	if !f.Required {
		n += "?"
	}
	parts := []string{word, n, head(f.Schema), when(f.Nullable, "nullable")}
	if f.Number > 0 {
		parts = append(parts, "#"+strconv.Itoa(f.Number))
	}
	if f.OneOf != "" {
		parts = append(parts, "oneof="+f.OneOf)
	}
	parts = append(parts, when(f.ReadOnly, "readonly"), when(f.WriteOnly, "writeonly"))
	if f.Default != nil {
		parts = append(parts, "default="+*f.Default)
	}
	parts = append(parts, xmlHead(f.XML))
	d.line(append(append(parts, more...), d.at(f.Span))...)
	d.in(func() {
		d.doc(f.Doc)
		d.inside(f.Schema)
	})
}

// head says on one line what s is; inside prints the lines that belong below it.
func head(s Schema) string {
	switch s := s.(type) {
	case *Scalar:
		return spaced(scalar(s), rules(&s.Rules))
	case *List:
		return spaced(listHead(s), rules(&s.Rules), assigned("item", xmlHead(s.ElemXML)))
	case *Map:
		return spaced(mapHead(s), rules(&s.Rules))
	case *Object:
		return spaced("object", when(s.Closed, "closed"), rules(&s.Rules))
	case *Enum:
		return enumHead(s)
	case *Union:
		return spaced("union", assigned("tag", s.Tag), also(s.Also))
	case *Ref:
		return "&" + name(s.Type.Name)
	case *Any:
		return spaced("any", assigned("reason", s.Reason), constant(s.Const), also(s.Also))
	}
	return "nothing"
}

func scalar(s *Scalar) string {
	out := s.Kind.String()
	if s.Format != "" {
		out += "(" + s.Format + ")"
	}
	if s.Const != nil {
		out += " const=" + *s.Const
	}
	return out
}

func listHead(s *List) string {
	var parts []string
	for _, p := range s.Prefix {
		parts = append(parts, head(p))
	}
	if s.Elem != nil && len(parts) > 0 {
		parts = append(parts, "..."+or(s.Elem, s.NullElem))
	} else if s.Elem != nil {
		parts = append(parts, or(s.Elem, s.NullElem))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func mapHead(s *Map) string {
	key := "string"
	if s.Key != nil {
		key = head(s.Key)
	}
	return "map[" + key + "] " + or(s.Value, s.NullValue)
}

// or is the head of what may be null, too.
func or(s Schema, null bool) string {
	if null {
		return head(s) + "|null"
	}
	return head(s)
}

func enumHead(e *Enum) string {
	var b strings.Builder
	b.WriteString("enum " + e.Base.String() + "(")
	for i, v := range e.Values {
		if i > 0 {
			b.WriteByte(' ')
		}
		if v.Name != "" {
			b.WriteString(v.Name + "=")
		}
		b.WriteString(v.JSON)
	}
	b.WriteByte(')')
	return spaced(b.String(), when(e.Open, "open"), when(e.Nullable, "nullable"), also(e.Also))
}

// inside prints the lines of the fields, variants and values that s holds, through lists
// and maps of them.
func (d *dumper) inside(s Schema) {
	switch s := s.(type) {
	case *Scalar:
		if s.Content != nil {
			d.line("content", head(s.Content))
			d.in(func() { d.inside(s.Content) })
		}
	case *List:
		for _, p := range s.Prefix {
			d.inside(p)
		}
		d.inside(s.Elem)
	case *Map:
		d.inside(s.Key)
		d.inside(s.Value)
	case *Object:
		d.object(s)
	case *Enum:
		d.enumDocs(s)
	case *Union:
		for _, v := range s.Variants {
			d.line("variant", name(v.Name), choice(v.Tags), head(v.Schema), d.at(v.Span))
			d.in(func() { d.inside(v.Schema) })
		}
	}
}

func (d *dumper) object(s *Object) {
	for _, f := range s.Fields {
		d.field("field", f)
	}
	for _, p := range s.Pattern {
		d.line("pattern", strconv.Quote(p.Regexp), head(p.Schema), d.at(p.Span))
		d.in(func() { d.inside(p.Schema) })
	}
	if s.Extra != nil {
		d.line("extra", or(s.Extra, s.NullExtra))
		d.in(func() { d.inside(s.Extra) })
	}
}

// enumDocs prints the values that have something to say.
func (d *dumper) enumDocs(e *Enum) {
	for _, v := range e.Values {
		if v.Doc != (Doc{}) {
			d.line("value", v.JSON)
			d.in(func() { d.doc(v.Doc) })
		}
	}
}

// rules prints what a validator checks, in a fixed order.
func rules(r *Rules) string {
	var out []string
	if r.Min != "" {
		out = append(out, compare(">", r.ExclusiveMin)+r.Min)
	}
	if r.Max != "" {
		out = append(out, compare("<", r.ExclusiveMax)+r.Max)
	}
	if r.MultipleOf != "" {
		out = append(out, "multiple="+r.MultipleOf)
	}
	if r.MinLen != nil || r.MaxLen != nil {
		out = append(out, "len="+bound(r.MinLen)+".."+bound(r.MaxLen))
	}
	if r.Pattern != "" {
		out = append(out, "pattern="+strconv.Quote(r.Pattern))
	}
	out = append(out, when(r.Unique, "unique"))
	for _, c := range r.CEL {
		out = append(out, "cel="+strconv.Quote(c.Expr))
	}
	return spaced(append(out, also(r.Also))...)
}

func constant(c *string) string {
	if c == nil {
		return ""
	}
	return "const=" + *c
}

// also prints an assertion.
func also(a *Assertion) string {
	if a == nil {
		return ""
	}
	return "also=" + a.Schema
}

func compare(sign string, exclusive bool) string {
	if exclusive {
		return sign
	}
	return sign + "="
}

func bound(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// spaced joins those parts that are not empty.
func spaced(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}
