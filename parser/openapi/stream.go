package openapi

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// sequences are the media types whose bodies are one JSON text after the other, or events
// that carry them (OpenAPI 3.2.0 section 4.14.3).
var sequences = []string{events, "application/jsonl", "application/x-jsonl", "application/jsonlines", "application/ndjson",
	"application/x-ndjson", "application/stream+json", "application/json-seq", "application/geo+json-seq"}

const events = "text/event-stream"

func isSequence(media string) bool {
	base, _, _ := strings.Cut(media, ";")
	return slices.Contains(sequences, strings.ToLower(strings.TrimSpace(base)))
}

// items reads the schema of one item of a sequence: OpenAPI 3.2's itemSchema. Documents
// of earlier versions have no word for it, and describe by schema either the list or, more
// often, an item; one that is text says nothing of items.
func (r *reader) items(b *contract.Body, n *node.Node) {
	item := n.Get("itemSchema")
	if item == nil {
		item = r.itemOf(b.Media, n.Get("schema"))
	}
	if item == nil {
		return
	}
	b.Item, b.End = r.schemas.Schema(item), r.sentinel(n)
	r.streams = append(r.streams, b)
}

func (r *reader) itemOf(media string, schema *node.Node) *node.Node {
	if !isSequence(media) || schema.Len() == 0 {
		return nil
	}
	target := r.loader.Resolve(schema)
	switch target.Get("type").Text() {
	case "array":
		return target.Get("items")
	case "string":
		return nil
	}
	return schema
}

// eventFields are those of a server-sent event (HTML, "Server-sent events", 9.2.6).
var eventFields = []string{"data", "event", "id", "retry"}

// settleStreams says, once all types are read, which items are whole events.
func (r *reader) settleStreams() {
	for _, b := range r.streams {
		b.Events = isSequence(b.Media) && strings.HasPrefix(strings.ToLower(b.Media), events) && isEvent(b.Item, 0)
	}
}

// isEvent says whether s describes an event by its fields: data, and perhaps the others.
func isEvent(s contract.Schema, depth int) bool {
	switch s := contract.Resolve(s).(type) {
	case *contract.Object:
		data := false
		for _, f := range s.Fields {
			if !slices.Contains(eventFields, f.Name) {
				return false
			}
			data = data || f.Name == "data"
		}
		return data
	case *contract.Union:
		return depth < 10 && len(s.Variants) > 0 && !slices.ContainsFunc(s.Variants, func(v *contract.Variant) bool { return !isEvent(v.Schema, depth+1) })
	}
	return false
}

// streaming says whether an operation answers with nothing but sequences.
func streaming(op *contract.Operation) bool {
	found := false
	for _, out := range op.Out {
		if out.Body == nil {
			continue
		}
		for _, b := range out.Body.Bodies {
			if b.Item == nil || !isSequence(b.Media) {
				return false
			}
			found = true
		}
	}
	return found
}

// kind says how many items an operation takes and gives. A request is a stream where all
// that it may be is a sequence of JSON texts.
func kind(op *contract.Operation) contract.Kind {
	in := op.In != nil && len(op.In.Bodies) > 0
	for i := 0; in && i < len(op.In.Bodies); i++ {
		b := op.In.Bodies[i]
		in = b.Item != nil && isSequence(b.Media) && !isEvents(b.Media)
	}
	switch out := streaming(op); {
	case in && out:
		return contract.Bidi
	case in:
		return contract.ClientStream
	case out:
		return contract.ServerStream
	}
	return contract.Unary
}

func isEvents(media string) bool {
	base, _, _ := strings.Cut(media, ";")
	return strings.EqualFold(strings.TrimSpace(base), events)
}

// sentinel is the data by which a stream says that it is over, as the extensions of two
// generators name it: x-speakeasy-sse-sentinel and x-fern-streaming.
func (r *reader) sentinel(n *node.Node) string {
	if s := n.Get("x-speakeasy-sse-sentinel"); s != nil {
		return s.Text()
	}
	return n.Get("x-stream-end").Text()
}
