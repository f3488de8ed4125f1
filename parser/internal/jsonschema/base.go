package jsonschema

import (
	"slices"
	"strconv"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// byDiscriminator reads a schema that maps a discriminator to others without listing
// them under oneOf: it stands for whichever of them is meant. Those that build on it by
// allOf see its properties alone.
func (r *Reader) byDiscriminator(n *node.Node) contract.Schema {
	d := n.Get("discriminator")
	if d == nil || n.Has("oneOf") || n.Has("anyOf") {
		return nil
	}
	name, mapping, ok := r.discriminator(d)
	if !ok {
		return nil
	}
	if mapping.Len() == 0 {
		if u := r.family(n, name, d); u != nil {
			return u
		}
		if d.Kind() == node.String {
			return nil // Swagger 2 and AsyncAPI, where it is a habit
		}
		r.diags.Warnf("discriminator-without-mapping", d.Span(), "the discriminator selects no schema: there is neither oneOf nor mapping, and no schema builds on this one").
			Help = "list the alternatives under oneOf"
		return nil
	}
	u := &contract.Union{Tag: name, Span: d.Span()}
	byTarget := map[*node.Node]*contract.Variant{}
	for value, ref := range mapping.Entries() {
		target := r.mapped(ref)
		if target == nil {
			r.diags.Errorf("broken-reference", ref.Span(), "the value %s selects %s, which is not there", strconv.Quote(value), strconv.Quote(ref.Text()))
			continue
		}
		x := byTarget[target]
		if x == nil {
			x = &contract.Variant{Span: ref.Span(), Name: refName(ref.Text())}
			x.Schema = r.alternative(n, target)
			byTarget[target] = x
			u.Variants = append(u.Variants, x)
		}
		x.Tags = append(x.Tags, value)
	}
	if len(u.Variants) == 0 {
		return nil
	}
	return u
}

// alternative is the schema at target, or, where that is the base n itself, the object
// that n describes.
func (r *Reader) alternative(n, target *node.Node) contract.Schema {
	if target == n {
		return r.inline(n)
	}
	return &contract.Ref{Type: r.Declare(r.nameOf(target), target)}
}

// family reads a schema with a discriminator that names nobody: it stands for itself and
// for all declared schemas that build on it by allOf, however far, each selected by its
// name (OpenAPI 3.0 "Discriminator Object"; Swagger 2.0 "Models with Polymorphism
// Support"). It is nil where there are none.
func (r *Reader) family(n *node.Node, tag string, d *node.Node) contract.Schema {
	if r.types[n] == nil {
		return nil
	}
	members := []*node.Node{n}
	for i := 0; i < len(members); i++ {
		members = append(members, r.heirs(members[i], members)...)
	}
	if len(members) == 1 {
		return nil
	}
	u := &contract.Union{Tag: tag, Span: d.Span()}
	for _, m := range members {
		t := r.types[m]
		x := &contract.Variant{Name: t.Name, Tags: r.ownTags(m, tag), Span: t.Span}
		if m == n || r.isBase(m) {
			x.Schema = r.inline(m)
		} else {
			x.Schema = &contract.Ref{Type: t}
		}
		if len(x.Tags) == 0 {
			x.Tags = []string{t.Name}
		}
		u.Variants = append(u.Variants, x)
	}
	return u
}

// bareHeir says whether the declared schema n builds by allOf, at holder, on one with a
// discriminator and adds nothing: it is one of those that the base stands for, with the
// base's properties, and not the base under another name.
func (r *Reader) bareHeir(n, holder *node.Node) bool {
	if holder == n || r.types[n] == nil {
		return false
	}
	base := r.loader.Target(holder)
	return base.Has("discriminator") && !base.Has("oneOf") && !base.Has("anyOf")
}

// isBase says whether a member of a family is the base of one itself, so that its type is
// a union, too.
func (r *Reader) isBase(n *node.Node) bool {
	return n.Has("discriminator") && len(r.heirs(n, nil)) > 0
}

// heirs returns the declared schemas whose allOf names n, in their order, but none of known.
func (r *Reader) heirs(n *node.Node, known []*node.Node) []*node.Node {
	if r.children == nil {
		r.children = map[*node.Node][]*node.Node{}
		for _, child := range r.declared {
			for member := range child.Get("allOf").Items() {
				if text, ref := member.Ref(); ref != nil {
					base := r.loader.Lookup(member, text)
					r.children[base] = append(r.children[base], child)
				}
			}
		}
	}
	var heirs []*node.Node
	for _, child := range r.children[n] {
		if !slices.Contains(known, child) && !slices.Contains(heirs, child) {
			heirs = append(heirs, child)
		}
	}
	return heirs
}

// ownTags returns the values of a discriminator that a schema gives itself: by an
// extension, or as constants of the property that its base does not have.
func (r *Reader) ownTags(n *node.Node, tag string) []string {
	if text, ok := n.Get("x-ms-discriminator-value").Str(); ok {
		return []string{text}
	}
	for _, p := range append([]*node.Node{n}, slices.Collect(n.Get("allOf").Items())...) {
		if _, ref := p.Ref(); ref != nil {
			continue
		}
		if own := p.Get("properties").Get(tag); own != nil {
			return r.strings(r.viewOf(own))
		}
	}
	return nil
}
