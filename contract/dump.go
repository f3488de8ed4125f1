package contract

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Dump writes c as text for people, goldens and diffs: one line per server, scheme,
// operation, parameter, body, field and type, indented by ownership, in source order.
// A line reads
//
//	keyword name details @line:col path
//
// where the place is "@file:line:col" outside c.Source. The path stands on servers, schemes,
// services, operations, channels, messages and types; what lies below them has its place
// alone. A field's name ends in "?" where it may be absent, an element "|null" where it may
// be null; "&Name" refers to a type. Prose is quoted on lines of its own.
// testdata/dump.golden shows every kind of line. The same contract gives the same bytes.
// The error is w's.
func Dump(w io.Writer, c *Contract) error {
	d := &dumper{source: c.Source}
	d.contract(c)
	_, err := io.WriteString(w, d.b.String())
	return err
}

// A dumper collects lines. Its methods are named after what they print.
type dumper struct {
	b      strings.Builder
	depth  int
	source string
}

// line prints one line out of those parts that are not empty.
func (d *dumper) line(parts ...string) {
	d.b.WriteString(strings.Repeat("  ", d.depth))
	first := true
	for _, p := range parts {
		if p == "" {
			continue
		}
		if !first {
			d.b.WriteByte(' ')
		}
		d.b.WriteString(p)
		first = false
	}
	d.b.WriteByte('\n')
}

// in prints what f prints one step further in.
func (d *dumper) in(f func()) {
	d.depth++
	f()
	d.depth--
}

// at is the place of s, without its path.
func (d *dumper) at(s Span) string {
	switch {
	case s.Line == 0:
		return ""
	case s.File != d.source && s.File != "":
		return fmt.Sprintf("@%s:%d:%d", s.File, s.Line, s.Col)
	}
	return fmt.Sprintf("@%d:%d", s.Line, s.Col)
}

// place is the place of s with its path.
func (d *dumper) place(s Span) string { return strings.TrimSpace(d.at(s) + " " + s.Path) }

func (d *dumper) contract(c *Contract) {
	d.line("contract", name(c.Name), quoted(c.Title), c.Version, c.Format.String(), name(c.Source))
	d.in(func() {
		d.doc(c.Doc)
		d.list("file", c.Files)
		if n := len(c.Descriptors); n > 0 {
			d.line("descriptors", "present")
		}
	})
	for _, s := range c.Servers {
		d.server(s)
	}
	for _, s := range c.Security {
		d.scheme(s)
	}
	for _, s := range c.Services {
		d.service(s)
	}
	for _, t := range c.Types {
		d.typ(t)
	}
}

func (d *dumper) list(word string, items []string) {
	for _, s := range items {
		d.line(word, name(s))
	}
}

func (d *dumper) doc(doc Doc) {
	if doc.Summary != "" {
		d.line("summary", strconv.Quote(doc.Summary))
	}
	if doc.Detail != "" {
		d.line("detail", strconv.Quote(doc.Detail))
	}
	if doc.Deprecated != "" {
		d.line("deprecated", strconv.Quote(doc.Deprecated))
	}
}

func (d *dumper) server(s *Server) {
	d.line("server", name(s.Name), s.Protocol, name(s.URL), d.place(s.Span))
	d.in(func() {
		d.doc(s.Doc)
		for _, v := range s.Vars {
			d.line("variable", name(v.Name), assigned("default", v.Default), choice(v.Enum), d.at(v.Span))
			d.in(func() { d.doc(v.Doc) })
		}
		d.bindings(s.Bindings)
	})
}

func (d *dumper) scheme(s *Scheme) {
	d.line("scheme", name(s.Name), s.Kind, s.HTTP, assigned("format", s.Format), assigned("in", s.In),
		assigned("param", s.Param), assigned("discovery", s.DiscoveryURL), d.place(s.Span))
	d.in(func() {
		d.doc(s.Doc)
		for _, f := range s.Flows {
			d.line("flow", f.Kind, assigned("authorize", f.AuthorizationURL), assigned("token", f.TokenURL),
				assigned("refresh", f.RefreshURL), choice(f.Scopes))
		}
	})
}

func (d *dumper) service(s *Service) {
	d.line("service", name(s.Name), s.Role, d.place(s.Span))
	d.in(func() {
		d.doc(s.Doc)
		for _, o := range s.Operations {
			d.operation(o)
		}
	})
}

func (d *dumper) operation(o *Operation) {
	d.line("operation", name(o.Name), o.Kind.String(), when(o.Incoming, "incoming"), when(o.Idempotent, "idempotent"), d.place(o.Span))
	d.in(func() {
		d.doc(o.Doc)
		if len(o.Tags) > 0 {
			d.line("tags", choice(o.Tags))
		}
		d.security(o.Security)
		d.wire(o.Wire)
		d.message("in", o.In)
		for _, s := range o.Out {
			d.outcome("out", s.Status, s.Doc, s.Body, s.Span)
			d.links(s.Links)
		}
		for _, f := range o.Failures {
			d.outcome("failure", f.Status, f.Doc, f.Body, f.Span)
		}
		for _, c := range o.Callbacks {
			d.line("callback", name(c.Name), strconv.Quote(c.URL), "to", name(c.Operation.Name), d.at(c.Span))
		}
		if p := o.Pages; p != nil {
			d.line("pages", p.Kind, assigned("param", p.Param), assigned("items", p.Items), assigned("next", p.Next),
				assigned("more", p.More), assigned("total", p.Total), d.at(p.Span))
		}
	})
}

func (d *dumper) links(links []*Link) {
	for _, l := range links {
		d.line("link", name(l.Name), "to", name(l.Target.Name), d.at(l.Span))
		d.in(func() {
			for _, v := range l.Values {
				d.line(v.In, name(v.Name), assigned("expression", v.Expression), v.JSON)
			}
		})
	}
}

func (d *dumper) security(any [][]Requirement) {
	for _, all := range any {
		var names []string
		for _, r := range all {
			names = append(names, r.Scheme.Name+choice(r.Scopes))
		}
		if names == nil {
			names = []string{"anonymous"}
		}
		d.line("security", strings.Join(names, " + "))
	}
}

func (d *dumper) wire(w Wire) {
	switch w := w.(type) {
	case *HTTP:
		d.line("http", w.Method, name(w.Path))
		d.in(func() {
			d.params(w.Params)
			for _, s := range w.Servers {
				d.server(s)
			}
		})
	case *GRPC:
		d.line("grpc", w.Method, w.In, "->", w.Out, when(w.Safe, "safe"), when(w.Checked, "checked"))
		d.in(func() {
			for _, r := range w.Routes {
				d.line("route", r.Method, r.Path, when(r.Body != "", "body="+r.Body), when(r.Reply != "", "reply="+r.Reply))
			}
		})
	case *Channel:
		d.channel("channel", w)
	}
}

func (d *dumper) channel(word string, c *Channel) {
	address := strconv.Quote(c.Address)
	if c.Address == "" {
		address = "dynamic"
	}
	d.line(word, name(c.Name), address, d.place(c.Span))
	d.in(func() {
		d.params(c.Params)
		for _, s := range c.Servers {
			d.line("on", name(s.Name))
		}
		d.bindings(c.Bindings)
		d.reply(c.Reply)
	})
}

func (d *dumper) reply(r *Reply) {
	if r == nil {
		return
	}
	d.line("reply", location("at", r.Address))
	d.in(func() {
		if r.Channel != nil {
			d.channel("channel", r.Channel)
		}
		d.message("message", r.Message)
	})
}

func (d *dumper) bindings(all []*Binding) {
	for _, b := range all {
		protocol := b.Protocol
		if protocol == "" {
			protocol = "any"
		}
		d.line("binding", protocol, b.On, d.at(b.Span))
		d.in(func() {
			for _, v := range b.Values {
				d.value(v)
			}
		})
	}
}

func (d *dumper) value(v Value) {
	text := strconv.Quote(v.Text)
	if v.Schema != nil {
		text = head(v.Schema)
	}
	d.line(v.Key, "=", text)
	if v.Schema != nil {
		d.in(func() { d.inside(v.Schema) })
	}
}

func (d *dumper) params(all []*Param) {
	for _, p := range all {
		d.field("param", &p.Field, assigned("in", p.In), assigned("style", p.Style), when(p.Explode, "explode"),
			when(p.AllowReserved, "reserved"), assigned("media", p.Media), location("at", p.Location))
	}
}

// outcome prints one way in which an operation ends.
func (d *dumper) outcome(word, status string, doc Doc, m *Message, at Span) {
	d.line(word, status, d.at(at))
	d.in(func() {
		d.doc(doc)
		d.message("message", m)
	})
}

func (d *dumper) message(word string, m *Message) {
	if m == nil {
		return
	}
	d.line(word, name(m.Name), location("key", m.Key), location("correlation", m.Correlation), d.place(m.Span))
	d.in(func() {
		d.doc(m.Doc)
		for _, b := range m.Bodies {
			d.body(b)
		}
		if e := m.Cloud; e != nil {
			d.line("cloudevent", when(e.Structured, "structured"), assigned("type", e.Type), assigned("source", e.Source))
		}
		for _, h := range m.Headers {
			d.field("header", h)
		}
		for _, one := range m.OneOf {
			d.message("one", one)
		}
	})
}

func coding(c *Coding) string {
	if c == nil {
		return ""
	}
	return spaced(c.Language, assigned("message", c.Message), when(c.Framed, "framed"), assigned("schema", c.Schema))
}

func (d *dumper) body(b *Body) {
	kind := "bytes"
	if b.Schema != nil {
		kind = head(b.Schema)
	}
	d.line("body", b.Media, kind, when(b.Required, "required"), when(b.Nullable, "nullable"), coding(b.Coding), d.at(b.Span))
	d.in(func() {
		d.inside(b.Schema)
		if b.Item != nil {
			d.line("item", head(b.Item), when(b.Events, "events"))
			d.in(func() { d.inside(b.Item) })
		}
		for _, e := range b.Encoding {
			d.line("encoding", name(e.Field), e.Media, assigned("style", e.Style), when(e.Explode, "explode"))
			d.in(func() {
				for _, h := range e.Headers {
					d.field("header", h)
				}
			})
		}
	})
}

// name prints s bare where it is one word, and quoted otherwise.
func name(s string) string {
	if strings.ContainsAny(s, " \t\r\n\"@=") || strconv.Quote(s) != `"`+s+`"` {
		return strconv.Quote(s)
	}
	return s
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

func assigned(key, value string) string {
	if value == "" {
		return ""
	}
	return key + "=" + name(value)
}

func when(on bool, word string) string {
	if on {
		return word
	}
	return ""
}

// choice prints words in brackets, nothing where there are none.
func choice(words []string) string {
	if len(words) == 0 {
		return ""
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = name(w)
	}
	return "[" + strings.Join(out, " ") + "]"
}

func location(word string, l *Location) string {
	if l == nil {
		return ""
	}
	return word + "=" + l.In + "#" + l.Pointer
}
