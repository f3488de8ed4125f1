package jsonschema

import (
	"regexp"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// maxAssertion is the longest text of an assertion, in bytes. Those that grow beyond it
// refer to half of a document and are not checked.
const maxAssertion = 32 << 10

// asserted are the keywords that the model has no place for, whatever stands beside them.
var asserted = []string{"not", "if", "dependentSchemas", "dependentRequired", "dependencies", "contains", "propertyNames"}

// isAsserted says whether a keyword is checked by an assertion alone.
func isAsserted(keyword string) bool {
	return slices.Contains(asserted, keyword) || keyword == "then" || keyword == "else" || keyword == "minContains" || keyword == "maxContains"
}

// also returns what the parts of v say that the model has no place for, as one schema
// that is checked beside it, and the parts that say it; nil where there is nothing. Parts
// in v.done said it already.
func (r *Reader) also(v *view) (_ *contract.Assertion, parts []*node.Node) {
	w := &assertion{Reader: r, names: map[*node.Node]string{}}
	var texts []string
	var at *node.Node
	for i, p := range v.parts {
		if slices.Contains(v.done, p) {
			continue
		}
		text, keyword := w.leftover(v, i)
		if text == "{}" {
			continue
		}
		if at == nil {
			at = keyword
		}
		texts = append(texts, text)
		parts = append(parts, p)
	}
	if len(texts) == 0 {
		return nil, nil
	}
	return w.finish(texts, at), parts
}

// leftover is what the model does not hold of v's part i, and the first keyword of it.
func (w *assertion) leftover(v *view, i int) (text string, at *node.Node) {
	p := v.parts[i]
	if n := w.unevaluated(v, p); n != nil {
		return w.schema(p), n
	}
	var keys []string
	take := func(keyword string) {
		if n := p.Get(keyword); n != nil {
			keys = append(keys, keyword)
			if at == nil {
				at = n
			}
		}
	}
	for _, keyword := range asserted {
		take(keyword)
	}
	for _, keyword := range [...]string{"oneOf", "anyOf"} {
		if g := p.Get(keyword); g.Kind() == node.List && onlyRequires(g) {
			take(keyword)
		}
	}
	for _, keyword := range [...]string{"pattern", "multipleOf"} {
		if p.Has(keyword) && slices.ContainsFunc(v.parts[:i], func(q *node.Node) bool { return q.Has(keyword) && !node.Equal(q.Get(keyword), p.Get(keyword)) }) {
			take(keyword)
		}
	}
	if w.crossing(v, p) {
		take("patternProperties")
	}
	if len(keys) == 0 {
		return "{}", nil
	}
	return w.object(p, func(key string) bool {
		return slices.Contains(keys, key) || slices.Contains(keys, "if") && (key == "then" || key == "else") ||
			slices.Contains(keys, "contains") && (key == "minContains" || key == "maxContains")
	}), at
}

// unevaluated returns the keyword by which p rules out what nobody looked at, where only
// a value can tell what was: because of a condition, or of what a list contains.
func (w *assertion) unevaluated(v *view, p *node.Node) *node.Node {
	if n := p.Get("unevaluatedProperties"); n != nil && v.has("if", "dependentSchemas", "dependencies") {
		return n
	}
	if n := p.Get("unevaluatedItems"); n != nil && v.has("if", "contains") {
		return n
	}
	return nil
}

// crossing says whether a property of v may be meant by two keywords at once, of which
// its type shows one: by its name and a pattern, or by two patterns.
func (w *assertion) crossing(v *view, p *node.Node) bool {
	if p.Get("patternProperties").Kind() != node.Map {
		return false
	}
	names, _ := w.properties(v)
	says := 0
	for _, all := range v.every("patternProperties") {
		for expr, n := range all.Entries() {
			re, err := regexp.Compile(translate(expr))
			if err != nil || !constrains(n) {
				continue
			}
			if says++; says > 1 || slices.ContainsFunc(names, re.MatchString) {
				return true
			}
		}
	}
	return false
}

// attach puts an assertion beside what it is about. s must be nobody else's.
func (r *Reader) attach(s contract.Schema, also *contract.Assertion) contract.Schema {
	if also == nil {
		return s
	}
	switch s := s.(type) {
	case *contract.Scalar:
		s.Rules.Also = also
	case *contract.List:
		s.Rules.Also = also
	case *contract.Map:
		s.Rules.Also = also
	case *contract.Object:
		s.Rules.Also = also
	case *contract.Enum:
		s.Also = also
	case *contract.Union:
		s.Also = also
	case *contract.Any:
		s.Also = also
	}
	return s
}

// finish joins the schemas that must all hold and what they refer to.
func (w *assertion) finish(texts []string, at *node.Node) *contract.Assertion {
	text := texts[0]
	if len(texts) > 1 {
		text = `{"allOf":[` + strings.Join(texts, ",") + "]}"
	}
	var defs strings.Builder
	for i := 0; i < len(w.queue) && defs.Len() <= maxAssertion; i++ {
		if i > 0 {
			defs.WriteByte(',')
		}
		defs.WriteString(node.Quote(w.names[w.queue[i]]) + ":" + w.schema(w.queue[i]))
	}
	if defs.Len() > 0 {
		text = strings.TrimSuffix(text, "}")
		if text != "{" {
			text += ","
		}
		text += `"$defs":{` + defs.String() + "}}"
	}
	switch {
	case w.broken:
		w.skip(at.Key(), at, diag.Warning)
		return nil
	case len(text) > maxAssertion:
		w.skip(at.Key()+" of more than 32 KiB", at, diag.Warning)
		return nil
	}
	return &contract.Assertion{Schema: text, Span: at.KeySpan()}
}
