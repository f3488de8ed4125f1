package generator

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A choice is one Go type that a request's body may have, in one or more media types.
type choice struct {
	held *held
	form
}

// bodies adds the body of a request: one field, or one for each Go type where media types
// differ in theirs.
func (s *service) bodies(op *operation, st *golang.Struct) {
	if op.In == nil || len(op.In.Bodies) == 0 {
		return
	}
	if s.itemBody(op, st) {
		return
	}
	choices := s.choices(op)
	names := newScope()
	for _, f := range st.Fields {
		names.take(f.Name)
	}
	for _, c := range choices {
		name, required := "Body", c.bodies[0].Required
		if len(choices) > 1 {
			name, required = "Body"+c.class.word(), false
		}
		name = names.name(name)
		ref, flags := c.held.field(required, false)
		st.Fields = append(st.Fields, &golang.Field{Name: name, Type: ref, Doc: fieldDoc(op.In.Doc), Comment: bodyComment(name, c, len(choices) > 1)})
		for _, b := range c.bodies {
			op.method.Op.BodyRequired = op.method.Op.BodyRequired || len(choices) > 1 && b.Required
			op.method.Op.Bodies = append(op.method.Op.Bodies, &golang.Body{
				Media: b.Media, Field: c.held.line("", st.Name, name, flags), Form: s.formFields(b), XML: s.xmlFormat(b, op.method.Name),
			})
		}
	}
	if slices.ContainsFunc(choices, (*choice).varies) {
		op.method.Op.InMedia = names.name("ContentType", "MediaType")
		contentType(st, op.method.Op.InMedia, "media type of the body; \"\": "+oneLine(choices[0].bodies[0].Media))
	}
}

// varies says whether the field of a choice does not say which media type is meant. Kinds
// of JSON are all the same to everybody.
func (c *choice) varies() bool {
	return c.opaque() || slices.ContainsFunc(c.bodies, func(b *contract.Body) bool { return classOf(b.Media, b.Schema) != jsonClass && len(c.bodies) > 1 })
}

// bodyComment says what a field's name does not.
func bodyComment(name string, c *choice, several bool) string {
	var out []string
	if !strings.HasPrefix(name, "Body") {
		out = append(out, "body")
	}
	if c.class != jsonClass || several {
		out = append(out, oneLine(c.bodies[0].Media))
	}
	text := strings.Join(out, ", ")
	if several {
		text += "; set one of them"
	}
	return text
}

// choices are the Go types of a body.
func (s *service) choices(op *operation) []*choice {
	var out []*choice
	for _, b := range op.In.Bodies {
		c := classOf(b.Media, b.Schema)
		if i := slices.IndexFunc(out, func(o *choice) bool { return o.alike(c, b) }); i >= 0 {
			out[i].bodies = append(out[i].bodies, b)
			continue
		}
		h := s.requestBody(b, c, op.method.Name+"Body")
		i := slices.IndexFunc(out, func(o *choice) bool { return typeText(o.held.ref) == typeText(h.ref) && o.held.kind == h.kind })
		if i < 0 {
			i = len(out)
			out = append(out, &choice{held: h, form: form{class: c}})
		}
		out[i].bodies = append(out[i].bodies, b)
	}
	return out
}

// alike says whether b is another text of the value that o holds.
func (o *choice) alike(c class, b *contract.Body) bool {
	if c == textClass && composite(b.Schema) && isPlainText(b.Media) {
		c = jsonClass
	}
	typed := func(c class) bool { return c == jsonClass || c == xmlClass || c == formClass }
	return typed(c) && typed(o.class) && sameSchema(o.bodies[0].Schema, b.Schema, 0)
}

func (s *service) requestBody(b *contract.Body, c class, want string) *held {
	var h *held
	s.within(b.Span, func() {
		switch c {
		case jsonClass, xmlClass:
			h = s.hold(orAny(b.Schema), want)
		case textClass:
			h = s.scalar(&contract.Scalar{Kind: contract.String})
		case formClass, multipartClass:
			h = s.formBody(b, want)
		}
	})
	if h == nil {
		h = &held{ref: golang.Ref{Pkg: "io", Name: "Reader"}, kind: "Reader", base: "Reader"}
	}
	return h
}

// formBody holds a form: a struct; anything else is bytes.
func (s *service) formBody(b *contract.Body, want string) *held {
	schema, _ := s.normal(orAny(b.Schema))
	o, ok := contract.Resolve(schema).(*contract.Object)
	if ok && len(o.Fields) > 0 {
		return s.hold(b.Schema, want)
	}
	s.remark("form-as-bytes", b.Span, "a form without declared fields is passed as a stream of bytes")
	return nil
}

// formFields is how the fields of a form travel where the contract says it.
func (p *pass) formFields(b *contract.Body) []*golang.FormField {
	var out []*golang.FormField
	for _, e := range b.Encoding {
		for _, h := range e.Headers {
			if classOf(b.Media, b.Schema) == multipartClass && !strings.EqualFold(h.Name, "content-type") { // which others ignore (OpenAPI 3.1, 4.8.15)
				p.warn("part-header", h.Span, "the header %s of the part %s is neither sent nor read", h.Name, e.Field).
					Help = "put what it says into a field of its own"
			}
		}
		if e.Media == "" && e.Style == "" {
			continue // as forms travel anyway: exploded
		}
		out = append(out, &golang.FormField{Name: e.Field, Media: e.Media, Style: styles[e.Style], Explode: e.Explode || e.Style == ""})
	}
	return out
}

// findForms marks the objects that multipart bodies are made of, before types are
// declared: their binary fields are files.
func (p *pass) findForms() {
	for _, s := range p.c.Services {
		for _, op := range s.Operations {
			if op.In == nil {
				continue
			}
			for _, b := range op.In.Bodies {
				if classOf(b.Media, b.Schema) != multipartClass {
					continue
				}
				s, _ := p.normal(orAny(b.Schema))
				if o, ok := contract.Resolve(s).(*contract.Object); ok {
					p.forms[o] = true
				}
			}
		}
	}
}

// file holds a field of a multipart form that is a file, or several; nil for others.
func file(s contract.Schema) *held {
	switch s := contract.Resolve(s).(type) {
	case *contract.Scalar:
		if s.Kind == contract.Binary {
			return &held{ref: golang.Ref{Pkg: "io", Name: "Reader"}, kind: "Reader", base: "File"}
		}
	case *contract.List:
		e, ok := contract.Resolve(s.Elem).(*contract.Scalar)
		if ok && e.Kind == contract.Binary {
			one := file(e)
			return &held{ref: golang.Ref{Prefix: "[]", Pkg: "io", Name: "Reader"}, kind: "Slice", base: "List",
				table: &golang.Table{Kind: "Slice", Elem: &golang.Table{Kind: "Reader", Of: &one.ref}}}
		}
	}
	return nil
}
