package asyncapi

import (
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// location reads a runtime expression, "$message.header#/correlationId"; nil, after a
// diagnostic, where it is none.
func (r *reader) location(n *node.Node) *contract.Location {
	if n == nil || n.Kind() == node.Null {
		return nil
	}
	if l := parseExpression(n.Text()); l != nil {
		l.Span = n.Span()
		return l
	}
	r.diags.Errorf("runtime-expression", n.Span(), "%s is no runtime expression", quote(n)).Help =
		`write "$message.header#/name" or "$message.payload#/path/to/field"`
	return nil
}

func parseExpression(s string) *contract.Location {
	rest, ok := strings.CutPrefix(s, "$message.")
	if !ok {
		return nil
	}
	in, pointer, _ := strings.Cut(rest, "#")
	if in != "header" && in != "payload" || pointer != "" && !strings.HasPrefix(pointer, "/") {
		return nil
	}
	return &contract.Location{In: in, Pointer: pointer}
}

// key reads the extension x-key (or x-partition-key): a runtime expression, a JSON pointer
// into the payload, or the name of a field of it.
func (r *reader) key(n *node.Node) *contract.Location {
	s, ok := n.Str()
	switch {
	case !ok || s == "":
		if n != nil {
			node.Expect(r.diags, n, n.Key(), node.String)
		}
		return nil
	case strings.HasPrefix(s, "$"):
		return r.location(n)
	case strings.HasPrefix(s, "/"):
		return &contract.Location{In: "payload", Pointer: s, Span: n.Span()}
	}
	pointer := "/" + strings.ReplaceAll(node.Escape(s), ".", "/")
	return &contract.Location{In: "payload", Pointer: pointer, Span: n.Span()}
}

// holds says whether a location leads to a value that the message declares. What it does
// not describe may hold anything.
func holds(m *contract.Message, l *contract.Location) bool {
	tokens := strings.Split(strings.TrimPrefix(l.Pointer, "/"), "/")
	if l.Pointer == "" {
		return true
	}
	if l.In == "header" {
		if len(m.Headers) == 0 {
			return true
		}
		for _, h := range m.Headers {
			if h.Name == unescape(tokens[0]) {
				return reaches(h.Schema, tokens[1:])
			}
		}
		return false
	}
	return len(m.Bodies) == 0 || reaches(m.Bodies[0].Schema, tokens)
}

func reaches(s contract.Schema, tokens []string) bool {
	for _, token := range tokens {
		o, ok := contract.Resolve(s).(*contract.Object)
		if !ok {
			return true
		}
		i := -1
		for j, f := range o.Fields {
			if f.Name == unescape(token) {
				i = j
			}
		}
		if i < 0 {
			return !o.Closed && (o.Extra != nil || len(o.Pattern) > 0)
		}
		s = o.Fields[i].Schema
	}
	return true
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}
