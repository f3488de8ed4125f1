package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A pendingLink is read when all operations are known.
type pendingLink struct {
	from *contract.Operation
	out  *contract.Success
	name string
	at   contract.Span
	n    *node.Node
}

// linksOf notes the links of a response.
func (r *reader) linksOf(op *contract.Operation, out *contract.Success, response *node.Node) {
	list := r.loader.Resolve(response).Get("links")
	if !node.Expect(r.diags, list, "links", node.Map) {
		return
	}
	for name, n := range list.Entries() {
		if !strings.HasPrefix(name, "x-") {
			r.linked = append(r.linked, pendingLink{op, out, name, n.KeySpan(), n})
		}
	}
}

// notLinked says that the links of a failure have no Go: it is an error, not a reply from
// which the next request could be made.
func (r *reader) notLinked(response *node.Node) {
	list := r.loader.Resolve(response).Get("links")
	if !node.Expect(r.diags, list, "links", node.Map) || r.told[list] {
		return
	}
	r.told[list] = true
	for name, n := range list.Entries() {
		if !strings.HasPrefix(name, "x-") {
			r.diags.Warnf("not-generated", n.KeySpan(), "no code is generated for the link %s, which belongs to a failure", strconv.Quote(name)).
				Help = "move it to a response of success, or make the request from concordat.Detail"
		}
	}
}

// links reads all links.
func (r *reader) links() {
	for _, p := range r.linked {
		n := r.object(p.n, "a link")
		if n == nil {
			continue
		}
		target := r.target(&p, n)
		if target == nil {
			continue
		}
		l := &contract.Link{Name: p.name, Doc: r.doc(n), Target: target, Span: p.at}
		if !r.linkValues(l, n) {
			continue
		}
		if s := n.Get("server"); s != nil {
			r.diags.Warnf("not-generated", s.KeySpan(), "the link %s names a server; the connection's is used", strconv.Quote(p.name))
		}
		p.out.Links = append(p.out.Links, l)
	}
}

// unlinked says which links of the components no response has.
func (r *reader) unlinked(list *node.Node) {
	if !node.Expect(r.diags, list, "links", node.Map) {
		return
	}
	used := map[*node.Node]bool{}
	for _, p := range r.linked {
		used[r.loader.Resolve(p.n)] = true
	}
	for name, n := range list.Entries() {
		if !used[r.loader.Resolve(n)] && !strings.HasPrefix(name, "x-") {
			d := r.diags.Warnf("not-generated", n.KeySpan(), "no response has the link %s, so that no code is generated for it", strconv.Quote(name))
			d.Severity = diag.Remark
		}
	}
}

// target finds the operation that a link leads to; nil, with a finding, where there is
// none in this document.
func (r *reader) target(p *pendingLink, n *node.Node) *contract.Operation {
	id, ref := r.text(n, "operationId"), r.text(n, "operationRef")
	at, help := p.at, "name an operation of this document by operationId"
	switch {
	case id != "":
		for _, op := range r.service.Operations {
			if op.Name == id {
				return op
			}
		}
		at = n.Get("operationId").Span()
	case strings.HasPrefix(ref, "#/"):
		if op := r.byPointer[ref]; op != nil {
			return op
		}
		at = n.Get("operationRef").Span()
	case ref != "":
		at, help = n.Get("operationRef").Span(), "links to operations of other documents have no Go in this package"
	}
	r.diags.Warnf("bad-link", at, "the link %s leads to no operation of this document; it is left out", strconv.Quote(p.name)).Help = help
	return nil
}

// linkValues reads what a link fills in.
func (r *reader) linkValues(l *contract.Link, n *node.Node) bool {
	params := n.Get("parameters")
	if node.Expect(r.diags, params, "parameters", node.Map) {
		for name, v := range params.Entries() {
			value, ok := r.linkValue(v)
			if !ok || !r.linkParam(l, name, v, &value) {
				return false
			}
			l.Values = append(l.Values, value)
		}
	}
	if body := n.Get("requestBody"); body != nil {
		value, ok := r.linkValue(body)
		if !ok {
			return false
		}
		if l.Target.In == nil {
			r.diags.Warnf("bad-link", body.Span(), "the link %s fills the body of %s, which has none; it is left out", strconv.Quote(l.Name), l.Target.Name)
			return false
		}
		value.In = "body"
		l.Values = append(l.Values, value)
	}
	return true
}

func (r *reader) linkValue(v *node.Node) (contract.LinkValue, bool) {
	value := contract.LinkValue{Span: v.Span()}
	text := v.Text()
	err := ""
	switch {
	case v.Kind() != node.String:
		value.JSON = v.JSON()
	case strings.HasPrefix(text, "$"):
		value.Expression, err = text, checkExpression(text)
	case strings.Contains(text, "{$"):
		value.Expression, err = text, checkExpressions(text)
	default:
		value.JSON = v.JSON()
	}
	if err != "" {
		r.diags.Warnf("bad-expression", v.Span(), "%s; the link is left out", err)
	}
	return value, err == ""
}

// linkParam finds the parameter of a link's target: by name, or by place and name where
// two have one name.
func (r *reader) linkParam(l *contract.Link, name string, n *node.Node, value *contract.LinkValue) bool {
	wire := l.Target.Wire.(*contract.HTTP)
	in, bare, placed := strings.Cut(name, ".")
	i := slices.IndexFunc(wire.Params, func(p *contract.Param) bool { return p.Name == name })
	if i < 0 && placed {
		i = slices.IndexFunc(wire.Params, func(p *contract.Param) bool { return p.In == in && p.Name == bare })
	}
	if i < 0 {
		r.diags.Warnf("bad-link", n.KeySpan(), "%s has no parameter %s; the link %s is left out", l.Target.Name, strconv.Quote(name), strconv.Quote(l.Name))
		return false
	}
	value.In, value.Name = wire.Params[i].In, wire.Params[i].Name
	return true
}
