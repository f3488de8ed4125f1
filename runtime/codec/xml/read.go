package xml

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// JSON returns the JSON text that a document stands for.
func (c *Codec) JSON(data []byte) ([]byte, error) {
	e, err := read(data)
	if err != nil {
		return nil, err
	}
	root := c.resolve(&c.Root)
	if want := root.name("root"); root.Kind != List && !strings.EqualFold(e.name.Local, want) {
		return nil, fmt.Errorf("the root element is %q, not %q", e.name.Local, want)
	}
	if root.Space != "" && e.name.Space != root.Space {
		return nil, fmt.Errorf("the root element is of the namespace %q, not %q", e.name.Space, root.Space)
	}
	r := &reader{c: c}
	r.value(root, e)
	return r.b, nil
}

type reader struct {
	c *Codec
	b []byte
}

func (r *reader) raw(s string) { r.b = append(r.b, s...) }

func (r *reader) quoted(s string) {
	text, _ := json.Marshal(s) // of a string: it does not fail
	r.b = append(r.b, text...)
}

// value writes what an element holds.
func (r *reader) value(n *Node, e *node) {
	n = r.c.resolve(n)
	if e.null() {
		r.raw("null")
		return
	}
	switch n.Kind {
	case Union:
		r.value(r.variant(n, e), e)
	case Object:
		if text := strings.TrimSpace(e.text); text != "" && !r.holdsText(n, 0) {
			r.quoted(text) // the codec refuses it where an object belongs
			return
		}
		r.raw("{")
		r.members(n, e)
		r.raw("}")
	case List:
		r.list(n, e.kids)
	case Map:
		r.raw("{")
		r.others(n.Elem, e, nil)
		r.raw("}")
	case Any:
		r.any(e)
	default:
		r.scalar(n.Kind, e.text)
	}
}

// flat is how many objects without an element of their own may lie in one another.
const flat = 32

// holdsText says whether an object has a place for the text between its elements.
func (r *reader) holdsText(n *Node, depth int) bool {
	for i := range n.Fields {
		f := r.c.resolve(&n.Fields[i])
		if f.As == Chars || f.As == CData {
			return true
		}
		if f.As == None && (f.Kind != Object || depth >= flat || r.holdsText(f, depth+1)) {
			return true
		}
	}
	return false
}

// scalar writes text as what it should be; what it is not stays text, which the codec
// then refuses for its type.
func (r *reader) scalar(k Kind, text string) {
	trimmed := strings.TrimSpace(text)
	switch k {
	case Bool:
		switch trimmed {
		case "true", "1":
			r.raw("true")
			return
		case "false", "0":
			r.raw("false")
			return
		}
	case Number:
		if s := number(trimmed); s != "" {
			r.raw(s)
			return
		}
	}
	r.quoted(text)
}

// number turns a number of XML Schema into one of JSON; "" where it is none.
func number(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign = "-"
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, sign), "+")
	for len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		s = s[1:]
	}
	if strings.HasPrefix(s, ".") {
		s = "0" + s
	}
	s = strings.TrimSuffix(s, ".")
	if s == "" || s[0] < '0' || s[0] > '9' || !json.Valid([]byte(s)) {
		return ""
	}
	return sign + s
}

func (r *reader) key(k string) {
	if c := r.b[len(r.b)-1]; c != '{' {
		r.raw(",")
	}
	r.quoted(k)
	r.raw(":")
}

// members writes the properties of an object from the element that it is.
func (r *reader) members(n *Node, e *node) {
	used := make([]bool, len(e.kids))
	r.fields(n, e, used)
	r.others(n.Extra, e, used)
}

func (r *reader) fields(n *Node, e *node, used []bool) {
	for i := range n.Fields {
		f := r.c.resolve(&n.Fields[i])
		switch {
		case f.As == Attribute:
			if text, ok := e.attr(f); ok {
				r.key(f.Key)
				r.attribute(f, text)
			}
		case f.As == Chars || f.As == CData:
			if e.text != "" || f.Req {
				r.key(f.Key)
				r.scalar(f.Kind, e.text)
			}
		case f.As == None && f.Kind == Object:
			if f.Req || r.touches(f, e) {
				r.key(f.Key)
				r.raw("{")
				r.fields(f, e, used)
				r.raw("}")
			}
		case f.Kind == List && !f.Wrapped:
			r.unwrapped(f, e, used)
		default:
			for j, kid := range e.kids {
				if !used[j] && is(kid.name, f, f.name("")) {
					used[j] = true
					r.key(f.Key) // twice, where it is there twice: the codec refuses that
					r.value(f, kid)
				}
			}
		}
	}
}

// attribute writes the value of an attribute; a list is divided by its white space.
func (r *reader) attribute(f *Node, text string) {
	if f.Kind != List {
		r.scalar(f.Kind, text)
		return
	}
	elem := r.c.resolve(f.Elem)
	r.raw("[")
	for i, word := range strings.Fields(text) {
		if i > 0 {
			r.raw(",")
		}
		r.scalar(elem.Kind, word)
	}
	r.raw("]")
}

// touches says whether an element has anything of an object that has no element itself.
func (r *reader) touches(n *Node, e *node) bool {
	for i := range n.Fields {
		f := r.c.resolve(&n.Fields[i])
		if _, ok := e.attr(f); ok && f.As == Attribute {
			return true
		}
		name := f.name("")
		if f.Kind == List && !f.Wrapped {
			name = r.c.inside(f, name)
		}
		if slices.ContainsFunc(e.kids, func(k *node) bool { return is(k.name, f, name) }) {
			return true
		}
	}
	return false
}

// unwrapped writes a list whose items stand among the members of e.
func (r *reader) unwrapped(f *Node, e *node, used []bool) {
	name := r.c.inside(f, f.name(""))
	elem := r.c.resolve(f.Elem)
	var items []*node
	for j, kid := range e.kids {
		if !used[j] && is(kid.name, elem, name) {
			used[j] = true
			items = append(items, kid)
		}
	}
	if len(items) > 0 || f.Req {
		r.key(f.Key)
		r.list(f, items)
	}
}

// list writes items, whatever they are called.
func (r *reader) list(n *Node, items []*node) {
	elem := n.Elem
	if elem == nil {
		elem = &Node{Kind: Any}
	}
	r.raw("[")
	for i, item := range items {
		if i > 0 {
			r.raw(",")
		}
		if i < len(n.Fields) {
			r.value(&n.Fields[i], item)
		} else {
			r.value(elem, item)
		}
	}
	r.raw("]")
}

// others writes the elements that no field is for: each as of says, or, where that is nil,
// as they look, so that the codec can refuse or skip them.
func (r *reader) others(of *Node, e *node, used []bool) {
	var names []string
	by := map[string][]*node{}
	for j, kid := range e.kids {
		if used != nil && used[j] {
			continue
		}
		name := kid.name.Local
		if by[name] == nil {
			names = append(names, name)
		}
		by[name] = append(by[name], kid)
	}
	for _, name := range names {
		kids := by[name]
		if of == nil || r.c.resolve(of).Kind == Any {
			r.key(name)
			r.several(kids)
			continue
		}
		for _, kid := range kids {
			r.key(name)
			r.value(of, kid)
		}
	}
}

// several writes elements of one name as they look.
func (r *reader) several(kids []*node) {
	if len(kids) == 1 {
		r.any(kids[0])
		return
	}
	r.raw("[")
	for i, kid := range kids {
		if i > 0 {
			r.raw(",")
		}
		r.any(kid)
	}
	r.raw("]")
}

// any writes an element as it looks: text, or an object of its elements.
func (r *reader) any(e *node) {
	if e.null() {
		r.raw("null")
		return
	}
	if len(e.kids) == 0 {
		r.quoted(e.text)
		return
	}
	r.raw("{")
	r.others(nil, e, nil)
	r.raw("}")
}

// variant is the alternative that an element is one of.
func (r *reader) variant(n *Node, e *node) *Node {
	if n.Tag != "" {
		if tag, ok := r.tag(n, e); ok {
			for i := range n.Variants {
				if slices.Contains(n.Variants[i].Tags, tag) {
					return r.c.resolve(&n.Variants[i])
				}
			}
		}
	}
	for i := range n.Variants {
		if v := r.c.resolve(&n.Variants[i]); r.fits(v, e) {
			return v
		}
	}
	return &Node{Kind: Any}
}

// tag finds the text of a discriminator: an attribute or element of its name, or of the
// name that a variant gives it.
func (r *reader) tag(n *Node, e *node) (string, bool) {
	names := []string{n.Tag}
	for i := range n.Variants {
		v := r.c.resolve(&n.Variants[i])
		for j := range v.Fields {
			if v.Fields[j].Key == n.Tag {
				names = append(names, r.c.resolve(&v.Fields[j]).name(n.Tag))
			}
		}
	}
	for i := range e.attrs {
		if slices.Contains(names, e.attrs[i].Name.Local) {
			return e.attrs[i].Value, true
		}
	}
	for _, kid := range e.kids {
		if slices.Contains(names, kid.name.Local) {
			return strings.TrimSpace(kid.text), true
		}
	}
	return "", false
}

// fits says whether an element can be what n describes.
func (r *reader) fits(n *Node, e *node) bool {
	text := strings.TrimSpace(e.text)
	switch n.Kind {
	case Number:
		return len(e.kids) == 0 && number(text) != ""
	case Bool:
		return len(e.kids) == 0 && (text == "true" || text == "false")
	case Text:
		return len(e.kids) == 0
	case Union:
		return slices.ContainsFunc(n.Variants, func(v Node) bool { return r.fits(r.c.resolve(&v), e) })
	case Object:
		return r.fitsObject(n, e)
	case List:
		return len(e.kids) > 0 || text == ""
	}
	return true
}

func (r *reader) fitsObject(n *Node, e *node) bool {
	known := 0
	for i := range n.Fields {
		f := r.c.resolve(&n.Fields[i])
		_, ok := e.attr(f)
		ok = ok && f.As == Attribute || f.As == Chars || f.As == CData || f.Kind == List && !f.Wrapped
		name := f.name("")
		if f.Kind == List && !f.Wrapped {
			name = r.c.inside(f, name)
		}
		for _, kid := range e.kids {
			if f.As != Attribute && is(kid.name, f, name) {
				known, ok = known+1, true
			}
		}
		if f.Req && !ok {
			return false
		}
	}
	return n.Extra != nil || known == len(e.kids)
}
