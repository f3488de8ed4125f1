package param

import (
	"strings"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// A tree is an object that was spread over several names, before it becomes JSON: that
// way, the decoder for JSON checks it.
type tree struct {
	texts []string // of a leaf: one, or the items of a list
	names []string
	kids  []*tree
}

// at returns the subtree with a name, which it makes if need be.
func (n *tree) at(name string) *tree {
	for i, have := range n.names {
		if have == name {
			return n.kids[i]
		}
	}
	n.names, n.kids = append(n.names, name), append(n.kids, &tree{})
	return n.kids[len(n.kids)-1]
}

// deep adds text at a path like [a][b]; false where it is none.
func (n *tree) deep(path, text string) bool {
	for depth := 0; path != ""; depth++ {
		name, rest, ok := strings.Cut(path, "]")
		if !ok || name[:min(1, len(name))] != "[" || depth > 32 {
			return false
		}
		if name != "[" { // a[] is an item of a
			n = n.at(name[1:])
		}
		path = rest
	}
	n.texts = append(n.texts, text)
	return true
}

// json appends n as what f expects.
func (n *tree) json(b []byte, f *codec.Field) []byte {
	k, t := f.Resolve()
	switch {
	case k == codec.Slice && len(n.kids) == 0:
		el := t.Element()
		if len(n.texts) == 1 && strings.HasPrefix(n.texts[0], "[") && !el.Kind.IsText() {
			return f.AppendJSONText(b, n.texts[0])
		}
		return n.list(b, &el)
	case k == codec.Slice:
		el := t.Element()
		b = append(b, '[')
		for i, kid := range n.kids { // a[0][x]=1: in the order in which they were sent
			if i > 0 {
				b = append(b, ',')
			}
			b = kid.json(b, &el)
		}
		return append(b, ']')
	case k == codec.Tuple && len(n.kids) == 0 && !(len(n.texts) == 1 && strings.HasPrefix(n.texts[0], "[")):
		return n.tuple(b, t)
	case len(n.kids) > 0:
		return n.object(b, k, t)
	case len(n.texts) == 0:
		return append(b, "{}"...)
	case len(n.texts) > 1:
		return n.list(b, f) // the decoder will say that it should be one
	}
	return f.AppendJSONText(b, n.texts[0])
}

func (n *tree) list(b []byte, el *codec.Field) []byte {
	b = append(b, '[')
	for i, s := range n.texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = el.AppendJSONText(b, s)
	}
	return append(b, ']')
}

// anything is a property that no table knows.
var anything = codec.Field{Kind: codec.String}

func (n *tree) object(b []byte, k codec.Kind, t *codec.Type) []byte {
	b = append(b, '{')
	for i, name := range n.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(codec.AppendQuoted(b, name), ':')
		f := &anything
		switch {
		case k == codec.Map:
			el := t.Element()
			f = &el
		case k == codec.Object:
			if j := t.Find(name); j >= 0 {
				f = &t.Fields[j]
			} else if t.Extra != nil {
				el := t.Extra.Element()
				f = &el
			}
		}
		b = n.kids[i].json(b, f)
	}
	return append(b, '}')
}
