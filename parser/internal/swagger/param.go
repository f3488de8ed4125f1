package swagger

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// keywords are what a 2.0 parameter or header says of its value beside its name.
var keywords = []string{"type", "format", "items", "default", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
	"minLength", "pattern", "maxItems", "minItems", "uniqueItems", "enum", "multipleOf"}

// parameter converts one that is neither body nor form field.
func (c *converter) parameter(n *node.Node) *node.Node {
	if p := c.params[n]; p != nil {
		return p
	}
	p := c.value(n, n.Get("in").Text())
	c.params[n] = p
	return p
}

// value moves what n says of its value under schema, and turns its collectionFormat into
// style and explode.
func (c *converter) value(n *node.Node, in string) *node.Node {
	if n.Has("schema") || !n.Has("type") {
		return n // the reader says what is wrong
	}
	var kids []*node.Node
	for key, kid := range n.Entries() {
		switch {
		case slices.Contains(keywords, key), key == "collectionFormat", key == "x-nullable":
		case key == "allowEmptyValue" && in != "query":
		default:
			kids = append(kids, kid)
		}
	}
	kids = append(kids, c.schema(n))
	kids = append(kids, c.style(n, in)...)
	return node.DeriveMap(n, n.Key(), kids...)
}

// schema makes a schema of the keywords beside a parameter's name.
func (c *converter) schema(n *node.Node) *node.Node {
	var kids []*node.Node
	for key, kid := range n.Entries() {
		switch {
		case key == "items":
			c.inner(kid)
			kids = append(kids, kid)
		case slices.Contains(keywords, key), strings.HasPrefix(key, "x-") && key != "x-example":
			kids = append(kids, kid)
		}
	}
	return node.DeriveMap(n, "schema", kids...)
}

// inner reports lists inside lists, which 2.0 can divide by two characters and 3.0 cannot.
func (c *converter) inner(items *node.Node) {
	if items.Get("type").Text() == "array" {
		c.diags.Warnf("collection-format", items.Span(), "a list inside a list has no form outside JSON in OpenAPI 3")
	}
}

// styles are what collectionFormat is called in 3.0, by place and format.
var styles = map[string]map[string]string{
	"query":    {"csv": "form", "ssv": "spaceDelimited", "pipes": "pipeDelimited", "multi": "form"},
	"formData": {"csv": "form", "ssv": "spaceDelimited", "pipes": "pipeDelimited", "multi": "form"},
	"path":     {"csv": "simple"},
	"header":   {"csv": "simple"},
}

// style turns a list's collectionFormat into style and explode. What 3.0 cannot say is
// taken as divided by commas, with a finding.
func (c *converter) style(n *node.Node, in string) []*node.Node {
	known := styles[in]
	if n.Get("type").Text() != "array" || known == nil {
		return nil
	}
	at, format := n.Get("collectionFormat"), "csv"
	if at == nil {
		at = n
	} else if node.Expect(c.diags, at, "collectionFormat", node.String) {
		format = at.Text()
	}
	style := known[format]
	if style == "" {
		c.diags.Warnf("collection-format", at.Span(), "the collectionFormat %s does not exist in %s of OpenAPI 3; values are divided by commas",
			strconv.Quote(format), in)
		style, format = known["csv"], "csv"
	}
	return []*node.Node{node.DeriveText(at, "style", style), node.DeriveBool(at, "explode", format == "multi")}
}

// requestBody makes one of a body parameter, or of all fields of a form; nil where there
// are neither.
func (c *converter) requestBody(op *node.Node, params []*node.Node) *node.Node {
	var body *node.Node
	var fields []*node.Node
	for _, p := range params {
		switch {
		case p.Get("in").Text() == "formData":
			fields = append(fields, p)
		case body != nil:
			c.diags.Errorf("duplicate-parameter", p.Span(), "the operation has two bodies; the first counts")
		default:
			body = p
		}
	}
	switch {
	case body != nil && len(fields) > 0:
		c.diags.Errorf("duplicate-parameter", fields[0].Span(), "the operation has a body and fields of a form; the body counts").
			Help = "send the fields as properties of the body, or the body as a field"
		fallthrough
	case body != nil:
		return c.body(op, body)
	case len(fields) > 0:
		return c.form(op, fields)
	}
	return nil
}

func (c *converter) body(op, p *node.Node) *node.Node {
	schema := p.Get("schema")
	var media []*node.Node
	for _, m := range c.types(c.media(op, "consumes")) {
		media = append(media, node.DeriveMap(m, m.Text(), schema))
	}
	if len(media) == 0 {
		media = []*node.Node{node.DeriveMap(p, "application/json", schema)}
	}
	return node.DeriveMap(p, "requestBody", p.Get("description"), p.Get("required"), node.DeriveMap(p, "content", media...))
}

const urlencoded, multipart = "application/x-www-form-urlencoded", "multipart/form-data"

// form makes an object of the fields. A form with a file is multipart, whatever the
// operation says that it consumes.
func (c *converter) form(op *node.Node, fields []*node.Node) *node.Node {
	at := fields[0]
	var props, required, encoding []*node.Node
	file := false
	for _, f := range fields {
		name := f.Get("name").Text()
		if name == "" {
			c.diags.Errorf("missing-field", f.Span(), "the parameter has no name")
			continue
		}
		file = file || f.Get("type").Text() == "file"
		props = append(props, c.fieldSchema(f, name))
		if style := c.style(f, "formData"); style != nil {
			encoding = append(encoding, node.DeriveMap(f, name, style...))
		}
		if f.Get("required").True() {
			required = append(required, node.DeriveText(f.Get("name"), "", name))
		}
	}
	schema := []*node.Node{node.DeriveText(at, "type", "object"), node.DeriveMap(at, "properties", props...)}
	if len(required) > 0 {
		schema = append(schema, node.DeriveList(at, "required", required...))
	}
	content := []*node.Node{node.DeriveMap(at, "schema", schema...)}
	if len(encoding) > 0 {
		content = append(content, node.DeriveMap(at, "encoding", encoding...))
	}
	var media []*node.Node
	for _, m := range c.formTypes(op, at, file) {
		media = append(media, node.DeriveMap(m, m.Text(), content...))
	}
	return node.DeriveMap(at, "requestBody", node.DeriveBool(at, "required", len(required) > 0), node.DeriveMap(at, "content", media...))
}

func (c *converter) fieldSchema(f *node.Node, name string) *node.Node {
	s := c.schema(f)
	return node.DeriveMap(f, name, append(slices.Collect(values(s)), f.Get("description"))...)
}

// formTypes returns the media types among those consumed that can carry the form.
func (c *converter) formTypes(op, at *node.Node, file bool) []*node.Node {
	var types []*node.Node
	for _, m := range c.types(c.media(op, "consumes")) {
		base, _, _ := strings.Cut(strings.ToLower(m.Text()), ";")
		if base == multipart || base == urlencoded && !file {
			types = append(types, m)
		}
	}
	switch {
	case len(types) > 0:
		return types
	case file:
		return []*node.Node{node.DeriveText(at, "", multipart)}
	}
	return []*node.Node{node.DeriveText(at, "", urlencoded)}
}
