package openapi

import (
	"cmp"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// requestBody reads what a request carries; nil where it is nothing that can be read.
func (r *reader) requestBody(n *node.Node) *contract.Message {
	n = r.object(n, "a request body")
	if n == nil {
		return nil
	}
	if m, known := r.messages[n]; known {
		return m
	}
	r.known(n, "requestBody")
	m := &contract.Message{Doc: r.doc(n), Span: n.Span()}
	r.messages[n] = m
	if !n.Has("content") {
		r.diags.Warnf("missing-field", n.Span(), "the request body has no content")
	}
	m.Bodies = r.content(n.Get("content"), r.flag(n, "required", false))
	return m
}

// content reads the alternatives by media type: JSON first, the rest as written.
func (r *reader) content(list *node.Node, required bool) []*contract.Body {
	if !node.Expect(r.diags, list, "content", node.Map) {
		return nil
	}
	var bodies []*contract.Body
	for media, n := range list.Entries() {
		at := n.KeySpan()
		n = r.object(n, "a media type")
		if n == nil {
			continue
		}
		if _, _, err := mime.ParseMediaType(media); err != nil || !strings.Contains(media, "/") {
			r.diags.Warnf("bad-media-type", at, "%s is no media type", strconv.Quote(media))
		}
		r.known(n, "mediaType")
		b := &contract.Body{Media: media, Required: required, Span: at}
		b.Schema, b.Nullable = r.bodySchema(media, n)
		b.XML = r.schemas.XML(n.Get("schema"))
		r.items(b, n)
		b.Encoding = r.encoding(n.Get("encoding"))
		bodies = append(bodies, b)
	}
	slices.SortStableFunc(bodies, func(a, b *contract.Body) int { return cmp.Compare(rank(a.Media), rank(b.Media)) })
	return bodies
}

// rank orders media types by how well they carry typed values.
func rank(media string) int {
	switch {
	case isEvents(media): // before other sequences, which have no way to tell of failures
		return 2
	case isSequence(media):
		return 3
	case strings.HasPrefix(media, "application/json"):
		return 0
	case isJSON(media):
		return 1
	}
	return 2
}

func isJSON(media string) bool {
	kind, _, _ := strings.Cut(media, ";")
	kind = strings.TrimSpace(strings.ToLower(kind))
	return kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json") || kind == "*/*"
}

// bodySchema reads the schema of a media type. Without one, or with an empty one, all but
// JSON is opaque bytes.
func (r *reader) bodySchema(media string, n *node.Node) (s contract.Schema, nullable bool) {
	for _, field := range [...]string{"prefixEncoding", "itemEncoding"} {
		if v := n.Get(field); v != nil {
			r.diags.Warnf("not-generated", v.KeySpan(), "no code is generated for %s", field)
		}
	}
	schema := n.Get("schema")
	if (schema == nil || schema.True() || schema.Len() == 0 && schema.Kind() == node.Map) && (!isJSON(media) || n.Has("itemSchema")) {
		return nil, false
	}
	return r.schemas.Schema(schema), r.schemas.Nullable(schema)
}

func (r *reader) encoding(list *node.Node) []*contract.Encoding {
	if !node.Expect(r.diags, list, "encoding", node.Map) {
		return nil
	}
	var all []*contract.Encoding
	for field, n := range list.Entries() {
		if !node.Expect(r.diags, n, "an encoding", node.Map) {
			continue
		}
		e := &contract.Encoding{Field: field, Media: r.text(n, "contentType"), Style: r.text(n, "style"), Headers: r.headers(n.Get("headers"))}
		e.Explode = r.flag(n, "explode", e.Style == "" || e.Style == "form")
		all = append(all, e)
	}
	return all
}

// responses sorts what comes back into successes and failures.
func (r *reader) responses(op *contract.Operation, n *node.Node) {
	list := n.Get("responses")
	if list.Len() == 0 {
		r.diags.Warnf("no-responses", n.KeySpan(), "the operation has no responses")
	}
	if !node.Expect(r.diags, list, "responses", node.Map) {
		return
	}
	good := goodStatus(list)
	for key, n := range list.Entries() {
		status, ok := r.status(key, n)
		if !ok {
			continue
		}
		at := n.KeySpan()
		m, doc := r.response(n)
		if good(status) {
			out := &contract.Success{Status: status, Doc: doc, Body: m, Span: at}
			op.Out = append(op.Out, out)
			r.linksOf(op, out, n)
		} else {
			op.Failures = append(op.Failures, &contract.Failure{Status: status, Doc: doc, Body: m, Span: at})
			r.notLinked(n)
		}
	}
}

// goodStatus says which statuses are successes: 2xx; where there are none, redirections
// and what comes before a final answer; where there are none of these either, default.
func goodStatus(list *node.Node) func(string) bool {
	first := map[byte]bool{}
	for key := range list.Entries() {
		if key != "" {
			first[key[0]] = true
		}
	}
	switch {
	case first['2']:
		return func(s string) bool { return s[0] == '2' }
	case first['3'] || first['1']:
		return func(s string) bool { return s[0] == '3' || s[0] == '1' }
	}
	return func(s string) bool { return s == "default" }
}

// status checks the key of a response: "200", "4XX" or "default".
func (r *reader) status(key string, n *node.Node) (string, bool) {
	if strings.HasPrefix(key, "x-") {
		return "", false
	}
	if key == "default" {
		return key, true
	}
	upper := strings.ToUpper(key)
	if len(key) == 3 && key[0] >= '1' && key[0] <= '5' && (upper[1:] == "XX" || isDigit(key[1]) && isDigit(key[2])) {
		return upper, true
	}
	r.diags.Errorf("bad-status", n.KeySpan(), "%s is no status; the response is left out", strconv.Quote(key)).
		Help = "write a status such as 200, a range such as 4XX, or default"
	return "", false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// response reads one response: its content and headers, nil where it has neither.
func (r *reader) response(n *node.Node) (*contract.Message, contract.Doc) {
	n = r.object(n, "a response")
	if n == nil {
		return nil, contract.Doc{}
	}
	doc := r.doc(n)
	if m, known := r.messages[n]; known {
		return m, doc
	}
	r.known(n, "response")
	m := &contract.Message{Doc: doc, Span: n.Span()}
	m.Bodies = r.content(n.Get("content"), true)
	m.Headers = r.headers(n.Get("headers"))
	if len(m.Bodies) == 0 && len(m.Headers) == 0 {
		m = nil
	}
	r.messages[n] = m
	return m, doc
}
