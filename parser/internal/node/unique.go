package node

import (
	"strconv"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// unique drops entries whose key comes again: as in other readers, the last one counts.
func unique(kids []*Node, diags *diag.List) []*Node {
	first := -1
	if len(kids) < manyKeys {
		for i, a := range kids {
			for _, b := range kids[:i] {
				if a.key == b.key {
					first = i
				}
			}
		}
	} else {
		seen := make(map[string]bool, len(kids))
		for i, kid := range kids {
			if seen[kid.key] {
				first = i
			}
			seen[kid.key] = true
		}
	}
	if first < 0 {
		return kids
	}
	return dropRepeated(kids, diags)
}

func dropRepeated(kids []*Node, diags *diag.List) []*Node {
	place := map[string]int{}
	var kept []*Node
	for _, kid := range kids {
		i, again := place[kid.key]
		if !again {
			place[kid.key] = len(kept)
			kept = append(kept, kid)
			continue
		}
		d := diags.Errorf("duplicate-key", kid.keyPlace(), "the key %s is written twice in one map", strconv.Quote(kid.key))
		d.Related = []diag.Related{{Span: kept[i].keyPlace(), Message: "first written here; the later one counts"}}
		kept[i] = kid
	}
	return kept
}

// keyPlace is KeySpan while the tree above n is not finished, hence without its path.
func (n *Node) keyPlace() contract.Span {
	s := n.KeySpan()
	s.Path = ""
	return s
}
