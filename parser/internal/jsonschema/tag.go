package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// tag finds what tells the variants of u apart: a discriminator where there is one, or
// else a property whose constants differ between all variants.
func (r *Reader) tag(v *view, u *contract.Union, choices [][]*node.Node) {
	members := make([]*node.Node, len(choices))
	for i, c := range choices {
		members[i] = c[len(c)-1]
	}
	if d := v.first("discriminator"); d != nil {
		if name, mapping, ok := r.discriminator(d); ok {
			u.Tag = name
			r.tagByMapping(u, members, mapping, d)
			return
		}
	}
	r.tagByConstants(u, members)
}

// discriminator reads OpenAPI's object or AsyncAPI's bare name.
func (r *Reader) discriminator(d *node.Node) (name string, mapping *node.Node, ok bool) {
	if !node.Expect(r.diags, d, "discriminator", node.Map, node.String) {
		return "", nil, false
	}
	if name, ok = d.Str(); ok {
		return name, nil, true
	}
	property := d.Get("propertyName")
	if property == nil {
		r.diags.Errorf("missing-field", d.Span(), "the discriminator does not name its property").Help = "add propertyName"
		return "", nil, false
	}
	if !node.Expect(r.diags, property, "propertyName", node.String) {
		return "", nil, false
	}
	mapping = d.Get("mapping")
	if !node.Expect(r.diags, mapping, "mapping", node.Map) {
		mapping = nil
	}
	return property.Text(), mapping, true
}

func (r *Reader) tagByMapping(u *contract.Union, members []*node.Node, mapping, d *node.Node) {
	targets := make([]*node.Node, len(members))
	for i, m := range members {
		targets[i] = r.target(m)
	}
	for value, ref := range mapping.Entries() {
		if !node.Expect(r.diags, ref, "a schema of mapping", node.String) {
			continue
		}
		i := slices.Index(targets, r.mapped(ref))
		if i < 0 || targets[i] == nil {
			r.diags.Warnf("discriminator-mapping", ref.Span(), "the value %s selects %s, which is none of the alternatives",
				strconv.Quote(value), ref.Text())
			continue
		}
		u.Variants[i].Tags = append(u.Variants[i].Tags, value)
	}
	for i, x := range u.Variants {
		if len(x.Tags) > 0 {
			continue
		}
		x.Tags = r.constants(members[i], u.Tag)
		if holder := r.sole(members[i]); len(x.Tags) == 0 && holder != nil {
			text, _ := holder.Ref()
			x.Tags = []string{refName(text)}
		}
		if len(x.Tags) == 0 {
			r.diags.Warnf("discriminator-mapping", x.Span, "no value of %s selects this alternative", strconv.Quote(u.Tag)).
				Help = "give the property a const, or make the alternative a named schema"
		}
	}
}

// mapped returns the schema that a mapping names: by reference, or by its bare name.
func (r *Reader) mapped(ref *node.Node) *node.Node {
	text := ref.Text()
	if n := r.loader.Lookup(ref, "#/components/schemas/"+node.Escape(text)); n != nil {
		return n
	}
	if n := r.loader.Lookup(ref, text); n != nil && text != "" {
		return n
	}
	return nil
}

func (r *Reader) tagByConstants(u *contract.Union, members []*node.Node) {
	if len(members) == 0 {
		return
	}
	first := r.viewOf(members[0])
	names, _ := r.properties(first)
	for _, name := range names {
		tags := make([][]string, len(members))
		seen := map[string]bool{}
		ok := true
		for i, m := range members {
			tags[i] = r.constants(m, name)
			ok = ok && len(tags[i]) > 0
			for _, tag := range tags[i] {
				ok = ok && !seen[tag]
				seen[tag] = true
			}
			if !ok {
				break
			}
		}
		if !ok {
			continue
		}
		u.Tag = name
		for i, x := range u.Variants {
			x.Tags = tags[i]
		}
		return
	}
}

// constants returns the texts that member allows for a property that it requires; none
// where it allows all.
func (r *Reader) constants(member *node.Node, property string) []string {
	v := r.viewOf(member)
	required := false
	for _, list := range v.every("required") {
		for item := range list.Items() {
			required = required || item.Text() == property
		}
	}
	if !required || v.has("oneOf", "anyOf") {
		return nil
	}
	var nodes []*node.Node
	for _, p := range v.every("properties") {
		if n := p.Get(property); n != nil {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil
	}
	return r.strings(r.viewOf(nodes...))
}

// refName returns the last word of a reference: "Cat" of "#/components/schemas/Cat".
func refName(ref string) string {
	file, fragment, _ := strings.Cut(ref, "#")
	if fragment == "" {
		fragment = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".json"), ".yaml"), ".yml")
	}
	name := fragment[strings.LastIndexByte(fragment, '/')+1:]
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}
