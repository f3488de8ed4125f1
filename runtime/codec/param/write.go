package param

import (
	"strings"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// AppendPath appends template with the Path parameters of ps in place of their {names},
// percent-encoded. Parameters are required; an empty one, "." and ".." are errors, since
// servers would see another path.
func AppendPath(b []byte, template string, ps []Param, base unsafe.Pointer) ([]byte, error) {
	return expand(b, template, ps, Path, base)
}

// AppendAddress is AppendPath for the Address parameters of messages: nothing is encoded.
func AppendAddress(b []byte, template string, ps []Param, base unsafe.Pointer) ([]byte, error) {
	return expand(b, template, ps, Address, base)
}

func expand(b []byte, template string, ps []Param, in Place, base unsafe.Pointer) ([]byte, error) {
	for {
		open := strings.IndexByte(template, '{')
		end := strings.IndexByte(template, '}')
		if open < 0 || end < open {
			return appendLiteral(b, template, in), nil
		}
		b = appendLiteral(b, template[:open], in)
		p := find(ps, in, template[open+1:end])
		if p == nil {
			return b, &codec.Error{Violations: []codec.Violation{{Pointer: "/" + places[in] + "/" + codec.Escape(template[open+1:end]), Code: codec.CodeRequired, Message: "is not a parameter that the operation has"}}}
		}
		n := len(b)
		var err error
		if b, _, err = p.append(b, base, "", p.text()); err != nil {
			return b, err
		}
		switch string(b[n:]) {
		case "":
			return b, p.fault(codec.CodeRequired, "is required and must not be empty")
		case ".", "..":
			if in == Path {
				return b, p.fault(codec.CodeFormat, "must not be . or .., which change the path")
			}
		}
		template = template[end+1:]
	}
}

// appendLiteral appends what a template says itself. In paths it escapes what RFC 3986,
// 3.3 does not allow there: net/url would escape the whole path anew, and %2F in a
// parameter would become a slash.
func appendLiteral(b []byte, s string, in Place) []byte {
	if in != Path {
		return append(b, s...)
	}
	for i := range len(s) {
		if c := s[i]; reserved.keeps(c) && c != '?' && c != '[' && c != ']' || c == '%' || c == '&' || c == '+' {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// Names returns the parameters of a template in its order: what stands in braces.
func Names(template string) (names []string) {
	for {
		_, rest, ok := strings.Cut(template, "{")
		if !ok {
			return names
		}
		name, rest, _ := strings.Cut(rest, "}")
		names, template = append(names, name), rest
	}
}

// AppendQuery appends the Query parameters of ps, without a question mark: "a=1&b=2".
// Nothing is appended where all of them are absent.
func AppendQuery(b []byte, ps []Param, base unsafe.Pointer) ([]byte, error) {
	return appendAll(b, ps, Query, "&", base)
}

// AppendCookie appends the Cookie parameters of ps as the value of a Cookie header: "a=1; b=2".
func AppendCookie(b []byte, ps []Param, base unsafe.Pointer) ([]byte, error) {
	return appendAll(b, ps, Cookie, "; ", base)
}

func appendAll(b []byte, ps []Param, in Place, sep string, base unsafe.Pointer) (_ []byte, err error) {
	start := len(b)
	for i := range ps {
		p := &ps[i]
		if p.In != in {
			continue
		}
		n := len(b)
		if n > start {
			b = append(b, sep...)
		}
		wrote := false
		if b, wrote, err = p.append(b, base, sep, p.text()); err != nil {
			return b, err
		}
		if !wrote {
			b = b[:n]
		}
	}
	return b, nil
}

// layout is how the parts of one parameter are put together.
type layout struct {
	lead  string // before the first
	sep   string // between parts
	named bool   // each part is name=part
	pair  string // between a property and its value
}

func (p *Param) layout(object bool, between string) layout {
	switch s := p.style(); {
	case s == Label && p.Explode:
		return layout{lead: ".", sep: ".", pair: "="}
	case s == Label:
		return layout{lead: ".", sep: ",", pair: ","}
	case s == Matrix && p.Explode:
		return layout{lead: ";", sep: ";", pair: "=", named: !object}
	case s == Matrix:
		return layout{lead: ";" + p.Name + "=", sep: ",", pair: ","}
	case s == Simple && p.Explode:
		return layout{sep: ",", pair: "="}
	case s == Simple:
		return layout{sep: ",", pair: ","}
	case p.Explode:
		return layout{sep: between, pair: "=", named: !object}
	}
	l := layout{lead: escaped.named(p.Name), sep: ",", pair: ","}
	switch p.Style {
	case SpaceDelimited:
		l.sep, l.pair = "%20", "%20"
	case PipeDelimited:
		l.sep, l.pair = "%7C", "%7C"
	}
	return l
}

func (t text) named(name string) string { return string(append(t.append(nil, name), '=')) }

// append appends the whole parameter; false: it is absent. between separates the pairs of
// an exploded query or cookie.
func (p *Param) append(b []byte, base unsafe.Pointer, between string, t text) ([]byte, bool, error) {
	f := p.field()
	v, ok := f.Value(base)
	if !ok {
		if k, _ := f.Resolve(); k == codec.Slice && p.Flag&codec.Req != 0 && p.In != Path {
			return p.appendEmpty(b, t), true, nil
		}
		if p.Flag&codec.Req != 0 || p.In == Path || p.In == Address {
			return b, false, p.fault(codec.CodeRequired, "is required")
		}
		return b, false, nil
	}
	k, tab := f.Resolve()
	var err error
	switch {
	case p.style() == JSON:
		b = p.appendName(b, t)
		n := len(b)
		b, err = f.Append(b, base, 0)
		b = t.escapeFrom(b, n)
	case k == codec.Slice && p.style() != DeepObject:
		if tab.Len(v) == 0 && p.Explode && (p.In == Query || p.In == Cookie) {
			return b, false, nil // nothing can say that it is there, but empty
		}
		b, err = p.appendList(b, tab, v, p.layout(false, between), t)
	case k == codec.Tuple && p.style() != DeepObject:
		b, err = p.appendTuple(b, tab, v, p.layout(false, between), t)
	case (k == codec.Object || k == codec.Map) && p.style() == DeepObject, k == codec.Slice, k == codec.Tuple:
		n := len(b)
		b, err = appendDeep(b, t.append(nil, p.Name), &codec.Field{T: tab, Kind: k}, v, between, t)
		return b, len(b) > n, p.wrap(err)
	case k == codec.Object || k == codec.Map:
		n := len(b)
		b, err = p.appendObject(b, tab, v, p.layout(true, between), t)
		return b, len(b) > n, p.wrap(err)
	default:
		b = p.appendLead(b, t)
		n := len(b)
		b, err = f.AppendText(b, v, 0)
		b = t.escapeFrom(b, n)
		if p.style() == Matrix && len(b) == n && b[n-1] == '=' {
			b = b[:n-1] // RFC 6570, 3.2.7
		}
	}
	return b, true, p.wrap(err)
}

func (p *Param) wrap(err error) error {
	if e, ok := err.(*codec.Error); ok {
		locate(e, 0, p.pointer())
	}
	return err
}

// appendName appends "name=" where the place has names.
func (p *Param) appendName(b []byte, t text) []byte {
	if p.In == Query || p.In == Cookie {
		return append(p.names(t).append(b, p.Name), '=')
	}
	return b
}

// names says how names are escaped: strictly, even where values need not be.
func (p *Param) names(t text) text {
	if t == reserved {
		return escaped
	}
	return t
}

func (p *Param) appendLead(b []byte, t text) []byte {
	switch p.style() {
	case Label:
		return append(b, '.')
	case Matrix:
		return append(append(append(b, ';'), p.Name...), '=')
	}
	return p.appendName(b, t)
}

func (p *Param) appendEmpty(b []byte, t text) []byte {
	if p.Explode {
		return b
	}
	return p.appendName(b, t)
}

func (p *Param) appendList(b []byte, tab *codec.Type, v unsafe.Pointer, l layout, t text) ([]byte, error) {
	b = append(b, l.lead...)
	for i := range tab.Len(v) {
		if i > 0 {
			b = append(b, l.sep...)
		}
		if l.named {
			b = append(p.names(t).append(b, p.Name), '=')
		}
		f, q := tab.Item(v, i)
		var err error
		if b, err = appendPart(b, &f, q, t); err != nil {
			return b, err
		}
	}
	return b, nil
}

// appendPart appends one item or property as text; null as nothing.
func appendPart(b []byte, f *codec.Field, base unsafe.Pointer, t text) ([]byte, error) {
	n := len(b)
	v, ok := f.Value(base)
	if !ok {
		return b, nil
	}
	b, err := f.AppendText(b, v, 0)
	return t.escapeFrom(b, n), err
}

func (p *Param) appendObject(b []byte, tab *codec.Type, v unsafe.Pointer, l layout, t text) ([]byte, error) {
	first := true
	err := each(tab, v, func(name string, f *codec.Field, base unsafe.Pointer) (err error) {
		if first {
			b = append(b, l.lead...)
			first = false
		} else {
			b = append(b, l.sep...)
		}
		b = append(p.names(t).append(b, name), l.pair...)
		b, err = appendPart(b, f, base, t)
		return err
	})
	return b, err
}

// each calls f with every property that is there, of an object or a map.
func each(tab *codec.Type, v unsafe.Pointer, f func(name string, f *codec.Field, base unsafe.Pointer) error) (err error) {
	if tab.Kind == codec.Map {
		el := tab.Element()
		tab.Map.Each(v, func(key string, q unsafe.Pointer) bool {
			err = f(key, &el, q)
			return err == nil
		})
		return err
	}
	for i := range tab.Fields {
		g := &tab.Fields[i]
		if _, ok := g.Value(v); ok {
			if err = f(g.Name(), g, v); err != nil {
				return err
			}
		}
	}
	if tab.Extra != nil {
		return each(tab.Extra, unsafe.Add(v, tab.ExtraOff), f)
	}
	return nil
}

// appendDeep appends name[property]=value, for every leaf below the value at v.
func appendDeep(b, name []byte, f *codec.Field, v unsafe.Pointer, between string, t text) ([]byte, error) {
	start := len(b)
	next := func(name []byte, g *codec.Field, base unsafe.Pointer) (err error) {
		n := len(b)
		if n > start {
			b = append(b, between...)
		}
		q, ok := g.Value(base)
		if !ok {
			b = b[:n]
			return nil
		}
		k, tab := g.Resolve()
		if k == codec.Object || k == codec.Map || k == codec.Slice || k == codec.Tuple {
			m := len(b)
			if b, err = appendDeep(b, name, &codec.Field{T: tab, Kind: k}, q, between, t); len(b) == m {
				b = b[:n]
			}
			return err
		}
		b = append(append(b, name...), '=')
		b, err = appendPart(b, g, base, t)
		return err
	}
	if f.Kind == codec.Tuple {
		for g, q := range Positions(f.T, v) {
			if err := next(name, g, q); err != nil {
				return b, err
			}
		}
		return b, nil
	}
	if f.Kind == codec.Slice {
		for i := range f.T.Len(v) {
			g, q := f.T.Item(v, i)
			if err := next(name, &g, q); err != nil {
				return b, err
			}
		}
		return b, nil
	}
	err := each(f.T, v, func(prop string, g *codec.Field, base unsafe.Pointer) error {
		sub := append(append([]byte(nil), name...), "%5B"...)
		sub = append(escaped.append(sub, prop), "%5D"...)
		return next(sub, g, base)
	})
	return b, err
}
