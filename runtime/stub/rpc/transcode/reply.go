package transcode

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// JSON says how messages are written and read. The zero JSON is Protobuf's own mapping:
// lowerCamelCase, enums by name, fields that have their default left out, and unknown
// fields refused.
type JSON struct {
	EmitDefaults bool // write fields without presence that have their default, too
	EnumNumbers  bool // write enums as numbers
	ProtoNames   bool // write field names as the file spells them; both are read
	AllowUnknown bool // ignore fields and query parameters that nobody declares
}

type settingKey struct{}

// WithJSON sets the JSON of all transcoded routes of a server.
func WithJSON(j JSON) concordat.ServerOption { return concordat.WithSetting(settingKey{}, j) }

const (
	jsonMedia = "application/json"
	ndjson    = "application/x-ndjson"
)

// encode returns the body of a reply, and its media type.
func (h *handler) encode(msg proto.Message) (body []byte, media string, err error) {
	m := msg.ProtoReflect()
	f := h.route.reply
	if raw := rawReply(m, f); raw != nil {
		fields := raw.Descriptor().Fields()
		media = raw.Get(fields.ByName("content_type")).String()
		if media == "" {
			media = "application/octet-stream"
		}
		return raw.Get(fields.ByName("data")).Bytes(), media, nil
	}
	if f != nil {
		body, err = h.encodeField(m, f)
	} else {
		body, err = h.marshal(msg, h.json.EmitDefaults)
	}
	if err != nil {
		return nil, "", concordat.Errorf(concordat.Internal, "the reply cannot be written as JSON: %s", plain(err))
	}
	return body, jsonMedia, nil
}

func rawReply(m protoreflect.Message, f protoreflect.FieldDescriptor) protoreflect.Message {
	switch {
	case f == nil && m.Descriptor().FullName() == httpBody:
		return m
	case f != nil && f.Message() != nil && !f.IsList() && f.Message().FullName() == httpBody:
		return m.Get(f).Message()
	}
	return nil
}

// encodeField writes a message with this field alone, and takes its value.
func (h *handler) encodeField(m protoreflect.Message, f protoreflect.FieldDescriptor) ([]byte, error) {
	if f.Message() != nil && !f.IsList() && !f.IsMap() {
		return h.marshal(m.Get(f).Message().Interface(), h.json.EmitDefaults)
	}
	alone := m.New()
	if m.Has(f) {
		alone.Set(f, m.Get(f))
	}
	raw, err := h.marshal(alone.Interface(), h.json.EmitDefaults || !m.Has(f))
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	name := f.JSONName()
	if h.json.ProtoNames {
		name = f.TextName()
	}
	if v, ok := fields[name]; ok {
		return v, nil
	}
	return []byte("null"), nil
}

func (h *handler) marshal(msg proto.Message, defaults bool) ([]byte, error) {
	raw, err := protojson.MarshalOptions{EmitDefaultValues: defaults, UseEnumNumbers: h.json.EnumNumbers, UseProtoNames: h.json.ProtoNames}.Marshal(msg)
	if err != nil {
		return nil, err
	}
	return compact(raw)
}

// compact takes out the blanks that protojson strews in so that nobody compares its texts.
func compact(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// A status is google.rpc.Status as JSON.
type status struct {
	Code    concordat.Code    `json:"code"`
	Message string            `json:"message"`
	Details []json.RawMessage `json:"details"`
}

// failure makes a status of what Server.Public lets out of err.
func (h *handler) failure(ctx context.Context, err error) (body []byte, code int) {
	e := h.server.Public(ctx, h.spec.Name, err)
	s := status{Code: e.Code, Message: e.Message, Details: []json.RawMessage{}}
	if s.Code == concordat.OK {
		s.Code = concordat.Unknown
	}
	if detail, ok := e.Detail.(proto.Message); ok {
		if packed, err := anypb.New(detail); err == nil {
			if raw, err := h.marshal(packed, h.json.EmitDefaults); err == nil {
				s.Details = append(s.Details, raw)
			}
		}
	}
	body, _ = json.Marshal(s)
	return body, e.HTTPStatus()
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	body, code := h.failure(r.Context(), err)
	write(w, r, code, jsonMedia, body)
}

func write(w http.ResponseWriter, r *http.Request, code int, media string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", media)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Del("Content-Length")
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // whoever asked has gone
	}
}

// beside adds what handler and interceptors want to be sent with the reply.
func beside(header http.Header, meta concordat.Meta) {
	for k, v := range meta {
		switch k {
		case "Content-Length", "Content-Type", "Content-Encoding":
		default:
			header[k] = v
		}
	}
}
