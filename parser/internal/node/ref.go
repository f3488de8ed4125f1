package node

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// maxChain is how many references may lead to one another.
const maxChain = 100

// Ref returns the text of n's $ref and the node that holds it; nil where n has none. A
// $dynamicRef (JSON Schema 2020-12 section 8.2.3.2) is taken for a $ref: it leads where it
// would if nothing overrode its anchor.
func (n *Node) Ref() (string, *Node) {
	ref := n.Get("$ref")
	if ref == nil {
		ref = n.Get("$dynamicRef")
	}
	text, ok := ref.Str()
	if !ok {
		return "", nil
	}
	return text, ref
}

// Resolve follows the $ref of n, and that of its target, until it meets a node without
// one. It returns n itself where n has none, and nil, after a diagnostic, where a target
// is missing or the references lead in a circle.
func (l *Loader) Resolve(n *Node) *Node {
	first := n
	for range maxChain {
		if _, ref := n.Ref(); ref == nil {
			return n
		}
		if n = l.Target(n); n == nil {
			return nil
		}
	}
	_, ref := first.Ref()
	if !l.told[ref] {
		l.told[ref] = true
		l.diags.Errorf("reference-loop", ref.Span(), "the reference leads only to other references, in a circle")
	}
	return nil
}

// Target follows the $ref of n by one step. It returns nil, after a diagnostic at the
// reference, where there is no target, and nil for nodes without a $ref.
func (l *Loader) Target(n *Node) *Node {
	text, ref := n.Ref()
	if ref == nil {
		return nil
	}
	if n.more != nil && n.more.target != nil {
		return n.more.target
	}
	target, code, why := l.find(n, text, ref)
	if target == nil && !l.told[ref] {
		l.told[ref] = true
		d := l.diags.Errorf(code, ref.Span(), "%s", why)
		if code == "remote-reference" {
			d.Help = "download the file and refer to the copy; nothing is fetched from the network"
		}
	}
	return target
}

// Lookup returns what the text of a reference, seen from n, points at; nil, without a
// diagnostic, where there is nothing. No file is read for it.
func (l *Loader) Lookup(n *Node, text string) *Node {
	if target := l.named(n, text); target != nil {
		return target
	}
	file, fragment, _ := strings.Cut(text, "#")
	root := n.Root()
	if file != "" {
		name, ok := l.fileOf(n, file)
		if !ok {
			return nil
		}
		root = l.files[path.Clean(name)]
	}
	return findFragment(root, fragment)
}

func (l *Loader) find(n *Node, text string, ref *Node) (target *Node, code, why string) {
	if target = l.named(n, text); target != nil {
		return target, "", ""
	}
	file, fragment, _ := strings.Cut(text, "#")
	root := n.Root()
	if file != "" {
		name, ok := l.fileOf(n, file)
		if !ok {
			return nil, "remote-reference", "the reference points to another host: " + text
		}
		before := len(*l.diags)
		if root = l.load(name, ref.Span()); root == nil {
			if len(*l.diags) > before {
				l.told[ref] = true
			}
			return nil, "broken-reference", "the reference points to " + name + ", which cannot be read"
		}
	}
	if target = findFragment(root, fragment); target == nil {
		return nil, "broken-reference", "the reference points to " + quoteRef(fragment) + ", which " + root.File() + " does not hold"
	}
	return target, "", ""
}

func quoteRef(fragment string) string { return strconv.Quote("#" + fragment) }

// isRemote says whether a reference has a scheme. A drive letter of Windows is none.
func isRemote(text string) bool {
	i := strings.IndexByte(text, ':')
	return i > 1 && !strings.ContainsAny(text[:i], "/#?.")
}

// findFragment resolves a JSON pointer (RFC 6901), percent encoded or not, or an anchor.
func findFragment(root *Node, fragment string) *Node {
	if fragment == "" || root == nil {
		return root
	}
	if !strings.HasPrefix(fragment, "/") {
		return root.Root().identities().anywhere[fragment]
	}
	if n := walk(root, fragment); n != nil {
		return n
	}
	if decoded, err := url.PathUnescape(fragment); err == nil {
		return walk(root, decoded)
	}
	return nil
}

func walk(n *Node, pointer string) *Node {
	for token := range strings.SplitSeq(pointer[1:], "/") {
		if strings.Contains(token, "~") {
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		}
		switch n.Kind() {
		case Map:
			n = n.Get(token)
		case List:
			i, err := strconv.Atoi(token)
			if err != nil {
				return nil
			}
			n = n.At(i)
		default:
			return nil
		}
	}
	return n
}
