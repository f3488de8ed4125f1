package generator

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// element is the schema of every element of a list. Positions that are all scalars of one
// kind make a list like any other, whose positions' own rules are asserted; where they
// differ, uniform is false and the list is a struct.
func (p *pass) element(l *contract.List) (elem contract.Schema, uniform bool) {
	if len(l.Prefix) == 0 {
		return orAny(l.Elem), true
	}
	first, ok := contract.Resolve(l.Prefix[0]).(*contract.Scalar)
	if !ok {
		return nil, false
	}
	all := l.Prefix
	if _, open := l.Elem.(*contract.Any); l.Elem != nil && !open {
		all = append(all[:len(all):len(all)], l.Elem)
	} else if open && (l.Rules.MaxLen == nil || *l.Rules.MaxLen > len(l.Prefix)) {
		return nil, false // anything may follow
	}
	for _, s := range all {
		sc, ok := contract.Resolve(s).(*contract.Scalar)
		if !ok || sc.Kind != first.Kind || sc.Kind == contract.Null || sc.Const != nil || !sc.Rules.IsZero() || sc.Format != first.Format {
			return nil, false
		}
	}
	return &contract.Scalar{Kind: first.Kind, Format: first.Format}, true
}

// listRules are the rules of a list. One without a schema for more elements ends with its
// positions.
func listRules(l *contract.List) *contract.Rules {
	rules := l.Rules
	if n := len(l.Prefix); l.Elem == nil && (rules.MaxLen == nil || *rules.MaxLen > n) {
		rules.MaxLen = &n
	}
	return &rules
}

// newTuple places the struct of a list whose positions differ.
func (p *pass) newTuple(name string) (*golang.Struct, *golang.Table) {
	st, tab := p.newStruct(name)
	tab.Kind = "Tuple"
	return st, tab
}

func tupleHeld(st *golang.Struct, tab *golang.Table) *held {
	h := structHeld(st, tab)
	h.kind, h.base = "Tuple", "List"
	return h
}

// positions gives the struct of a list a field for each position, and one for what
// follows them. Positions that minItems does not ask for are optional.
func (p *pass) positions(l *contract.List, st *golang.Struct, tab *golang.Table) {
	names, least := fieldScope(), 0
	if l.Rules.MinLen != nil {
		least = *l.Rules.MinLen
	}
	for i, s := range l.Prefix {
		if i < least {
			tab.Required++
		}
		if c, ok := constOf(s); ok {
			f := constant("", c, i < least)
			f.Position = true
			tab.Fields = append(tab.Fields, f)
			continue
		}
		name := names.name(positionName(l, i), "Item")
		_, null := p.normal(s)
		f := &contract.Field{Name: "item " + strconv.Itoa(i), Schema: s, Required: i < least, Nullable: null || nullable(l, i)}
		g, line := p.member(f, name, p.hold(s, st.Name+name), st.Name)
		line.Position = true
		st.Fields = append(st.Fields, g)
		tab.Fields = append(tab.Fields, line)
	}
	p.following(l, names, st, tab)
	tab.Rules = tupleRule(l)
}

func nullable(l *contract.List, i int) bool { return i < len(l.NullPrefix) && l.NullPrefix[i] }

// following is the field of the items behind the positions.
func (p *pass) following(l *contract.List, names *scope, st *golang.Struct, tab *golang.Table) {
	if tab.Closed = l.Elem == nil; tab.Closed || l.Rules.MaxLen != nil && *l.Rules.MaxLen <= len(l.Prefix) {
		return
	}
	name := names.name("Rest", "Items")
	h := p.listOf(p.hold(l.Elem, st.Name+"Item").orNull(l.NullElem), nil)
	st.Fields = append(st.Fields, &golang.Field{Name: name, Type: h.ref, Comment: "what follows"})
	tab.Extra, tab.ExtraOf = spelled(h.table), name
}

// tupleRule asserts what positions do not say: how many items there are in all, and that
// they differ.
func tupleRule(l *contract.List) *golang.Rule {
	var says []string
	if n := l.Rules.MinLen; n != nil && *n > len(l.Prefix) {
		says = append(says, fmt.Sprintf(`"minItems":%d`, *n))
	}
	if n := l.Rules.MaxLen; n != nil {
		says = append(says, fmt.Sprintf(`"maxItems":%d`, *n))
	}
	if l.Rules.Unique {
		says = append(says, `"uniqueItems":true`)
	}
	if also := also(l.Rules.Also); also != "" {
		says = append(says, `"allOf":[`+also+`]`)
	}
	if len(says) == 0 {
		return nil
	}
	return &golang.Rule{Also: "{" + strings.Join(says, ",") + "}"}
}

var ordinals = []string{"First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"}

// positionName is what the field of a position is called: by the type it refers to, or by
// its number.
func positionName(l *contract.List, i int) string {
	if i < len(l.PrefixNames) && l.PrefixNames[i] != "" {
		return exported(l.PrefixNames[i])
	}
	if r, ok := l.Prefix[i].(*contract.Ref); ok {
		return exported(r.Type.Name)
	}
	if i < len(ordinals) {
		return ordinals[i]
	}
	return "Item" + strconv.Itoa(i+1)
}
