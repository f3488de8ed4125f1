package openapi

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

func (r *reader) operation(p *place, method string, n *node.Node) {
	if !node.Expect(r.diags, n, "an operation", node.Map) {
		return
	}
	r.known(n, "operation")
	wire := &contract.HTTP{Method: method, Path: p.path, Servers: p.servers}
	op := &contract.Operation{
		Name: r.name(p, method, n), Doc: r.doc(n), Tags: r.tags(n), Kind: contract.Unary,
		Idempotent: idempotent(method) || n.Get("x-idempotent").True(), Wire: wire, Span: n.KeySpan(),
	}
	if op.Doc.Summary == "" && op.Doc.Detail == "" {
		op.Doc.Summary, op.Doc.Detail = p.doc.Summary, p.doc.Detail
	}
	if s := n.Get("servers"); s != nil {
		wire.Servers = r.servers(s)
	}
	wire.Params = r.parameters(p, n)
	if body := n.Get("requestBody"); body != nil {
		op.In = r.requestBody(body)
	}
	r.responses(op, n)
	op.Kind = kind(op)
	if r.service.Role == "" { // see decisions: who subscribes is no user of the API
		op.Security = r.security
	}
	if s := n.Get("security"); s != nil {
		op.Security = r.requirements(s)
	}
	r.service.Operations = append(r.service.Operations, op)
	r.byPointer[n.Pointer()] = op
	r.paginated = append(r.paginated, pageable{op, n})
	r.callbacks(op, n.Get("callbacks"))
}

// idempotent says whether a method may be repeated (RFC 9110 section 9.2.2; QUERY is
// safe by its draft).
func idempotent(method string) bool {
	return slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"}, method)
}

func (r *reader) tags(n *node.Node) []string {
	var tags []string
	list := n.Get("tags")
	if !node.Expect(r.diags, list, "tags", node.List) {
		return nil
	}
	for item := range list.Items() {
		if tag := r.asText(item, "a tag"); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// name returns the operationId. Where it is missing or taken, the name is made from
// method and path, so that no operation is lost.
func (r *reader) name(p *place, method string, n *node.Node) string {
	id := r.text(n, "operationId")
	if first := r.names[id]; id != "" && first != nil {
		d := r.diags.Errorf("duplicate-operation", n.Get("operationId").Span(), "the operationId %s is used twice", strconv.Quote(id))
		d.Related = []diag.Related{{Span: first.Span(), Message: "first used here"}}
		id = ""
	}
	if id == "" {
		if id = madeName(method, p.path); p.hook != "" {
			id = p.hook
		}
		for i, base := 2, id; r.names[id] != nil; i++ {
			id = base + strconv.Itoa(i)
		}
	}
	r.names[id] = n
	if at := n.Get("operationId"); at != nil {
		r.names[id] = at
	}
	return id
}

// madeName makes "getPetsPetIdToys" from GET /pets/{petId}/toys.
func madeName(method, path string) string {
	words := strings.FieldsFunc(path, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	var b strings.Builder
	b.WriteString(strings.ToLower(method))
	for _, w := range words {
		first := []rune(w)
		first[0] = unicode.ToUpper(first[0])
		b.WriteString(string(first))
	}
	if len(words) == 0 {
		b.WriteString("Root")
	}
	return b.String()
}
