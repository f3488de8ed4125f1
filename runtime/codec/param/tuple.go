package param

import (
	"iter"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// A list whose positions differ travels like any other: its items are texts, each of which
// the field of its position reads.

// Positions yields the fields of the tuple at v, and of what follows them, up to the first
// that is absent. The address is the base of the field.
func Positions(tab *codec.Type, v unsafe.Pointer) iter.Seq2[*codec.Field, unsafe.Pointer] {
	return func(yield func(*codec.Field, unsafe.Pointer) bool) {
		for i := range tab.Fields {
			f := &tab.Fields[i]
			if _, ok := f.Value(v); !ok || !yield(f, v) {
				return
			}
		}
		if tab.Extra == nil {
			return
		}
		rest := unsafe.Add(v, tab.ExtraOff)
		for i := range tab.Extra.Len(rest) {
			if f, q := tab.Extra.Item(rest, i); !yield(&f, q) {
				return
			}
		}
	}
}

// appendTuple appends the items of a tuple as appendList does those of a list.
func (p *Param) appendTuple(b []byte, tab *codec.Type, v unsafe.Pointer, l layout, t text) (_ []byte, err error) {
	b = append(b, l.lead...)
	first := true
	for f, q := range Positions(tab, v) {
		if !first {
			b = append(b, l.sep...)
		}
		if first = false; l.named {
			b = append(p.names(t).append(b, p.Name), '=')
		}
		if b, err = appendPart(b, f, q, t); err != nil {
			return b, err
		}
	}
	return b, nil
}

// texts divides what holds a list in one value.
func (r *reading) texts(p *Param, s string, t text) *tree {
	n := &tree{}
	for more := s != ""; more; {
		var part string
		part, s, more = cut(s, p.separator(false))
		n.texts = append(n.texts, decoded(part, t, r, p))
	}
	return n
}

// tuple appends the texts of n as t expects them.
func (n *tree) tuple(b []byte, t *codec.Type) []byte {
	b = append(b, '[')
	for i, s := range n.texts {
		if i > 0 {
			b = append(b, ',')
		}
		f := &anything
		switch {
		case i < len(t.Fields):
			f = &t.Fields[i]
		case t.Extra != nil:
			el := t.Extra.Element()
			f = &el
		}
		b = f.AppendJSONText(b, s)
	}
	return append(b, ']')
}
