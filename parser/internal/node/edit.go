package node

import "slices"

// Remove takes n out of its list or map; false for roots, which are in none.
func (n *Node) Remove() bool {
	p := n.Parent()
	i := -1
	if p != nil {
		i = slices.Index(p.kids, n)
	}
	if i < 0 {
		return false
	}
	p.hold(slices.Delete(slices.Clone(p.kids), i, i+1))
	n.parent = nil
	return true
}

// Merge writes update into n: entries of a map are merged with those that are there, at any
// depth, items are added to the end of a list, and all else takes the place of what was
// there. What is written keeps the place where update was written; its references are
// those of n's document. update itself stays as it is.
func (n *Node) Merge(update *Node) {
	switch {
	case n.kind == Map && update.kind == Map:
		kids := slices.Clone(n.kids)
		for key, kid := range update.Entries() {
			if old := n.Get(key); old != nil {
				old.Merge(kid)
			} else {
				kids = append(kids, kid.clone())
			}
		}
		n.hold(kids)
	case n.kind == List && update.kind == List:
		kids := slices.Clone(n.kids)
		for kid := range update.Items() {
			kids = append(kids, kid.clone())
		}
		n.hold(kids)
	default:
		n.replace(update)
	}
}

// Append adds a copy of item to the end of n, which must be a List.
func (n *Node) Append(item *Node) {
	c := item.clone()
	c.key, c.at = "", extent{}
	n.hold(append(slices.Clone(n.kids), c))
}

// replace makes a copy of with out of n, in n's place of the tree.
func (n *Node) replace(with *Node) {
	c := with.clone()
	n.kind, n.text, n.doc, n.pos, n.more = c.kind, c.text, c.doc, c.pos, c.more
	if n.at.line > 0 && with.at.line > 0 {
		n.at = with.at
	}
	n.hold(c.kids)
}

// clone returns a copy of n and all below it that belongs to no tree.
func (n *Node) clone() *Node {
	c := &Node{text: n.text, key: n.key, doc: n.doc, kind: n.kind, pos: n.pos, at: n.at}
	if n.more != nil {
		c.more = &more{raw: n.more.raw}
	}
	kids := make([]*Node, len(n.kids))
	for i, kid := range n.kids {
		kids[i] = kid.clone()
	}
	c.hold(kids)
	return c
}
