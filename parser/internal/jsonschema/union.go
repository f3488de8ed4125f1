package jsonschema

import (
	"slices"
	"strconv"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// groups returns the oneOf and anyOf lists of v that are still to be read.
func (r *Reader) groups(v *view) []*node.Node {
	var groups []*node.Node
	for _, p := range v.parts {
		for _, keyword := range [...]string{"oneOf", "anyOf"} {
			g := p.Get(keyword)
			if slices.Contains(v.done, g) || !node.Expect(r.diags, g, keyword, node.List) {
				continue
			}
			if g.Len() == 0 {
				r.badKeyword(g, keyword+" lists no schemas")
				continue
			}
			if onlyRequires(g) {
				continue // it is asserted
			}
			groups = append(groups, g)
		}
	}
	return groups
}

// onlyRequires says whether a group merely says which properties must come together. It
// makes no alternatives of the object.
func onlyRequires(group *node.Node) bool {
	for member := range group.Items() {
		for key := range member.Entries() {
			if !neutral(key) && key != "required" && key != "not" {
				return false
			}
		}
		if member.Kind() != node.Map || !member.Has("required") && !member.Has("not") {
			return false
		}
	}
	return true
}

// union multiplies groups out: each variant is v with one member of every group.
func (r *Reader) union(v *view, groups []*node.Node) contract.Schema {
	choices := [][]*node.Node{nil}
	for _, g := range groups {
		var next [][]*node.Node
		for member := range g.Items() {
			if onlyNull(member) {
				continue
			}
			for _, c := range choices {
				next = append(next, append(c[:len(c):len(c)], member))
			}
		}
		if len(next) > maxVariants {
			return r.give(v, "too-complex", "the alternatives multiply to "+strconv.Itoa(len(next)))
		}
		if len(next) > 0 {
			choices = next
		}
	}
	if len(choices) == 1 {
		if len(choices[0]) == 0 {
			return &contract.Scalar{Kind: contract.Null}
		}
		return r.choice(v, groups, choices[0])
	}
	if s := r.oneEnum(v, groups, choices); s != nil {
		also, _ := r.also(v)
		return r.attach(s, also)
	}
	also, parts := r.also(v)
	if also != nil { // the variants need not say it, too
		w := *v
		w.done = slices.Concat(v.done, parts)
		v = &w
	}
	u := &contract.Union{Span: groups[0].KeySpan()}
	for _, c := range choices {
		u.Variants = append(u.Variants, r.variant(v, groups, c))
	}
	r.tag(v, u, choices)
	if s := r.simplify(v, u); s == contract.Schema(u) || also == nil {
		return r.attach(s, also)
	}
	return &contract.Union{Variants: u.Variants[:1], Also: also, Span: u.Span}
}

// choice reads v with the members of one choice; the member alone where v adds nothing,
// so that a reference stays one.
func (r *Reader) choice(v *view, groups, members []*node.Node) contract.Schema {
	if len(members) == 1 && bare(v) {
		return r.Schema(members[0])
	}
	return r.read(r.with(v, groups, members...))
}

// bare says whether v consists of its alternatives, and perhaps the word object.
func bare(v *view) bool {
	for _, p := range v.parts {
		said := slices.Contains(v.done, p)
		for key, n := range p.Entries() {
			switch {
			case said && isAsserted(key):
			case neutral(key), key == "oneOf", key == "anyOf", key == "discriminator", key == "allOf", key == "$ref", key == "$dynamicRef":
			case key == "type" && n.Text() == "object":
			default:
				return false
			}
		}
	}
	return v.only == ""
}

func (r *Reader) variant(v *view, groups, members []*node.Node) *contract.Variant {
	last := members[len(members)-1]
	x := &contract.Variant{Schema: r.choice(v, groups, members), Span: last.Span()}
	if ref, ok := x.Schema.(*contract.Ref); ok {
		x.Name = ref.Type.Name
	} else if title, ok := last.Get("title").Str(); ok {
		x.Name = title
	}
	return x
}

// oneEnum folds alternatives that are all lists of text values into one enum; open where
// one of them is text of any kind, which is how "these and others" is written.
func (r *Reader) oneEnum(v *view, groups []*node.Node, choices [][]*node.Node) contract.Schema {
	e := &contract.Enum{Base: contract.String, Nullable: r.Nullable(v.node)}
	seen := map[string]bool{}
	for _, c := range choices {
		w := r.with(v, groups, c...)
		texts := r.strings(w)
		if texts == nil && isPlainText(w) && !e.Open {
			e.Open = true
			continue
		}
		if texts == nil || w.never {
			return nil
		}
		last := c[len(c)-1]
		for i, text := range texts {
			if seen[text] {
				continue
			}
			seen[text] = true
			value := contract.EnumValue{JSON: node.Quote(text), Span: last.Span()}
			if item := w.first("enum").At(i); item != nil && !w.has("const") {
				value.Span = item.Span()
			} else {
				value.Doc = Doc(last)
			}
			e.Values = append(e.Values, value)
		}
	}
	if len(e.Values) == 0 {
		return nil
	}
	return e
}

func isPlainText(v *view) bool {
	if v.first("type").Text() != "string" || v.has("pattern", "format", "allOf", "const", "enum") {
		return false
	}
	return !slices.ContainsFunc(slices.Concat(v.every("oneOf"), v.every("anyOf")), func(g *node.Node) bool {
		return !slices.Contains(v.done, g)
	})
}

// simplify drops alternatives that say the same. Texts that only differ in form are one
// text: no reader could choose between them.
func (r *Reader) simplify(v *view, u *contract.Union) contract.Schema {
	var kept []*contract.Variant
	for _, x := range u.Variants {
		if open, ok := x.Schema.(*contract.Any); ok && u.Tag == "" && *open == (contract.Any{}) {
			return open // whatever the others say, anything is allowed
		}
		i := slices.IndexFunc(kept, func(k *contract.Variant) bool { return sameShape(k.Schema, x.Schema) })
		switch {
		case i < 0:
			kept = append(kept, x)
		case kept[i].Schema != x.Schema && !isRef(x.Schema):
			r.skip("alternatives that differ only in form", u0(v), diag.Remark)
			kept[i].Schema = plain(kept[i].Schema)
		}
	}
	if len(kept) == 1 {
		return kept[0].Schema
	}
	u.Variants = kept
	return u
}

func u0(v *view) *node.Node {
	if n := v.first("oneOf"); n != nil {
		return n
	}
	return v.first("anyOf")
}

func isRef(s contract.Schema) bool { _, ok := s.(*contract.Ref); return ok }

func sameShape(a, b contract.Schema) bool {
	switch a := a.(type) {
	case *contract.Ref:
		b, ok := b.(*contract.Ref)
		return ok && a.Type == b.Type
	case *contract.Any:
		b, ok := b.(*contract.Any)
		return ok && *a == *b
	case *contract.Scalar:
		b, ok := b.(*contract.Scalar)
		return ok && a.Const == nil && b.Const == nil && kindOf(a.Kind) == kindOf(b.Kind) &&
			(a.Kind == contract.Binary) == (b.Kind == contract.Binary)
	}
	return a == b
}

// plain returns a scalar without its form: what it has in common with others of its kind.
func plain(s contract.Schema) contract.Schema {
	scalar, ok := s.(*contract.Scalar)
	if !ok {
		return s
	}
	switch kindOf(scalar.Kind) {
	case node.Number:
		return &contract.Scalar{Kind: contract.Number}
	case node.Bool:
		return &contract.Scalar{Kind: contract.Bool}
	}
	if scalar.Kind == contract.Binary {
		return scalar
	}
	return &contract.Scalar{Kind: contract.String}
}
