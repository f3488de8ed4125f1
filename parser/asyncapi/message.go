package asyncapi

import (
	"cmp"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// jsonMedia is the content type of JSON Schema payloads for which the document says none.
const jsonMedia = "application/json"

// message reads the message that n is or refers to, once. key is what it is called where
// n stands; "" where that says nothing.
func (r *reader) message(key string, n *node.Node) *contract.Message {
	at := n
	n = r.mapping(n, "a message")
	if n == nil {
		return nil
	}
	if m := r.messages[n]; m != nil {
		return m
	}
	l := r.layered(n, "a message trait")
	m := &contract.Message{Doc: r.doc(l), Span: n.Span()}
	r.messages[n] = m
	m.Name = cmp.Or(text(l.get("name")), keyOf(n, "messages"), text(l.get("messageId")), key, keyOf(n, ""), keyOf(at, "messages"))
	m.Correlation = r.correlation(l.get("correlationId"))
	r.headers(m, l)
	if body := r.body(l); body != nil {
		m.Bodies = []*contract.Body{body}
	}
	r.bound[m] = r.bindings("message", l)
	r.cloudEvent(m, l)
	r.findKey(m, l)
	return m
}

// keyOf returns n's key where the map that holds it is called of, or is a whole file.
func keyOf(n *node.Node, of string) string {
	p := n.Parent()
	if p == nil || p.Kind() != node.Map {
		return ""
	}
	if of == "" && p.Parent() == nil || of != "" && p.Key() == of {
		return n.Key()
	}
	return ""
}

func (r *reader) correlation(n *node.Node) *contract.Location {
	n = r.follow(n)
	if n == nil {
		return nil
	}
	return r.location(n.Get("location"))
}

// headers reads the header schemas of a message and its traits. The first to name a
// header counts.
func (r *reader) headers(m *contract.Message, l layers) {
	for n := range l.all("headers") {
		n = r.unwrapped(n)
		if n == nil {
			continue
		}
		s := r.schemas.Schema(n)
		r.later = append(r.later, func() {
			o, ok := contract.Resolve(s).(*contract.Object)
			if !ok && text(r.follow(n).Get("type")) == "object" {
				return // none is named
			}
			if !ok {
				r.diags.Warnf("headers-not-object", n.Span(), "headers must be described by an object with properties; these are ignored")
				return
			}
			m.Headers = merged(m.Headers, o.Fields)
		})
	}
}

func merged(have, more []*contract.Field) []*contract.Field {
	seen := map[string]bool{}
	for _, f := range have {
		seen[strings.ToLower(f.Name)] = true
	}
	out := append([]*contract.Field{}, have...)
	for _, f := range more {
		if !seen[strings.ToLower(f.Name)] {
			out = append(out, f)
		}
	}
	return out
}

// unwrapped returns the schema inside a multi-format schema (version 3) if it is JSON
// Schema, nil with a diagnostic if it is not.
func (r *reader) unwrapped(n *node.Node) *node.Node {
	target := n
	if _, ref := n.Ref(); ref != nil {
		target = r.follow(n)
	}
	if !isMultiFormat(target) {
		return n
	}
	if format := target.Get("schemaFormat"); !isJSONSchema(text(format)) {
		r.unsupported(format)
		return nil
	}
	return target.Get("schema")
}

func isMultiFormat(n *node.Node) bool { return n.Has("schemaFormat") && n.Has("schema") }

// body reads the payload. One in a schema language that is not JSON Schema travels as the
// bytes that it is.
func (r *reader) body(l layers) *contract.Body {
	payload := l.get("payload")
	if payload == nil {
		return nil
	}
	b := &contract.Body{Media: cmp.Or(text(l.get("contentType")), r.mediaType), Required: true, Span: payload.KeySpan()}
	target := payload
	if _, ref := payload.Ref(); ref != nil && l.get("schemaFormat") == nil {
		target = r.follow(payload)
	}
	format, schema := l.get("schemaFormat"), payload
	if isMultiFormat(target) {
		format, schema = target.Get("schemaFormat"), target.Get("schema")
	}
	if format != nil && !isJSONSchema(text(format)) {
		r.foreign(b, l, format, schema)
		return b
	}
	b.Media = cmp.Or(b.Media, jsonMedia)
	b.Schema, b.Nullable = r.schemas.Schema(schema), r.schemas.Nullable(schema)
	return b
}

// isJSONSchema says whether a schemaFormat is AsyncAPI's own, JSON Schema, or the dialect
// of OpenAPI, all of which one reader understands.
func isJSONSchema(format string) bool {
	format, _, _ = strings.Cut(strings.ToLower(format), ";")
	format = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(format), "+json"), "+yaml")
	switch format {
	case "", "application/vnd.aai.asyncapi", "application/schema", "application/vnd.oai.openapi", "application/json", "application/x-yaml":
		return true
	}
	return false
}

// oneOf joins the messages that an operation may carry: the one itself, or a message
// whose body is their union.
func (r *reader) oneOf(all []*contract.Message, at contract.Span) *contract.Message {
	all = distinct(all)
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	u := &contract.Union{Span: at}
	b := &contract.Body{Schema: u, Required: true, Span: at}
	for _, m := range all {
		v := &contract.Variant{Name: m.Name, Schema: &contract.Any{}, Span: m.Span}
		if len(m.Bodies) > 0 {
			if m.Bodies[0].Schema != nil {
				v.Schema = m.Bodies[0].Schema
			}
			b.Media = r.sameMedia(b.Media, m.Bodies[0])
		}
		u.Variants = append(u.Variants, v)
	}
	b.Media = cmp.Or(b.Media, r.mediaType, jsonMedia)
	m := &contract.Message{OneOf: all, Bodies: []*contract.Body{b}, Span: at}
	r.later = append(r.later, func() { share(m) })
	return m
}

func distinct(all []*contract.Message) []*contract.Message {
	seen := map[*contract.Message]bool{}
	var out []*contract.Message
	for _, m := range all {
		if !seen[m] {
			seen[m] = true
			out = append(out, m)
		}
	}
	return out
}

// share gives a message that stands for several the key and the correlation that all of
// them have at the same place.
func share(m *contract.Message) {
	m.Key, m.Correlation, m.Cloud = m.OneOf[0].Key, m.OneOf[0].Correlation, m.OneOf[0].Cloud
	for _, one := range m.OneOf {
		m.Cloud = sameCloud(m.Cloud, one.Cloud)
		if !samePlace(m.Key, one.Key) {
			m.Key = nil
		}
		if !samePlace(m.Correlation, one.Correlation) {
			m.Correlation = nil
		}
	}
	if m.Cloud != nil && m.Cloud.Structured {
		m.Bodies[0].Media = jsonMedia // of the data
	}
}

func samePlace(a, b *contract.Location) bool {
	return a != nil && b != nil && a.In == b.In && a.Pointer == b.Pointer
}

// sameMedia warns where messages of one operation differ in content type.
func (r *reader) sameMedia(media string, b *contract.Body) string {
	if media != "" && media != b.Media {
		r.diags.Warnf("mixed-content-types", b.Span, "the messages of one operation travel as %s and as %s; %s is used for all",
			media, b.Media, media)
	}
	return cmp.Or(media, b.Media)
}

// findKey finds what orders messages: the extension x-key or x-partition-key, or the
// field of the payload that the Kafka binding's key refers to.
func (r *reader) findKey(m *contract.Message, l layers) {
	for _, ext := range []string{"x-key", "x-partition-key"} {
		if m.Key == nil {
			m.Key = r.key(l.get(ext))
		}
	}
	if m.Key == nil {
		m.Key = r.kafkaKey(l)
	}
	if m.Key == nil {
		return
	}
	r.later = append(r.later, func() {
		if !holds(m, m.Key) {
			r.diags.Warnf("key-not-found", m.Key.Span, "the message has no %s at %s; messages will not be ordered by it", m.Key.In, m.Key.Pointer)
			m.Key = nil
		}
	})
}

// kafkaKey returns the field of the payload that has the very schema of the key, where
// exactly one does.
func (r *reader) kafkaKey(l layers) *contract.Location {
	for b := range l.all("bindings") {
		key := r.follow(r.follow(b).Get("kafka")).Get("key")
		text, ref := key.Ref()
		if ref == nil {
			continue
		}
		want := r.loader.Lookup(key, text)
		var found []string
		for name, p := range r.follow(l.get("payload")).Get("properties").Entries() {
			if want != nil && (p == want || r.leadsTo(p, want)) {
				found = append(found, name)
			}
		}
		if len(found) == 1 {
			return &contract.Location{In: "payload", Pointer: "/" + node.Escape(found[0]), Span: key.Span()}
		}
	}
	return nil
}

func (r *reader) leadsTo(n, want *node.Node) bool {
	text, ref := n.Ref()
	return ref != nil && r.loader.Lookup(n, text) == want
}
