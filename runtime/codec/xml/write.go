package xml

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const instance = "http://www.w3.org/2001/XMLSchema-instance"

// Append appends the document that the JSON text stands for.
func (c *Codec) Append(b, text []byte) ([]byte, error) {
	v, err := parse(text)
	if err != nil {
		return b, err
	}
	w := &writer{c: c, b: append(b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)}
	root := *c.resolve(&c.Root)
	if root.Kind == List {
		root.Wrapped = true
	}
	root.As = Element
	if err := w.value(&root, root.name("root"), &v); err != nil {
		return b, err
	}
	return w.b, nil
}

type writer struct {
	c     *Codec
	b     []byte
	scope []binding // of prefixes, the innermost last
}

type binding struct{ prefix, space string }

// value writes v as the elements that n asks for.
func (w *writer) value(n *Node, name string, v *value) error {
	n = w.c.resolve(n)
	switch {
	case n.Kind == Union:
		return w.value(w.variant(n, v), name, v)
	case n.Kind == List && v.kind == '[' && !n.Wrapped:
		return w.items(n, name, v)
	case n.As == Chars && (v.kind == '"' || v.kind == 'v'):
		return w.text(v.text)
	case n.As == CData && (v.kind == '"' || v.kind == 'v'):
		return w.cdata(v.text)
	case n.As == None && n.Kind == Object && v.kind == '{':
		return w.content(n, v)
	case n.Kind == Any && v.kind == '[':
		return w.items(&Node{Elem: &Node{Kind: Any}}, name, v)
	}
	return w.element(n, name, v)
}

// items writes the items of a list without an element around them. A list among them has
// one, or its items could not be told from its neighbours'.
func (w *writer) items(n *Node, name string, v *value) error {
	elem := *w.c.resolve(n.Elem)
	elem.Wrapped, elem.As = elem.Wrapped || elem.Kind == List, Element
	name = elem.name(name)
	for i := range v.items {
		item := &v.items[i]
		if i < len(n.Fields) {
			at := *w.c.resolve(&n.Fields[i])
			at.Wrapped, at.As = at.Wrapped || at.Kind == List, Element
			if err := w.value(&at, name, item); err != nil {
				return err
			}
			continue
		}
		if elem.Kind == Any && item.kind == '[' {
			elem.Kind, elem.Wrapped, elem.Elem = List, true, &Node{Kind: Any}
		}
		if err := w.value(&elem, name, item); err != nil {
			return err
		}
	}
	return nil
}

// element writes one element with what v holds.
func (w *writer) element(n *Node, name string, v *value) error {
	if !isName(name) {
		return fmt.Errorf("%q is no name of an XML element", name)
	}
	depth := len(w.scope)
	tag := w.open(n, name)
	if v.kind == 'n' {
		w.b = append(w.b, ` xmlns:xsi="`+instance+`" xsi:nil="true"/>`...)
		w.scope = w.scope[:depth]
		return nil
	}
	if n.Kind == Object && v.kind == '{' {
		if err := w.attributes(n, v); err != nil {
			return err
		}
	}
	w.b = append(w.b, '>')
	if err := w.content(n, v); err != nil {
		return err
	}
	w.b = append(append(append(w.b, "</"...), tag...), '>')
	w.scope = w.scope[:depth]
	return nil
}

// open begins a start tag, with the namespace where that is not in force, and returns the
// name with its prefix.
func (w *writer) open(n *Node, name string) string {
	tag := name
	if n.Prefix != "" && n.Space != "" {
		tag = n.Prefix + ":" + name
	}
	w.b = append(append(w.b, '<'), tag...)
	if n.Space != "" {
		w.bind(n.Prefix, n.Space)
	}
	return tag
}

// bind writes the declaration of a prefix where it does not hold already.
func (w *writer) bind(prefix, space string) {
	for i := len(w.scope) - 1; i >= 0; i-- {
		if w.scope[i].prefix == prefix {
			if w.scope[i].space == space {
				return
			}
			break
		}
	}
	w.scope = append(w.scope, binding{prefix, space})
	if prefix == "" {
		w.b = append(w.b, ` xmlns="`...)
	} else {
		w.b = append(w.b, ` xmlns:`+prefix+`="`...)
	}
	w.b = append(appendEscaped(w.b, space), '"')
}

// attributes writes the members of an object that are attributes.
func (w *writer) attributes(n *Node, v *value) error {
	for i := range n.Fields {
		f := w.c.resolve(&n.Fields[i])
		m := v.member(f.Key)
		if m == nil || m.kind == 'n' {
			continue
		}
		if f.As == None && f.Kind == Object && m.kind == '{' {
			if err := w.attributes(f, m); err != nil {
				return err
			}
		}
		if f.As != Attribute {
			continue
		}
		name, text := f.name(""), m.text
		switch {
		case m.kind == '[':
			var words []string
			for _, item := range m.items {
				words = append(words, item.text)
			}
			text = strings.Join(words, " ") // a list of XML Schema
		case m.kind == '{':
			return fmt.Errorf("the attribute %q would have to hold an object", name)
		}
		if !isName(name) {
			return fmt.Errorf("%q is no name of an XML attribute", name)
		}
		if f.Space != "" {
			prefix := f.Prefix
			if prefix == "" {
				prefix = "ns" // attributes have no default namespace
			}
			w.bind(prefix, f.Space)
			name = prefix + ":" + name
		}
		w.b = append(append(append(w.b, ' '), name...), `="`...)
		if err := w.text(text); err != nil {
			return err
		}
		w.b = append(w.b, '"')
	}
	return nil
}

// content writes what is between the tags of v's element.
func (w *writer) content(n *Node, v *value) error {
	switch v.kind {
	case '"', 'v':
		return w.text(v.text)
	case '[':
		elem := n.Elem
		if elem == nil {
			elem = &Node{Kind: Any}
		}
		list := &Node{Elem: elem}
		if n.Kind == List {
			list.Fields = n.Fields
		}
		return w.items(list, n.name("item"), v)
	case '{':
		for i, key := range v.keys {
			f := w.field(n, key)
			if f.As == Attribute {
				continue
			}
			if err := w.value(f, f.name(key), &v.items[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// field is the node of a property of an object or map.
func (w *writer) field(n *Node, key string) *Node {
	for i := range n.Fields {
		if n.Fields[i].Key == key {
			return w.c.resolve(&n.Fields[i])
		}
	}
	other := n.Extra
	if n.Kind == Map {
		other = n.Elem
	}
	if other == nil {
		return &Node{Key: key, Kind: Any}
	}
	f := *w.c.resolve(other)
	f.Key, f.Name, f.As, f.Wrapped = key, "", Element, true // the key is the only name that there is
	return &f
}

// variant is the alternative that v is one of.
func (w *writer) variant(n *Node, v *value) *Node {
	var found *Node
	for i := range n.Variants {
		m := w.c.resolve(&n.Variants[i])
		if n.Tag != "" && v.kind == '{' {
			if tag := v.member(n.Tag); tag != nil && has(m.Tags, tag.text) {
				found = m
				break
			}
			continue
		}
		if w.fits(m, v) {
			found = m
			break
		}
	}
	if found == nil {
		found = &Node{Kind: Any}
	}
	m := *found
	m.Key, m.Space, m.Prefix = n.Key, n.Space, n.Prefix
	if n.Name != "" {
		m.Name = n.Name
	}
	return &m
}

func has(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

// fits says whether a JSON value can be what n describes.
func (w *writer) fits(n *Node, v *value) bool {
	switch n.Kind {
	case Text:
		return v.kind == '"'
	case Number:
		return v.kind == 'v' && v.text != "true" && v.text != "false"
	case Bool:
		return v.text == "true" || v.text == "false"
	case List:
		return v.kind == '['
	case Map:
		return v.kind == '{'
	case Union:
		for i := range n.Variants {
			if w.fits(w.c.resolve(&n.Variants[i]), v) {
				return true
			}
		}
		return false
	case Object:
		return v.kind == '{' && w.fitsObject(n, v)
	}
	return true
}

func (w *writer) fitsObject(n *Node, v *value) bool {
	known := 0
	for i := range n.Fields {
		f := &n.Fields[i]
		switch {
		case v.member(f.Key) != nil:
			known++
		case f.Req:
			return false
		}
	}
	return n.Extra != nil || known == len(v.keys)
}

func (w *writer) text(s string) error {
	if err := carried(s); err != nil {
		return err
	}
	w.b = appendEscaped(w.b, s)
	return nil
}

// cdata writes a CDATA section, or text where a section cannot hold it.
func (w *writer) cdata(s string) error {
	if err := carried(s); err != nil {
		return err
	}
	if strings.Contains(s, "]]>") || strings.Contains(s, "\r") {
		w.b = appendEscaped(w.b, s)
		return nil
	}
	w.b = append(append(append(w.b, "<![CDATA["...), s...), "]]>"...)
	return nil
}

// carried says whether XML 1.0 can carry a text at all (section 2.2).
func carried(s string) error {
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return fmt.Errorf("XML cannot carry the character %U", r)
		}
	}
	return nil
}

// appendEscaped escapes what markup is made of, and white space that a reader would change.
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '&':
			b = append(b, "&amp;"...)
		case '"':
			b = append(b, "&#34;"...)
		case '\t':
			b = append(b, "&#9;"...)
		case '\n':
			b = append(b, "&#10;"...)
		case '\r':
			b = append(b, "&#13;"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

// isName says whether s can name an element or attribute: NCName of Namespaces in XML,
// which has no colon.
func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || unicode.IsLetter(r)
		if !letter && (i == 0 || r != '-' && r != '.' && r != 0xb7 && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)) {
			return false
		}
	}
	return s != "" && utf8.ValidString(s)
}
