// Package overlay applies OpenAPI Overlays 1.0 and 1.1 to documents: lists of actions that
// each select values by JSONPath and merge something into them, or remove them. What an
// overlay writes keeps its place in the overlay, so that findings about it point there.
//
// It imports contract/diag, parser/internal/jsonpath, parser/internal/node and the
// standard library.
package overlay

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/jsonpath"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// Apply carries out the actions of overlay in root, in their order. What cannot be carried
// out is added to diags and left out.
func Apply(root, overlay *node.Node, diags *diag.List) {
	if !node.Expect(diags, overlay, "an overlay", node.Map) {
		return
	}
	version(overlay, diags)
	actions := overlay.Get("actions")
	if actions == nil {
		diags.Errorf("missing-field", overlay.Span(), "the overlay has no actions")
	}
	if !node.Expect(diags, actions, "actions", node.List) {
		return
	}
	for a := range actions.Items() {
		if node.Expect(diags, a, "an action", node.Map) {
			act(root, a, diags)
		}
	}
}

func version(overlay *node.Node, diags *diag.List) {
	n := overlay.Get("overlay")
	switch text := n.Text(); {
	case n == nil:
		diags.Errorf("missing-field", overlay.Span(), "the overlay does not say its version").Help = "add a line such as: overlay: 1.0.0"
	case text != "1.0" && text != "1.1" && !strings.HasPrefix(text, "1.0.") && !strings.HasPrefix(text, "1.1."):
		diags.Errorf("unsupported-version", n.Span(), "there is no Overlay version %s that can be read", strconv.Quote(text)).
			Help = "versions 1.0 and 1.1 are read"
	}
	for key, kid := range overlay.Entries() {
		unknown(kid, key, []string{"overlay", "info", "extends", "actions"}, diags)
	}
}

func unknown(n *node.Node, key string, known []string, diags *diag.List) {
	if !slices.Contains(known, key) && !strings.HasPrefix(key, "x-") {
		diags.Warnf("unknown-field", n.KeySpan(), "the field %s means nothing here", strconv.Quote(key))
	}
}

// act carries out one action.
func act(root, a *node.Node, diags *diag.List) {
	for key, kid := range a.Entries() {
		unknown(kid, key, []string{"target", "description", "update", "remove", "copy"}, diags)
	}
	targets, ok := find(root, a, "target", diags)
	if !ok {
		return
	}
	remove, update, from := a.Get("remove"), a.Get("update"), a.Get("copy")
	node.Expect(diags, remove, "remove", node.Bool)
	switch {
	case remove.True():
		for _, n := range targets {
			if !n.Remove() && n == root {
				diags.Errorf("overlay-target", a.Get("target").Span(), "the document itself cannot be removed")
			}
		}
	case update != nil:
		write(targets, update, diags)
	case from != nil:
		sources, ok := find(root, a, "copy", diags)
		if ok && len(sources) != 1 {
			diags.Errorf("overlay-target", from.Span(), "what is copied must be one value; the expression selects %d", len(sources))
		} else if ok {
			write(targets, sources[0], diags)
		}
	case remove == nil:
		diags.Warnf("missing-field", a.Span(), "the action does nothing: it has neither update nor remove")
	}
}

// find selects what the expression in a field of an action means. It is false, after a
// finding, where that is nothing.
func find(root, a *node.Node, field string, diags *diag.List) ([]*node.Node, bool) {
	n := a.Get(field)
	if n == nil {
		diags.Errorf("missing-field", a.Span(), "the action has no %s", field)
		return nil, false
	}
	if !node.Expect(diags, n, field, node.String) {
		return nil, false
	}
	path, err := jsonpath.Parse(n.Text())
	if err != nil {
		diags.Errorf("overlay-target", n.Span(), "this is no JSONPath: %s", err).
			Help = "RFC 9535 describes JSONPath; names that hold slashes are written in brackets: $.paths['/pets'].get"
		return nil, false
	}
	found, err := path.Select(root)
	switch {
	case err != nil:
		diags.Errorf("too-complex", n.Span(), "%s", err)
	case len(found) == 0:
		diags.Warnf("overlay-unused", n.Span(), "the expression selects nothing in %s", root.File()).
			Help = "check names and case; the overlay may be older than the document"
	}
	return found, err == nil && len(found) > 0
}

// maxWritten is how many values all updates of one action may write.
const maxWritten = 2_000_000

// write merges what into every target. A list gets it as its last item, or, where it is a
// list itself, all its items.
func write(targets []*node.Node, what *node.Node, diags *diag.List) {
	if size(what)*len(targets) > maxWritten {
		diags.Errorf("too-complex", what.Span(), "the action writes more than %d values", maxWritten)
		return
	}
	for _, n := range targets {
		if n.Kind() == node.List && what.Kind() != node.List {
			n.Append(what)
		} else {
			n.Merge(what)
		}
	}
}

func size(n *node.Node) int {
	total := 1
	for i := range n.Len() {
		total += size(n.At(i))
	}
	return total
}
