package param

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// reading is one pass over the parameters of one place.
type reading struct {
	ps    []Param
	in    Place
	base  unsafe.Pointer
	m     codec.Mode
	e     *codec.Error
	few   uint64   // bit i: ps[i] was there
	many  []uint64 // of those beyond 64
	trees []*tree  // by index in ps: objects that come in parts
}

func (r *reading) saw(i int) bool {
	if i < 64 {
		return r.few&(1<<i) != 0
	}
	i -= 64
	return i>>6 < len(r.many) && r.many[i>>6]&(1<<(i&63)) != 0
}

func (r *reading) see(i int) {
	if i < 64 {
		r.few |= 1 << i
		return
	}
	if r.many == nil {
		r.many = make([]uint64, len(r.ps)/64+1)
	}
	i -= 64
	r.many[i>>6] |= 1 << (i & 63)
}

func (r *reading) violate(p *Param, c codec.Code, msg string) {
	r.e.Add(codec.Violation{Pointer: p.pointer(), Code: c, Message: msg})
}

// ParsePath reads the Path parameters of ps. names are the parameters of the template in
// its order (Names), values what stands in their places: already unescaped. What is wrong is
// added to e with pointers like "/path/id".
func ParsePath(ps []Param, names, values []string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	parseNamed(ps, Path, names, values, nil, base, m, e)
}

// ParseSegments is ParsePath where the values of lists and objects are also known as they
// stood in the path: an escaped comma does not separate. raw holds them, at the indexes
// of names; "" where it does not know.
func ParseSegments(ps []Param, names, values, raw []string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	parseNamed(ps, Path, names, values, raw, base, m, e)
}

// Segments returns what stands in the escaped path for the parameters of template, as far
// as they are whole segments.
func Segments(template, path string) (raw []string) {
	for template != "" {
		var want, have string
		want, template, _ = strings.Cut(template, "/")
		have, path, _ = strings.Cut(path, "/")
		names := Names(want)
		if len(names) != 1 || len(names[0])+2 != len(want) {
			have = ""
		}
		for range names {
			raw = append(raw, have)
		}
	}
	return raw
}

// composed says whether a parameter is made of parts.
func (p *Param) composed() bool {
	k, _ := p.fieldKind()
	return (k == codec.Slice || k == codec.Tuple || k == codec.Object || k == codec.Map) && p.style() != JSON
}

// HasComposed says whether some parameter of a place is a list or an object.
func HasComposed(ps []Param, in Place) bool {
	return slices.ContainsFunc(ps, func(p Param) bool { return p.In == in && p.composed() })
}

// ParseAddress reads the Address parameters of ps from an address that template matches;
// an address that does not match has no parameters.
func ParseAddress(ps []Param, template, address string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	var few [8]string
	parseNamed(ps, Address, Names(template), match(few[:0], template, address), nil, base, m, e)
}

// match appends what stands in address in the place of the template's parameters. A value
// ends where the literal text behind it begins.
func match(values []string, template, address string) []string {
	for {
		literal, rest, ok := strings.Cut(template, "{")
		if !strings.HasPrefix(address, literal) || !ok {
			return values
		}
		address = address[len(literal):]
		_, template, _ = strings.Cut(rest, "}")
		until, _, _ := strings.Cut(template, "{")
		end := len(address)
		if until != "" {
			if end = strings.Index(address, until); end < 0 {
				return values
			}
		}
		values, address = append(values, address[:end]), address[end:]
	}
}

func parseNamed(ps []Param, in Place, names, values, raw []string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	r := reading{ps: ps, in: in, base: base, m: m, e: e}
	for i := range ps {
		p := &ps[i]
		if p.In != in {
			continue
		}
		if j := slices.Index(names, p.Name); j >= 0 && j < len(values) {
			r.see(i)
			if j < len(raw) && raw[j] != "" && p.composed() {
				r.one(p, raw[j], escaped)
			} else {
				r.one(p, values[j], plain)
			}
		}
	}
	r.finish()
}

// one reads a parameter that is all in one value.
func (r *reading) one(p *Param, raw string, t text) {
	k, tab := p.fieldKind()
	n := len(r.e.Violations)
	switch {
	case p.style() == JSON:
		r.json(p, decoded(raw, t, r, p))
	case k == codec.Slice:
		v := r.memory(p)
		tab.Reset(v)
		r.items(p, tab, v, p.strip(raw), p.separator(false), t)
		r.check(p, v)
	case k == codec.Tuple:
		r.tree(p, r.texts(p, p.strip(raw), t))
	case k == codec.Object || k == codec.Map:
		if tr, ok := p.pairs(p.strip(raw), t); ok {
			r.tree(p, tr)
		} else {
			r.violate(p, codec.CodeSyntax, "must have a value for every property")
		}
	default:
		s := decoded(p.strip(raw), t, r, p)
		if len(r.e.Violations) == n {
			r.text(p, s)
		}
	}
}

func (p *Param) fieldKind() (codec.Kind, *codec.Type) {
	f := codec.Field{Kind: p.Kind, T: p.T}
	return f.Resolve()
}

func (r *reading) memory(p *Param) unsafe.Pointer {
	f := p.field()
	return f.New(r.base)
}

// text reads a scalar.
func (r *reading) text(p *Param, s string) {
	f := p.field()
	n := len(r.e.Violations)
	f.ParseText(s, f.New(r.base), r.m, r.e)
	if len(r.e.Violations) > n {
		locate(r.e, n, p.pointer())
	}
}

func (r *reading) check(p *Param, v unsafe.Pointer) {
	n := len(r.e.Violations)
	f := p.field()
	f.Check(v, r.m, r.e)
	if len(r.e.Violations) > n {
		locate(r.e, n, p.pointer())
	}
}

// decoded undoes the escapes of one part.
func decoded(s string, t text, r *reading, p *Param) string {
	if t == plain {
		return s
	}
	v, ok := unescape(s, p.In == Query)
	if !ok {
		r.violate(p, codec.CodeSyntax, "must be percent-encoded")
	}
	return v
}

// strip takes off what Label and Matrix put before a value.
func (p *Param) strip(s string) string {
	switch p.style() {
	case Label:
		return strings.TrimPrefix(s, ".")
	case Matrix:
		s = strings.TrimPrefix(s, ";")
		if k, _ := p.fieldKind(); p.Explode && (k == codec.Object || k == codec.Map) {
			return s
		}
		if rest, ok := strings.CutPrefix(s, p.Name+"="); ok {
			return rest
		}
		if s == p.Name {
			return ""
		}
	}
	return s
}

func (p *Param) separator(object bool) string {
	switch p.style() {
	case Label:
		if p.Explode {
			return "."
		}
	case Matrix:
		if p.Explode && object {
			return ";"
		}
		if p.Explode {
			return ";" + p.Name + "="
		}
	case SpaceDelimited:
		return " "
	case PipeDelimited:
		return "|"
	}
	return ","
}

// cut is strings.Cut by a separator that may be percent-encoded.
func cut(s, sep string) (string, string, bool) {
	best, width := strings.Index(s, sep), len(sep)
	switch sep {
	case " ":
		for _, w := range []string{"%20", "+"} {
			if i := strings.Index(s, w); i >= 0 && (best < 0 || i < best) {
				best, width = i, len(w)
			}
		}
	case "|":
		for _, w := range []string{"%7C", "%7c"} {
			if i := strings.Index(s, w); i >= 0 && (best < 0 || i < best) {
				best, width = i, len(w)
			}
		}
	}
	if best < 0 {
		return s, "", false
	}
	return s[:best], s[best+width:], true
}

// items appends the parts of s to the slice at v.
func (r *reading) items(p *Param, tab *codec.Type, v unsafe.Pointer, s, sep string, t text) {
	for more := s != ""; more; {
		var part string
		part, s, more = cut(s, sep)
		if p.In == Header {
			part = strings.Trim(part, " \t")
		}
		r.item(p, tab, v, decoded(part, t, r, p))
	}
}

func (r *reading) item(p *Param, tab *codec.Type, v unsafe.Pointer, s string) {
	n := len(r.e.Violations)
	at := tab.Len(v)
	el := tab.Element()
	el.ParseText(s, el.New(tab.Extend(v)), r.m, r.e)
	if len(r.e.Violations) > n {
		locate(r.e, n, p.pointer()+"/"+itoa(at))
	}
}

// pairs reads an object in one value: a,1,b,2 or a=1,b=2.
func (p *Param) pairs(s string, t text) (*tree, bool) {
	root, sep := &tree{}, p.separator(true)
	inner := p.Explode && (p.style() == Simple || p.style() == Label || p.style() == Matrix)
	for more := s != ""; more; {
		var name, value string
		name, s, more = cut(s, sep)
		if inner {
			name, value, _ = strings.Cut(name, "=")
		} else if more {
			value, s, more = cut(s, sep)
		} else {
			return nil, false
		}
		if t != plain {
			var ok, ok2 bool
			name, ok = unescape(name, p.In == Query)
			value, ok2 = unescape(value, p.In == Query)
			if !ok || !ok2 {
				return nil, false
			}
		}
		if p.In == Header {
			name, value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
		}
		n := root.at(name)
		n.texts = append(n.texts, value)
	}
	return root, true
}

// tree reads an object that was put together from its parts.
func (r *reading) tree(p *Param, n *tree) {
	f := p.field()
	r.decode(p, n.json(nil, &f))
}

func (r *reading) json(p *Param, s string) { r.decode(p, []byte(s)) }

func (r *reading) decode(p *Param, data []byte) {
	f := p.field()
	if err, ok := f.Decode(data, r.base, codec.Options{Mode: r.m &^ codec.Owned}).(*codec.Error); ok {
		n := len(r.e.Violations)
		for _, v := range err.Violations {
			v.Offset = 0 // the text is our own
			r.e.Add(v)
		}
		locate(r.e, n, p.pointer())
	}
}

// finish reads what came in parts and names what is missing.
func (r *reading) finish() {
	for i := range r.ps {
		p := &r.ps[i]
		if p.In != r.in {
			continue
		}
		if i < len(r.trees) && r.trees[i] != nil {
			r.tree(p, r.trees[i])
			continue
		}
		if r.saw(i) {
			if k, _ := p.fieldKind(); k == codec.Slice && p.Explode && (p.In == Query || p.In == Cookie) && p.style() != JSON {
				f := p.field()
				if v, ok := f.Value(r.base); ok {
					r.check(p, v)
				}
			}
			continue
		}
		if p.Default != "" && r.m&codec.Request != 0 {
			r.json(p, p.Default)
			continue
		}
		if p.Flag&codec.Req != 0 && r.m&codec.Lenient == 0 {
			r.violate(p, codec.CodeRequired, "is required")
		}
	}
}
