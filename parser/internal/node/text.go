package node

import (
	"encoding/json"
	"strings"
)

// JSON returns n as compact JSON: keys in source order, numbers as written.
func (n *Node) JSON() string {
	var b strings.Builder
	n.writeJSON(&b)
	return b.String()
}

func (n *Node) writeJSON(b *strings.Builder) {
	switch n.Kind() {
	case Absent:
		b.WriteString("null")
	case String:
		b.WriteString(Quote(n.text))
	case List:
		b.WriteByte('[')
		for i, kid := range n.kids {
			if i > 0 {
				b.WriteByte(',')
			}
			kid.writeJSON(b)
		}
		b.WriteByte(']')
	case Map:
		b.WriteByte('{')
		for i, kid := range n.kids {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(Quote(kid.key))
			b.WriteByte(':')
			kid.writeJSON(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(n.text)
	}
}

// Quote returns text as a JSON string, with <, > and & as they are.
func Quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return `""` // cannot happen: a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Equal says whether a and b hold the same value: maps in any order, numbers by their
// text.
func Equal(a, b *Node) bool {
	if a.Kind() != b.Kind() || a.Len() != b.Len() || a.Text() != b.Text() {
		return false
	}
	for i := range a.Len() {
		other := b.kids[i]
		if a.kind == Map {
			other = b.Get(a.kids[i].key)
		}
		if other == nil || !Equal(a.kids[i], other) {
			return false
		}
	}
	return true
}
