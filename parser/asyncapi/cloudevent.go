package asyncapi

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// cloudEvent finds out whether a message is a CloudEvent whose payload schema describes the
// data alone: by the content type of structured events, or by headers of the attributes.
// A payload schema with the attributes in it says all itself.
func (r *reader) cloudEvent(m *contract.Message, l layers) {
	media := strings.ToLower(text(l.get("contentType")))
	r.later = append(r.later, func() {
		if strings.HasPrefix(media, "application/cloudevents") {
			if len(m.Bodies) > 0 && !envelope(m.Bodies[0].Schema) {
				m.Cloud = &contract.CloudEvent{Structured: true}
				m.Bodies[0].Media = jsonMedia
			}
			return
		}
		found := map[string]*contract.Field{}
		for _, f := range m.Headers {
			if name, ok := contract.CloudAttribute(f.Name); ok {
				found[name] = f
			}
		}
		if found["type"] == nil || found["id"] == nil && found["source"] == nil && found["specversion"] == nil {
			return
		}
		m.Cloud = &contract.CloudEvent{Type: only(found["type"]), Source: only(found["source"])}
	})
}

// envelope says whether a schema has the attributes that every CloudEvent has.
func envelope(s contract.Schema) bool {
	o, ok := contract.Resolve(s).(*contract.Object)
	return ok && slices.ContainsFunc(o.Fields, func(f *contract.Field) bool { return f.Name == "specversion" }) &&
		slices.ContainsFunc(o.Fields, func(f *contract.Field) bool { return f.Name == "type" })
}

// only is the one text that a header may have, or its default; "" where there is none.
func only(f *contract.Field) string {
	if f == nil {
		return ""
	}
	var value string
	switch s := contract.Resolve(f.Schema).(type) {
	case *contract.Scalar:
		if s.Const != nil {
			value = *s.Const
		}
	case *contract.Enum:
		if len(s.Values) == 1 {
			value = s.Values[0].JSON
		}
	}
	if value == "" && f.Default != nil {
		value = *f.Default
	}
	var out string
	_ = json.Unmarshal([]byte(value), &out) // not a text: nothing is said
	return out
}

// sameCloud is what two messages of one operation say together.
func sameCloud(a, b *contract.CloudEvent) *contract.CloudEvent {
	if a == nil || b == nil || a.Structured != b.Structured {
		return nil
	}
	out := *a
	if a.Type != b.Type {
		out.Type = ""
	}
	if a.Source != b.Source {
		out.Source = ""
	}
	return &out
}
