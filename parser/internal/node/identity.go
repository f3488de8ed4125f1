package node

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// identities are the names that parts of a document give themselves: its own by $self
// (OpenAPI 3.2), those of schemas by $id, $anchor and $dynamicAnchor (JSON Schema 2020-12
// section 8.2), and draft 4's id where it is an anchor.
type identities struct {
	self     *url.URL         // nil where the document has none
	byURI    map[string]*Node // by absolute or relative URI, "#anchor" included
	anywhere map[string]*Node // anchors by their bare names, whatever schema they are in
	dynamic  map[string]int   // how often a $dynamicAnchor is there
	based    map[*Node]*url.URL
}

// identities returns the names in n's document, which must be its root, read once.
func (n *Node) identities() *identities {
	if n == nil {
		return &identities{}
	}
	if n.doc.names == nil {
		ids := &identities{byURI: map[string]*Node{}, anywhere: map[string]*Node{}, dynamic: map[string]int{}, based: map[*Node]*url.URL{}}
		n.doc.names = ids
		base := &url.URL{}
		if text, ok := n.Get("$self").Str(); ok {
			if u, err := url.Parse(text); err == nil {
				ids.self, base = u, u
			}
		}
		ids.collect(n, base)
	}
	return n.doc.names
}

// collect notes the names at and below n, where base is what relative ones are relative to.
func (ids *identities) collect(n *Node, base *url.URL) {
	if n.kind == Map {
		base = ids.note(n, base)
	}
	for _, kid := range n.kids {
		if kid.kind >= List {
			ids.collect(kid, base)
		}
	}
}

func (ids *identities) note(n *Node, base *url.URL) *url.URL {
	if text, ok := n.Get("$id").Str(); ok {
		if u, err := base.Parse(text); err == nil {
			u.Fragment = ""
			ids.byURI[u.String()] = n
			ids.byURI[strings.TrimSuffix(text, "#")] = n
			ids.based[n], base = u, u
		}
	}
	if text, ok := n.Get("id").Str(); ok && strings.HasPrefix(text, "#") {
		ids.anywhere[text[1:]] = n
	}
	for _, keyword := range [...]string{"$anchor", "$dynamicAnchor"} {
		if name, ok := n.Get(keyword).Str(); ok {
			ids.anywhere[name] = n
			ids.byURI[base.String()+"#"+name] = n
			if keyword == "$dynamicAnchor" {
				ids.dynamic[name]++
			}
		}
	}
	return base
}

// named returns what a reference leads to by the names that schemas and documents give
// themselves; nil where none of them fits.
func (l *Loader) named(n *Node, text string) *Node {
	ids := n.Root().identities()
	base, inside := ids.baseOf(n)
	if inside == nil && !strings.ContainsAny(text, ":") && len(ids.based) == 0 && ids.self == nil {
		return nil // as in nearly all documents: nothing has a name of its own
	}
	u, err := base.Parse(text)
	if err != nil {
		return nil
	}
	fragment := u.Fragment
	u.Fragment, u.RawFragment = "", ""
	if inside != nil && u.String() == base.String() && strings.HasPrefix(fragment, "/") {
		return walk(inside, fragment) // or else in the document, which many mean
	}
	if target := ids.lookup(u.String(), fragment, n.Root()); target != nil {
		return target
	}
	return l.elsewhere(u, fragment, n.Root())
}

// elsewhere looks for a name in all files that have been read, in the order of their names.
func (l *Loader) elsewhere(u *url.URL, fragment string, except *Node) *Node {
	if !u.IsAbs() {
		return nil
	}
	for _, name := range l.Files() {
		if root := l.files[name]; root != except {
			if target := root.identities().lookup(u.String(), fragment, root); target != nil {
				return target
			}
		}
	}
	return nil
}

// baseOf returns what references in n are relative to, by the nearest $id around it, and
// the schema that has it; the document's $self and nil where there is none.
func (ids *identities) baseOf(n *Node) (base *url.URL, inside *Node) {
	if len(ids.based) > 0 {
		for p := n; p != nil; p = p.Parent() {
			if u := ids.based[p]; u != nil {
				return u, p
			}
		}
	}
	if ids.self != nil {
		return ids.self, nil
	}
	return &url.URL{}, nil
}

func (ids *identities) lookup(uri, fragment string, root *Node) *Node {
	if fragment != "" && !strings.HasPrefix(fragment, "/") {
		return ids.byURI[uri+"#"+fragment]
	}
	target := ids.byURI[uri]
	if target == nil && uri != "" && ids.self != nil && ids.self.String() == uri {
		target = root
	}
	if target == nil || fragment == "" {
		return target
	}
	return findFragment(target, fragment)
}

// Plain says whether all files that were read lie on this host and no reference needs a
// name that a schema or a document gives itself: what other readers of documents can follow.
func (l *Loader) Plain() bool {
	for name, root := range l.files {
		if ids := root.identities(); isRemote(name) || ids.self != nil || len(ids.based) > 0 || len(ids.dynamic) > 0 {
			return false
		}
	}
	return true
}

// DynamicallyMany says whether the anchor that a $dynamicRef at n names is there more than
// once in its document, so that where it leads depends on the way to it.
func (n *Node) DynamicallyMany() bool {
	text, ok := n.Get("$dynamicRef").Str()
	_, name, found := strings.Cut(text, "#")
	return ok && found && n.Root().identities().dynamic[name] > 1
}

// fileOf returns the name of the file that a reference in n means; false where it lies on
// another host that must not be asked. A document that says its own address by $self has
// the files beside it at that address beside it here, too.
func (l *Loader) fileOf(n *Node, file string) (string, bool) {
	from := n.Root().File()
	if isRemote(file) {
		if name, ok := besideSelf(n, file); ok {
			return path.Join(path.Dir(from), name), true
		}
		return file, l.mayFetch(file)
	}
	if isRemote(from) {
		base, err := url.Parse(from)
		if err != nil {
			return "", false
		}
		u, err := base.Parse(file)
		if err != nil {
			return "", false
		}
		return u.String(), l.mayFetch(u.String())
	}
	if name, err := url.PathUnescape(file); err == nil {
		file = name
	}
	if path.IsAbs(file) {
		return path.Clean(file), true
	}
	return path.Join(path.Dir(from), file), true
}

// besideSelf returns the path of a URL relative to the folder of the document's $self;
// false where it lies outside of it.
func besideSelf(n *Node, address string) (string, bool) {
	self := n.Root().identities().self
	if self == nil || !self.IsAbs() {
		return "", false
	}
	folder, err := self.Parse("./")
	if err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(address, folder.String())
	if !ok || rest == "" || slices.Contains(strings.Split(rest, "/"), "..") {
		return "", false
	}
	return rest, true
}
