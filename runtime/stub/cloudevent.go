package stub

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/codec"
)

// A Cloud says that the messages of an Event are CloudEvents 1.0, whose attributes are the
// field of type concordat.CloudEvent at Off. Structured ones hold the payload in a JSON
// envelope; of the others the attributes are headers, as the broker's protocol binding
// spells them. Both are understood whichever was agreed on.
type Cloud struct {
	Off          uintptr
	Structured   bool
	Type, Source string // of events that say none
}

const (
	cloudMedia  = "application/cloudevents+json"
	cloudPrefix = "application/cloudevents"
)

// prefixes are how protocol bindings begin the names of attributes; "ce-" for the others.
var prefixes = map[string]string{"kafka": "ce_", "amqp": "cloudEvents:", "mqtt": ""}

// wrap gives out the attributes of the event in the message at base.
func (c *Cloud) wrap(out *broker.Message, base pointer, protocol string) error {
	e := *(*concordat.CloudEvent)(unsafe.Add(base, c.Off))
	if e.Source == "" {
		e.Source = c.Source
	}
	if e.Type == "" {
		e.Type = c.Type
	}
	if e.Source == "" || e.Type == "" {
		return concordat.Errorf(concordat.InvalidArgument, "a CloudEvent needs a Source and a Type, and the contract says none for %s", out.Address)
	}
	if e.ID == "" {
		e.ID = out.ID
	} else {
		out.ID = e.Source + "#" + e.ID // what tells events apart
	}
	if e.Time.IsZero() {
		e.Time = out.Time
	}
	attributes, err := attributesOf(&e)
	if err != nil {
		return err
	}
	if c.Structured {
		return envelop(out, attributes)
	}
	prefix, ok := prefixes[protocol]
	if !ok {
		prefix = "ce-"
	}
	for name, value := range attributes {
		if prefix == "ce-" {
			value = percent(value)
		}
		out.Headers[prefix+name] = value
	}
	return nil
}

func attributesOf(e *concordat.CloudEvent) (map[string]string, error) {
	out := map[string]string{"specversion": "1.0", "id": e.ID, "source": e.Source, "type": e.Type,
		"time": e.Time.UTC().Format(time.RFC3339Nano)}
	for name, value := range map[string]string{"subject": e.Subject, "dataschema": e.DataSchema} {
		if value != "" {
			out[name] = value
		}
	}
	for name, value := range e.Extensions {
		bad := strings.ContainsFunc(name, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
		if _, taken := out[name]; taken || bad || name == "" || name == "data" || name == "datacontenttype" {
			return nil, concordat.Errorf(concordat.InvalidArgument, "%q cannot be the name of an extension of a CloudEvent", name)
		}
		out[name] = value
	}
	return out, nil
}

// envelop puts the payload of out into the JSON of a structured event.
func envelop(out *broker.Message, attributes map[string]string) error {
	b := []byte{'{'}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		b = member(b, name, jsonText(attributes[name]))
	}
	if out.Media != "" {
		b = member(b, "datacontenttype", jsonText(out.Media))
	}
	switch essence := parseMedia(out.Media).essence; {
	case out.Body == nil:
	case isJSON(essence):
		b = member(b, "data", out.Body)
	case strings.HasPrefix(essence, "text/"):
		b = member(b, "data", jsonText(string(out.Body)))
	default:
		b = member(b, "data_base64", jsonText(base64.StdEncoding.EncodeToString(out.Body)))
	}
	out.Body, out.Media = append(b, '}'), cloudMedia
	return nil
}

// percent encodes a value as the HTTP binding does (CloudEvents HTTP 1.0.2, 3.1.3.2).
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unwrap fills the attributes of the message at base from in, and returns the message with
// the payload alone.
func (c *Cloud) unwrap(in *broker.Message, base pointer, wrong *codec.Error) *broker.Message {
	e := (*concordat.CloudEvent)(unsafe.Add(base, c.Off))
	attributes, out := attributesIn(in), in
	if strings.HasPrefix(parseMedia(in.Media).essence, cloudPrefix) {
		var err error
		if attributes, out, err = opened(in); err != nil {
			wrong.Malformed = true
			wrong.Add(codec.Violation{Code: codec.CodeSyntax, Message: "is no CloudEvent: " + err.Error()})
			return in
		}
	}
	for _, name := range []string{"specversion", "id", "source", "type"} {
		if attributes[name] == "" {
			wrong.Add(codec.Violation{Pointer: "/cloudevent/" + name, Code: codec.CodeRequired, Message: "is required"})
		}
	}
	if text := attributes["time"]; text != "" {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			wrong.Add(codec.Violation{Pointer: "/cloudevent/time", Code: codec.CodeFormat, Message: "must be a time of RFC 3339"})
		}
		e.Time = at
	}
	e.ID, e.Source, e.Type = attributes["id"], attributes["source"], attributes["type"]
	e.Subject, e.DataSchema = attributes["subject"], attributes["dataschema"]
	for _, known := range []string{"specversion", "id", "source", "type", "subject", "dataschema", "time", "datacontenttype"} {
		delete(attributes, known)
	}
	if len(attributes) > 0 {
		e.Extensions = attributes
	}
	return out
}

// attributesIn are those that stand in headers, whichever binding wrote them. MQTT's have
// no prefix: there every property is taken for one.
func attributesIn(in *broker.Message) map[string]string {
	out := map[string]string{}
	for name, value := range in.Headers {
		for _, prefix := range []string{"ce-", "ce_", "cloudevents:", "cloudevents_"} {
			attribute, ok := strings.CutPrefix(strings.ToLower(name), prefix)
			if !ok {
				continue
			}
			if plain, err := url.PathUnescape(value); prefix == "ce-" && err == nil {
				value = plain
			}
			out[attribute] = value
		}
	}
	if len(out) == 0 && in.Headers["specversion"] != "" {
		maps.Copy(out, in.Headers)
		for name := range out {
			if strings.HasPrefix(name, "concordat-") || name == "traceparent" || name == "tracestate" {
				delete(out, name)
			}
		}
	}
	return out
}

// opened takes the envelope off a structured event.
func opened(in *broker.Message) (map[string]string, *broker.Message, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(in.Body, &members); err != nil {
		return nil, nil, err
	}
	out := *in
	out.Body, out.Media = nil, "application/json"
	attributes := map[string]string{}
	for name, value := range members {
		if name == "data" || name == "data_base64" {
			continue
		}
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value) // a number or a boolean
		}
		if text != "null" {
			attributes[name] = text
		}
	}
	if media := attributes["datacontenttype"]; media != "" {
		out.Media = media
	}
	if raw, ok := members["data_base64"]; ok {
		if err := json.Unmarshal(raw, &out.Body); err != nil {
			return nil, nil, fmt.Errorf("data_base64: %w", err)
		}
		return attributes, &out, nil
	}
	out.Body = members["data"]
	var text string
	if !isJSON(parseMedia(out.Media).essence) && json.Unmarshal(out.Body, &text) == nil {
		out.Body = []byte(text)
	}
	return attributes, &out, nil
}
