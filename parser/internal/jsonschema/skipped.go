package jsonschema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// skipped counts what is not checked of one kind. It is reported once, at its first
// place: a document repeats its habits hundreds of times.
type skipped struct {
	severity diag.Severity
	at       contract.Span
	seen     map[*node.Node]bool
}

// unchecked are the keywords that the model cannot hold.
var unchecked = []string{"$recursiveRef"}

func (r *Reader) noteSkipped(v *view) {
	for _, p := range v.parts {
		for _, keyword := range unchecked {
			if n := p.Get(keyword); n != nil {
				r.skip(keyword, n, diag.Warning)
			}
		}
	}
}

// noteDynamic notes a $dynamicRef that may lead to another anchor than it does for us.
func (r *Reader) noteDynamic(n *node.Node) {
	if n.DynamicallyMany() {
		r.skip("the choice of a $dynamicRef between several anchors", n.Get("$dynamicRef"), diag.Warning)
	}
}

func (r *Reader) skip(kind string, n *node.Node, s diag.Severity) {
	k := r.skipped[kind]
	if k == nil {
		k = &skipped{severity: s, at: n.KeySpan(), seen: map[*node.Node]bool{}}
		r.skipped[kind] = k
	}
	k.seen[n] = true
}

// tellSkipped reports what was not checked, by name.
func (r *Reader) tellSkipped() {
	for _, kind := range slices.Sorted(maps.Keys(r.skipped)) {
		k := r.skipped[kind]
		more := ""
		if n := len(k.seen) - 1; n == 1 {
			more = ", here and in another place"
		} else if n > 1 {
			more = fmt.Sprintf(", here and in %d other places", n)
		}
		d := r.diags.Warnf("not-checked", k.at, "%s is not checked%s", kind, more)
		d.Severity = k.severity
	}
}
