package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// stylesOf are the styles that each place allows; the first is its default.
var stylesOf = map[string][]string{
	"path":   {"simple", "label", "matrix"},
	"query":  {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
	"header": {"simple"},
	"cookie": {"form", "cookie"},
}

// parameters returns those of the path item, the operation's own in their place, and one
// for every variable of the path that nobody declared.
func (r *reader) parameters(p *place, op *node.Node) []*contract.Param {
	nodes := slices.Clone(p.params)
	own := op.Get("parameters")
	if node.Expect(r.diags, own, "parameters", node.List) {
		nodes = append(nodes, slices.Collect(own.Items())...)
	}
	type id struct{ in, name string }
	index, from := map[id]int{}, map[id]*node.Node{}
	var params []*contract.Param
	for _, n := range nodes {
		param := r.param(n)
		if param == nil || !r.fits(p, param, n) {
			continue
		}
		k := id{param.In, param.Name}
		if param.In == "header" {
			k.name = strings.ToLower(k.name)
		}
		i, known := index[k]
		switch {
		case !known:
			index[k] = len(params)
			params = append(params, param)
		case from[k].Parent() == n.Parent():
			d := r.diags.Errorf("duplicate-parameter", n.Span(), "the %s parameter %s is declared twice", param.In, strconv.Quote(param.Name))
			d.Related = []diag.Related{{Span: from[k].Span(), Message: "first declared here; this one counts"}}
			continue
		default:
			params[i] = param
		}
		from[k] = n
	}
	for _, name := range p.vars {
		if _, declared := index[id{"path", name}]; !declared {
			params = append(params, r.undeclared(p, op, name))
		}
	}
	return params
}

// fits says whether a path parameter is a variable of the path.
func (r *reader) fits(p *place, param *contract.Param, n *node.Node) bool {
	if param.In != "path" || slices.Contains(p.vars, param.Name) {
		return true
	}
	r.diags.Errorf("unused-parameter", n.Span(), "the path %s has no variable %s; the parameter is left out",
		strconv.Quote(p.path), strconv.Quote(param.Name)).Help = "add {" + param.Name + "} to the path, or take the parameter out"
	return false
}

// undeclared stands in for a variable of the path that has no parameter: it is text.
func (r *reader) undeclared(p *place, op *node.Node, name string) *contract.Param {
	d := r.diags.Errorf("undeclared-parameter", p.key.KeySpan(), "the path variable %s is not declared; it is taken as text", strconv.Quote(name))
	d.Related = []diag.Related{{Span: op.KeySpan(), Message: "by this operation"}}
	d.Help = "add it to parameters, with in: path and required: true"
	span := p.key.KeySpan()
	span.Path = op.Pointer() + "/parameters/" + node.Escape(name)
	f := contract.Field{Name: name, Required: true, Schema: &contract.Scalar{Kind: contract.String}, Span: span}
	return &contract.Param{Field: f, In: "path", Style: "simple"}
}

// param reads a parameter; nil where it is none that can be sent.
func (r *reader) param(n *node.Node) *contract.Param {
	n = r.object(n, "a parameter")
	if n == nil {
		return nil
	}
	if p, known := r.params[n]; known {
		return p
	}
	r.params[n] = nil
	r.known(n, "parameter")
	name, in := r.text(n, "name"), r.text(n, "in")
	if name == "" {
		r.diags.Errorf("missing-field", n.Span(), "the parameter has no name")
		return nil
	}
	styles := stylesOf[in]
	switch {
	case in == "querystring":
		return r.querystring(name, n)
	case in == "":
		r.diags.Errorf("missing-field", n.Span(), "the parameter %s does not say where it is", strconv.Quote(name)).
			Help = "add in: path, query, header or cookie"
		return nil
	case styles == nil:
		r.diags.Errorf("unknown-place", n.Get("in").Span(), "a parameter cannot be in %s", strconv.Quote(in)).
			Help = "the places are path, query, header and cookie"
		return nil
	case in == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(name)):
		r.diags.Warnf("ignored-header", n.Span(), "the header %s is described by other means; the parameter is left out", name).Severity = diag.Remark
		return nil
	}
	p := &contract.Param{In: in, AllowReserved: r.flag(n, "allowReserved", false)}
	required := r.flag(n, "required", false)
	if in == "path" && !required {
		r.diags.Warnf("optional-path-parameter", n.Span(), "the path parameter %s is not required; it is taken as required", strconv.Quote(name)).
			Help = "add required: true"
	}
	r.style(p, n, styles)
	p.Field, p.Media = r.value(name, n, required || in == "path")
	r.params[n] = p
	return p
}

// querystring reads a parameter that is the whole query (OpenAPI 3.2). As a form it is the
// same as an object in style form, exploded; as anything else there is no code for it.
func (r *reader) querystring(name string, n *node.Node) *contract.Param {
	media := n.Get("content").At(0)
	if media == nil || media.Key() != "application/x-www-form-urlencoded" || media.Get("schema") == nil {
		r.diags.Warnf("not-generated", n.Span(), "no code is generated for the parameter %s, which is the whole query, but no form", strconv.Quote(name)).
			Help = "describe it as application/x-www-form-urlencoded"
		return nil
	}
	p := &contract.Param{In: "query", Style: "form", Explode: true}
	p.Field, _ = r.value(name, n, r.flag(n, "required", false))
	r.params[n] = p
	return p
}

// style reads style and explode; where the style is not known the default counts.
func (r *reader) style(p *contract.Param, n *node.Node, styles []string) {
	p.Style = styles[0]
	if style := r.text(n, "style"); slices.Contains(styles, style) {
		p.Style = style
	} else if style != "" {
		r.diags.Warnf("bad-style", n.Get("style").Span(), "the style %s does not exist in %s; %s is used", strconv.Quote(style), p.In, styles[0])
	}
	p.Explode = r.flag(n, "explode", p.Style == "form")
	if p.Style == "cookie" { // OpenAPI 3.2: form, without percent encoding
		p.Style, p.AllowReserved = "form", true
	}
}

// value reads what a parameter or header holds: a schema, or content of one media type.
func (r *reader) value(name string, n *node.Node, required bool) (f contract.Field, media string) {
	schema, content := n.Get("schema"), n.Get("content")
	if node.Expect(r.diags, content, "content", node.Map) && content.Len() > 0 {
		media = content.At(0).Key()
		schema = r.object(content.At(0), "a media type").Get("schema")
		if content.Len() > 1 {
			r.diags.Warnf("several-media-types", content.At(1).KeySpan(), "%s has several media types; only the first is used", strconv.Quote(name))
		}
	}
	switch {
	case schema != nil:
		f = *r.schemas.Field(name, schema, required)
	case media != "":
		f = contract.Field{Name: name, Required: required, Schema: &contract.Any{}}
	case n.Has("type"):
		r.diags.Warnf("missing-schema", n.Span(), "%s has its type beside it, as in Swagger 2", strconv.Quote(name)).Help = "put it under schema"
		f = *r.schemas.Field(name, n, required)
	default:
		r.diags.Warnf("missing-schema", n.Span(), "%s has no schema; it is taken as text", strconv.Quote(name))
		f = contract.Field{Name: name, Required: required, Schema: &contract.Scalar{Kind: contract.String}}
	}
	if d := r.doc(n); d.Summary != "" || d.Detail != "" {
		d.Deprecated = max(d.Deprecated, f.Doc.Deprecated)
		f.Doc = d
	} else if d.Deprecated != "" {
		f.Doc.Deprecated = d.Deprecated
	}
	f.Span = n.Span()
	return f, media
}

// header reads a response's or an encoding's header; nil where it is none.
func (r *reader) header(name string, n *node.Node) *contract.Field {
	h := r.object(n, "a header")
	if h == nil {
		return nil
	}
	f, _ := r.value(name, h, r.flag(h, "required", false))
	f.Span = n.KeySpan()
	return &f
}

// headers reads a map of headers. Content-Type is described by the media type.
func (r *reader) headers(list *node.Node) []*contract.Field {
	var fields []*contract.Field
	if !node.Expect(r.diags, list, "headers", node.Map) {
		return nil
	}
	for name, n := range list.Entries() {
		if strings.EqualFold(name, "content-type") || strings.HasPrefix(name, "x-") && n.Kind() != node.Map {
			continue
		}
		if f := r.header(name, n); f != nil {
			fields = append(fields, f)
		}
	}
	return fields
}
