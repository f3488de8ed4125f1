package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A pageable is an operation with what the document says of it.
type pageable struct {
	op *contract.Operation
	n  *node.Node
}

// pages finds out which operations give their results in pages: what an extension says
// counts, else two conventions that leave no doubt.
func (r *reader) pages() {
	for _, p := range r.paginated {
		if p.op.Kind != contract.Unary {
			continue
		}
		said, n := r.said(p.n)
		if n == nil {
			p.op.Pages = recognised(p.op)
			continue
		}
		if said == nil {
			continue
		}
		said.Span = n.KeySpan()
		if why := r.unfit(p.op, said); why != "" {
			r.diags.Warnf("bad-pagination", n.KeySpan(), "%s cannot be iterated over: %s", p.op.Name, why)
			continue
		}
		p.op.Pages = said
	}
}

// said is what an extension says: our own, or that of one of two other generators.
func (r *reader) said(n *node.Node) (*contract.Pages, *node.Node) {
	if x := n.Get("x-pagination"); x.Kind() == node.Map && x.Has("type") {
		return r.ownPages(x), x
	}
	if x := n.Get("x-speakeasy-pagination"); x.Kind() == node.Map {
		return r.inputsPages(x), x
	}
	if x := n.Get("x-fern-pagination"); x.Kind() == node.Map {
		return r.expressionPages(x), x
	}
	return nil, nil
}

// ownPages reads x-pagination: type, parameter, items, next, more, pages, first. Places in
// the reply are JSON pointers.
func (r *reader) ownPages(x *node.Node) *contract.Pages {
	p := &contract.Pages{Kind: r.text(x, "type"), Param: r.text(x, "parameter"), Items: r.text(x, "items"), Next: r.text(x, "next"),
		More: r.text(x, "more"), Total: r.text(x, "pages")}
	if p.Kind == "page" {
		p.First = 1
	}
	if first := x.Get("first"); first != nil {
		p.First, _ = strconv.ParseInt(first.Written(), 10, 64)
	}
	return p
}

// inputsPages reads x-speakeasy-pagination, whose places are JSONPath: "$.data.items".
func (r *reader) inputsPages(x *node.Node) *contract.Pages {
	p := &contract.Pages{}
	for in := range x.Get("inputs").Items() {
		name, kind := in.Get("name").Text(), in.Get("type").Text()
		if in.Get("in").Text() != "parameters" && kind != "limit" {
			p.Kind, p.Param = kind, "" // which unfit tells
			continue
		}
		if kind == "page" || kind == "offset" || kind == "cursor" {
			p.Kind, p.Param = kind, name
		}
	}
	if p.Kind == "page" {
		p.First = 1
	}
	out := x.Get("outputs")
	p.Items, p.Next, p.Total = pathPointer(out.Get("results").Text()), pathPointer(out.Get("nextCursor").Text()), pathPointer(out.Get("numPages").Text())
	return p
}

// expressionPages reads x-fern-pagination, whose places are "$request.cursor" and
// "$response.data.items".
func (r *reader) expressionPages(x *node.Node) *contract.Pages {
	place := func(field string) string {
		_, path, _ := strings.Cut(strings.TrimPrefix(x.Get(field).Text(), "$"), ".")
		return path
	}
	p := &contract.Pages{Items: pathPointer(place("results")), Next: pathPointer(place("next_cursor")), More: pathPointer(place("has-next-page"))}
	if x.Has("cursor") {
		p.Kind, p.Param = "cursor", place("cursor")
		return p
	}
	p.Kind, p.Param, p.First = "page", place("offset"), 1
	if strings.Contains(strings.ToLower(p.Param), "offset") {
		p.Kind, p.First = "offset", 0
	}
	return p
}

// pathPointer makes a JSON pointer of a path with dots; "?" where it is more than that.
func pathPointer(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
	if path == "" {
		return ""
	}
	if strings.ContainsAny(path, "[]*@?()") {
		return "?"
	}
	return "/" + strings.ReplaceAll(strings.NewReplacer("~", "~0", "/", "~1").Replace(path), ".", "/")
}

// unfit says why what an extension says cannot be generated; "" where it can.
func (r *reader) unfit(op *contract.Operation, p *contract.Pages) string {
	wire := op.Wire.(*contract.HTTP)
	body := pagesBody(op)
	if body == nil {
		return "it does not answer with JSON in one way only"
	}
	list, ok := at(body, p.Items).(*contract.List)
	if !ok || list.Elem == nil {
		return "there is no list at " + strconv.Quote(p.Items)
	}
	switch p.Kind {
	case "cursor":
		if scalarAt(body, p.Next) == nil {
			return "there is no cursor at " + strconv.Quote(p.Next)
		}
	case "offset", "page":
		if p.More != "" && scalarAt(body, p.More) == nil || p.Total != "" && scalarAt(body, p.Total) == nil {
			return "there is no value at " + strconv.Quote(p.More+p.Total)
		}
	case "link":
		if !declares(op, "link") {
			return "the reply declares no header Link"
		}
		return ""
	default:
		return "the ways are cursor, offset, page and link, not " + strconv.Quote(p.Kind)
	}
	if !slices.ContainsFunc(wire.Params, func(q *contract.Param) bool { return q.In == "query" && q.Name == p.Param }) {
		return "it has no query parameter " + strconv.Quote(p.Param)
	}
	return ""
}

// pagesBody is the schema of the only JSON body of an operation's only success.
func pagesBody(op *contract.Operation) contract.Schema {
	if len(op.Out) != 1 || op.Out[0].Body == nil || len(op.Out[0].Body.Bodies) == 0 {
		return nil
	}
	b := op.Out[0].Body.Bodies[0]
	if !isJSON(b.Media) || b.Schema == nil || b.Nullable {
		return nil
	}
	return contract.Resolve(b.Schema)
}

// at follows a JSON pointer through objects; nil where there is nothing declared.
func at(s contract.Schema, pointer string) contract.Schema {
	s = contract.Resolve(s)
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			return s
		}
		o, ok := s.(*contract.Object)
		if !ok {
			return nil
		}
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		i := slices.IndexFunc(o.Fields, func(f *contract.Field) bool { return f.Name == name })
		if i < 0 {
			return nil
		}
		s = contract.Resolve(o.Fields[i].Schema)
		if u, ok := s.(*contract.Union); ok && len(u.Variants) == 2 { // or null
			for j, v := range u.Variants {
				if sc, ok := contract.Resolve(v.Schema).(*contract.Scalar); ok && sc.Kind == contract.Null {
					s = contract.Resolve(u.Variants[1-j].Schema)
				}
			}
		}
	}
	return s
}

func scalarAt(s contract.Schema, pointer string) *contract.Scalar {
	sc, _ := at(s, pointer).(*contract.Scalar)
	return sc
}

func declares(op *contract.Operation, header string) bool {
	return op.Out[0].Body != nil && slices.ContainsFunc(op.Out[0].Body.Headers, func(f *contract.Field) bool { return strings.EqualFold(f.Name, header) })
}

// tokens are the names by which Google's APIs page (AIP-158), and their replies' part.
var tokens = [][2]string{{"pageToken", "nextPageToken"}, {"page_token", "next_page_token"}}

// recognised knows two conventions, of operations that are GET and have one success: an
// optional query parameter pageToken of a string, with a string nextPageToken and exactly
// one list beside it in the reply; and a list with a declared Link header (RFC 8288) and a
// query parameter that the links can change. All else is left to extensions.
func recognised(op *contract.Operation) *contract.Pages {
	wire, ok := op.Wire.(*contract.HTTP)
	body := pagesBody(op)
	if !ok || wire.Method != "GET" || body == nil {
		return nil
	}
	if list, ok := body.(*contract.List); ok {
		if list.Elem != nil && declares(op, "link") && slices.ContainsFunc(wire.Params, turns) {
			return &contract.Pages{Kind: "link", Span: op.Span}
		}
		return nil
	}
	o, ok := body.(*contract.Object)
	if !ok {
		return nil
	}
	for _, t := range tokens {
		i := slices.IndexFunc(wire.Params, func(q *contract.Param) bool {
			return q.In == "query" && q.Name == t[0] && !q.Required && isText(q.Schema)
		})
		next := scalarAt(body, "/"+t[1])
		if i < 0 || next == nil || next.Kind != contract.String {
			continue
		}
		items := ""
		for _, f := range o.Fields {
			if _, ok := contract.Resolve(f.Schema).(*contract.List); ok {
				if items != "" {
					return nil // which of them?
				}
				items = "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(f.Name)
			}
		}
		if items != "" {
			return &contract.Pages{Kind: "cursor", Param: t[0], Items: items, Next: "/" + t[1], Span: op.Span}
		}
	}
	return nil
}

func isText(s contract.Schema) bool {
	sc, ok := contract.Resolve(s).(*contract.Scalar)
	return ok && sc.Kind == contract.String
}

// turns says whether a parameter says which page is wanted.
func turns(q *contract.Param) bool {
	return q.In == "query" && slices.Contains([]string{"page", "cursor", "after", "offset", "since", "page_token", "pageToken", "start", "marker"}, q.Name)
}
