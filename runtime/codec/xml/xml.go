// Package xml writes and reads bodies as XML, by OpenAPI's xml objects: which names values
// have, what is an attribute, which lists have an element around them. Only services whose
// contract declares XML link it.
//
// It stands beside the codec of JSON and not in its place: values pass through JSON, so
// that types, rules, required and unknown properties are checked by the same tables, and
// violations point at the same places. A Node says how the JSON value that it describes
// looks as XML; there is one for every value that can be reached from a body in XML.
//
// XML is read by encoding/xml, strictly: one root, UTF-8, no document type and so no
// entities of its own, limits on depth and number of nodes. Text that XML cannot carry (the
// control characters of XML 1.0, section 2.2) is an error, never replaced.
//
// It imports runtime/codec and the standard library.
package xml

import "github.com/concordat-dev/concordat/runtime/codec"

// A Kind is what a value is in JSON.
type Kind uint8

// The kinds. Ref is the node of Types at Of, which may lead back to where it is used.
const (
	Text   Kind = iota // a string
	Number             // a number
	Bool               // a boolean
	Object
	List
	Map   // an object whose keys are names of elements
	Union // one of Variants
	Any   // whatever is there: text, or an object of elements
	Ref
)

// An As is what a value becomes.
type As uint8

// What values become. A list without Wrapped is as many elements as it has items.
const (
	Element As = iota
	Attribute
	Chars // the text of the element that the object is
	CData // Chars, written as a CDATA section
	None  // of an object: its own members take its place
)

// A Node says how a value looks as XML.
type Node struct {
	Key     string // of the property in JSON
	Name    string // of the element or attribute; "": Key, or the name of the list
	Space   string // the namespace; "": any, and none is written
	Prefix  string // for Space; "": Space becomes the default namespace
	Kind    Kind
	As      As
	Req     bool // the property must be there
	Wrapped bool // List: there is an element around its items
	Of      int  // Ref
	Elem    *Node
	Fields  []Node // Object; of a List, its positions, called like Elem, which is what follows them
	Extra   *Node  // Object: of the elements that Fields does not name

	Tag      string   // Union: the property that tells variants apart; "": the first that fits
	Variants []Node   // Union
	Tags     []string // of a variant: the values of the property that select it
}

// A Codec writes and reads one body. Root has the name of the document's element, Types
// are the nodes that Refs lead to: one list for a package.
type Codec struct {
	Types *[]Node
	Root  Node
}

// MaxDepth is how deep elements may nest, MaxNodes how many elements and attributes a
// document may have.
const (
	MaxDepth = codec.MaxDepth
	MaxNodes = 500_000
)

// resolve follows Refs. What is said where a type is used wins over what the type says.
func (c *Codec) resolve(n *Node) *Node {
	for range MaxDepth {
		if n.Kind != Ref {
			return n
		}
		m := (*c.Types)[n.Of]
		m.Key, m.Req, m.Tags = n.Key, n.Req, n.Tags
		if n.Name != "" {
			m.Name = n.Name
		}
		if n.Space != "" {
			m.Space, m.Prefix = n.Space, n.Prefix
		}
		if n.As != Element {
			m.As = n.As
		}
		m.Wrapped = m.Wrapped || n.Wrapped
		n = &m
	}
	return &Node{Key: n.Key, Name: n.Name, Kind: Any}
}

// name is the local name of a value's node.
func (n *Node) name(fallback string) string {
	switch {
	case n.Name != "":
		return n.Name
	case n.Key != "":
		return n.Key
	}
	return fallback
}

// inside is the name of the items of a list.
func (c *Codec) inside(n *Node, fallback string) string {
	if n.Elem == nil {
		return fallback
	}
	return c.resolve(n.Elem).name(fallback)
}
