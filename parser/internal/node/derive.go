package node

// Derived nodes say what a document means in other words than its own, as when Swagger 2
// is read as OpenAPI 3. They have the place, the path and the document of the node that
// they stand for, so that findings and references are those of the source. Nodes of the
// source may be inside them, and keep their own parents.

// more is what few nodes have.
type more struct {
	byKey  map[string]*Node // of maps with many keys
	origin *Node            // of derived nodes: whose place this is
	target *Node            // of derived references: what they lead to
	raw    string           // of scalars whose text is not as it was written
}

// DeriveMap returns a Map in the place of at, whose own key is key. Its entries are kids,
// each under its own key; nil kids are left out, and of those with one key the last counts.
func DeriveMap(at *Node, key string, kids ...*Node) *Node {
	n := derive(at, Map, key)
	place := map[string]int{}
	for _, kid := range kids {
		if kid == nil {
			continue
		}
		if i, again := place[kid.key]; again {
			n.kids[i] = kid
			continue
		}
		place[kid.key] = len(n.kids)
		n.kids = append(n.kids, kid)
	}
	n.indexKeys()
	return n
}

// DeriveList returns a List in the place of at, whose own key is key.
func DeriveList(at *Node, key string, items ...*Node) *Node {
	n := derive(at, List, key)
	n.kids = items
	return n
}

// DeriveText returns a String in the place of at, whose own key is key.
func DeriveText(at *Node, key, text string) *Node {
	n := derive(at, String, key)
	n.text = text
	return n
}

// DeriveBool returns a Bool in the place of at, whose own key is key.
func DeriveBool(at *Node, key string, value bool) *Node {
	n := derive(at, Bool, key)
	n.text = map[bool]string{true: "true", false: "false"}[value]
	return n
}

// DeriveRef returns a reference in the place of at, whose own key is key, that leads to
// target.
func DeriveRef(at *Node, key string, target *Node) *Node {
	n := DeriveMap(at, key, DeriveText(at, "$ref", target.Pointer()))
	n.more.target = target
	return n
}

// As returns n under another key, with the same content. It is n itself where that is its
// key, and nil for nil.
func (n *Node) As(key string) *Node {
	if n == nil || n.key == key {
		return n
	}
	c := derive(n, n.kind, key)
	c.text, c.kids = n.text, n.kids
	c.indexKeys()
	return c
}

func derive(at *Node, kind Kind, key string) *Node {
	return &Node{kind: kind, key: key, doc: at.doc, pos: at.pos, at: at.at, index: at.index, more: &more{origin: at}}
}

// origin returns the node of the source that n stands for: n itself unless it is derived.
func (n *Node) origin() *Node {
	for n != nil && n.more != nil && n.more.origin != nil {
		n = n.more.origin
	}
	return n
}
