// Package node reads YAML and JSON into one tree that keeps what ordinary decoders lose:
// the order of keys, line and column, numbers as they were written, and where a value
// lies in its document. It also finds what a $ref points at, across files.
//
// yaml.v3 does the reading of YAML; JSON has a reader of its own here, since the
// documents that are large are JSON and yaml.v3 needs seconds for them. Neither lets a
// hostile document cost more than its size: nesting, aliases and bytes are limited.
//
// It imports contract, contract/diag, yaml.v3 and the standard library.
package node

import (
	"iter"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// Kind is what a node holds.
type Kind uint8

// The kinds. Absent is the kind of a nil *Node, so that chains of Get need no checks.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	List
	Map
)

// String returns the kind as a diagnostic names it: "a map", "text".
func (k Kind) String() string {
	return [...]string{"nothing", "null", "a boolean", "a number", "text", "a list", "a map"}[k]
}

// A Node is one value of a document. All methods work on a nil Node, which is absent.
type Node struct {
	text   string
	key    string
	kids   []*Node
	parent *Node
	doc    *document
	more   *more // what few nodes have
	kind   Kind
	index  int32 // among the parent's kids
	pos    extent
	at     extent // of the key
}

// An extent is a place in a document: from line and col, both counting from 1 and
// columns in bytes, to the exclusive end.
type extent struct{ line, col, endLine, endCol int32 }

// A document is one file.
type document struct {
	name  string
	size  int         // in bytes
	names *identities // nil until somebody asks
}

// manyKeys is how long a map may be before its keys are indexed.
const manyKeys = 12

// Kind returns what n holds.
func (n *Node) Kind() Kind {
	if n == nil {
		return Absent
	}
	return n.kind
}

// Text returns the text of a scalar: what a string holds, a number as it was written in
// JSON's spelling, "true", "false" or "null". It is "" for lists and maps.
func (n *Node) Text() string {
	if n == nil {
		return ""
	}
	return n.text
}

// Written returns a scalar as its author wrote it, where Text has JSON's spelling: "010" for
// 8, "True" for true. Quotes and escapes are not part of it.
func (n *Node) Written() string {
	if n != nil && n.more != nil && n.more.raw != "" {
		return n.more.raw
	}
	return n.Text()
}

// Str returns the text of a String; ok is false for all other kinds.
func (n *Node) Str() (text string, ok bool) {
	if n.Kind() != String {
		return "", false
	}
	return n.text, true
}

// Bool returns the value of a Bool; ok is false for all other kinds.
func (n *Node) Bool() (value, ok bool) {
	return n.Kind() == Bool && n.text == "true", n.Kind() == Bool
}

// True says whether n is the boolean true.
func (n *Node) True() bool { return n.Kind() == Bool && n.text == "true" }

// Len returns how many items or entries n has.
func (n *Node) Len() int {
	if n == nil {
		return 0
	}
	return len(n.kids)
}

// Get returns the value of a key of a Map; nil where there is none.
func (n *Node) Get(key string) *Node {
	if n.Kind() != Map {
		return nil
	}
	if n.more != nil && n.more.byKey != nil {
		return n.more.byKey[key]
	}
	for _, kid := range n.kids {
		if kid.key == key {
			return kid
		}
	}
	return nil
}

// Has says whether a Map has a key.
func (n *Node) Has(key string) bool { return n.Get(key) != nil }

// At returns the i-th item of a List or value of a Map; nil out of range.
func (n *Node) At(i int) *Node {
	if i < 0 || i >= n.Len() {
		return nil
	}
	return n.kids[i]
}

// Entries yields keys and values of a Map in source order, and nothing for other kinds.
func (n *Node) Entries() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) {
		if n.Kind() != Map {
			return
		}
		for _, kid := range n.kids {
			if !yield(kid.key, kid) {
				return
			}
		}
	}
}

// Items yields the items of a List, and nothing for other kinds.
func (n *Node) Items() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if n.Kind() != List {
			return
		}
		for _, kid := range n.kids {
			if !yield(kid) {
				return
			}
		}
	}
}

// Key returns the key under which n stands in its map; "" for items and roots.
func (n *Node) Key() string {
	if n == nil {
		return ""
	}
	return n.key
}

// Index returns how many items or entries stand before n in its list or map.
func (n *Node) Index() int {
	if n == nil {
		return 0
	}
	return int(n.index)
}

// Parent returns the list or map that holds n; nil for a root.
func (n *Node) Parent() *Node {
	if n == nil {
		return nil
	}
	return n.origin().parent
}

// Root returns the document that n belongs to.
func (n *Node) Root() *Node {
	for n.Parent() != nil {
		n = n.Parent()
	}
	return n.origin()
}

// File returns the name of the file that holds n.
func (n *Node) File() string {
	if n == nil {
		return ""
	}
	return n.doc.name
}

// Pointer returns where n lies in its document, as the fragment of RFC 6901 without
// percent encoding: "#/paths/~1pets/get".
func (n *Node) Pointer() string {
	if n == nil {
		return ""
	}
	n = n.origin()
	size := 1
	for p := n; p.parent != nil; p = p.parent {
		size += len(p.key) + 5
	}
	return string(n.appendPointer(make([]byte, 0, size)))
}

func (n *Node) appendPointer(b []byte) []byte {
	if n.parent == nil {
		return append(b, '#')
	}
	b = append(n.parent.appendPointer(b), '/')
	if n.parent.kind == List {
		return strconv.AppendInt(b, int64(n.index), 10)
	}
	return append(b, Escape(n.key)...)
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

// Escape returns a key as a token of a JSON pointer (RFC 6901 section 3).
func Escape(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return escaper.Replace(key)
}

// Span returns the smallest text that shows n: a scalar itself; the key of a list or map
// that has one, since the whole would be pages.
func (n *Node) Span() contract.Span {
	if n == nil {
		return contract.Span{}
	}
	if n.kind >= List && n.at.line > 0 {
		return n.span(n.at)
	}
	return n.span(n.pos)
}

// KeySpan returns where the key of n was written, or Span where n has none.
func (n *Node) KeySpan() contract.Span {
	if n == nil || n.at.line == 0 {
		return n.Span()
	}
	return n.span(n.at)
}

// FileSize returns how many bytes the file that holds n has.
func (n *Node) FileSize() int {
	if n == nil {
		return 0
	}
	return n.doc.size
}

func (n *Node) span(e extent) contract.Span {
	return contract.Span{File: n.doc.name, Line: int(e.line), Col: int(e.col),
		EndLine: int(e.endLine), EndCol: int(e.endCol), Path: n.Pointer()}
}

// hold makes kids the content of n, in order, and sees to the index.
func (n *Node) hold(kids []*Node) {
	n.kids = kids
	for i, kid := range kids {
		kid.parent, kid.index = n, int32(i)
	}
	n.indexKeys()
}

// indexKeys indexes the keys of a map that has many.
func (n *Node) indexKeys() {
	if n.more != nil {
		n.more.byKey = nil
	}
	if n.kind != Map || len(n.kids) < manyKeys {
		return
	}
	if n.more == nil {
		n.more = &more{}
	}
	n.more.byKey = make(map[string]*Node, len(n.kids))
	for _, kid := range n.kids {
		n.more.byKey[kid.key] = kid
	}
}
