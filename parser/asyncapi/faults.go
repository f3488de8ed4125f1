package asyncapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	official "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// leaves returns the causes of e that a person would name. Of alternatives, those of the
// one that was meant.
func leaves(e *official.ValidationError) []*official.ValidationError {
	switch k := e.ErrorKind.(type) {
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			// Several alternatives accept it. The official schemas overlap, most of all for
			// references (2.0 to 2.4, and Kafka's key): that is their fault, not the document's.
			return nil
		}
		return meant(e)
	case *kind.AnyOf:
		return meant(e)
	}
	if len(e.Causes) == 0 {
		return []*official.ValidationError{e}
	}
	var out []*official.ValidationError
	for _, c := range e.Causes {
		out = append(out, leaves(c)...)
	}
	return out
}

// meant returns the leaves of the alternative that fits best: one that is not ruled out by
// a missing $ref or a wrong constant if there is any, then one that is for values of this
// kind, then the one that fails deepest in the document, then the one with the fewest
// faults.
func meant(e *official.ValidationError) []*official.ValidationError {
	var best []*official.ValidationError
	var score [3]int
	for _, c := range e.Causes {
		found := leaves(c)
		if len(found) == 0 {
			return nil
		}
		s := [3]int{0, shallowest(found), -len(found)}
		switch {
		case slices.ContainsFunc(found, func(f *official.ValidationError) bool { return otherKind(f, e) }):
		case slices.ContainsFunc(found, rulesOut):
			s[0] = 1
		default:
			s[0] = 2
		}
		switch {
		case best == nil || slices.Compare(s[:], score[:]) > 0:
			best, score = found, s
		case s == score:
			best = widened(best, found)
		}
	}
	return best
}

// rulesOut says whether a fault means that another alternative was in mind.
func rulesOut(e *official.ValidationError) bool {
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return slices.Contains(k.Missing, "$ref")
	case *kind.Enum, *kind.Const:
		return true
	}
	return false
}

// otherKind says whether leaf means that the value of which e offers alternatives is of
// another kind than this one is for.
func otherKind(leaf, e *official.ValidationError) bool {
	_, wrong := leaf.ErrorKind.(*kind.Type)
	return wrong && len(leaf.InstanceLocation) == len(e.InstanceLocation)
}

func shallowest(all []*official.ValidationError) int {
	depth := len(all[0].InstanceLocation)
	for _, e := range all {
		depth = min(depth, len(e.InstanceLocation))
	}
	return depth
}

// widened joins two alternatives that each allow other values at one place.
func widened(a, b []*official.ValidationError) []*official.ValidationError {
	if len(a) != 1 || len(b) != 1 || !slices.Equal(a[0].InstanceLocation, b[0].InstanceLocation) {
		return a
	}
	wa, oka := allowed(a[0])
	wb, okb := allowed(b[0])
	if !oka || !okb {
		return a
	}
	both := *a[0]
	both.ErrorKind = &kind.Enum{Want: append(slices.Clone(wa), wb...)}
	return []*official.ValidationError{&both}
}

// allowed returns the values that e would have accepted.
func allowed(e *official.ValidationError) ([]any, bool) {
	switch k := e.ErrorKind.(type) {
	case *kind.Enum:
		return k.Want, true
	case *kind.Const:
		return []any{k.Want}, true
	}
	return nil, false
}

// explain turns one cause into findings at the smallest text that shows it.
func (r *reader) explain(e *official.ValidationError, ds *diag.List) {
	n := locate(r.root, e.InstanceLocation)
	say := ds.Errorf
	if tolerable(e.InstanceLocation) {
		say = ds.Warnf
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, key := range k.Missing {
			say("missing-field", n.Span(), "%s lacks the field %s", name(n), strconv.Quote(key))
		}
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			d := ds.Warnf("unknown-field", n.Get(key).KeySpan(), "%s has no field %s in AsyncAPI %s", name(n), strconv.Quote(key), r.version)
			d.Help = suggestion(key)
		}
	case *kind.FalseSchema:
		ds.Warnf("unknown-field", n.KeySpan(), "%s is not allowed here in AsyncAPI %s", name(n), r.version)
	case *kind.PropertyNames:
		say("schema-violation", n.Get(k.Property).KeySpan(), "%s is not allowed as a key of %s", strconv.Quote(k.Property), name(n))
	case *kind.Type:
		say("wrong-kind", n.Span(), "%s must be %s, not %s", name(n), kinds(k.Want), n.Kind())
	case *kind.Enum:
		say("unknown-value", n.Span(), "%s must be one of %s, not %s", name(n), list(k.Want), quote(n))
	case *kind.Const:
		say("unknown-value", n.Span(), "%s must be %s, not %s", name(n), list([]any{k.Want}), quote(n))
	case *kind.Pattern:
		say("schema-violation", n.Span(), "%s must match %s, unlike %s", name(n), k.Want, quote(n))
	case *kind.Format:
		say("schema-violation", n.Span(), "%s must be a %s, unlike %s", name(n), k.Want, quote(n))
	default:
		say("schema-violation", n.Span(), "%s breaks the rule %s of the official schema", name(n), rule(e))
	}
}

// locate finds the node that a path of keys and indices leads to, or the last on the way.
func locate(n *node.Node, path []string) *node.Node {
	for _, token := range path {
		next := n.Get(token)
		if n.Kind() == node.List {
			i, _ := strconv.Atoi(token)
			next = n.At(i)
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// tolerable says whether a fault at path leaves code as it would be: in what describes,
// shows, or tunes one protocol alone.
func tolerable(path []string) bool {
	for i, key := range path {
		switch key {
		case "bindings", "examples", "tags", "externalDocs", "contact", "license", "termsOfService",
			"operationBindings", "channelBindings", "messageBindings", "serverBindings":
			return true
		case "id":
			if i == 0 {
				return true
			}
		}
		if strings.HasPrefix(key, "x-") {
			return true
		}
	}
	return false
}

// name says in a message what n is: by its key, by its index, or as the document.
func name(n *node.Node) string {
	switch {
	case n.Parent() == nil:
		return "the document"
	case n.Key() != "":
		return n.Key()
	case n.Parent().Key() != "":
		return "an item of " + n.Parent().Key()
	}
	return "this item"
}

func kinds(want []string) string {
	words := map[string]string{"object": "a map", "array": "a list", "string": "text", "boolean": "a boolean",
		"number": "a number", "integer": "a whole number", "null": "null"}
	var out []string
	for _, w := range want {
		out = append(out, words[w])
	}
	return strings.Join(out, " or ")
}

// list shows the values that are allowed, the first dozen of them.
func list(values []any) string {
	var out []string
	for _, v := range values {
		s := fmt.Sprint(v)
		if slices.Contains(out, s) {
			continue
		}
		if out = append(out, s); len(out) == 12 {
			out = append(out, "…")
			break
		}
	}
	return strings.Join(out, ", ")
}

func rule(e *official.ValidationError) string {
	if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
		return path[len(path)-1]
	}
	return "there"
}
