package transcode

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// maxNesting is how deep JSON may be nested, as deep as binary messages may be in other
// implementations.
const maxNesting = 100

func wrong(format string, args ...any) error {
	return concordat.Errorf(concordat.InvalidArgument, format, args...)
}

// request reads the one message of r.
func (h *handler) request(r *http.Request, path []string) (proto.Message, error) {
	m := h.in.New()
	if err := h.readBody(m, r); err != nil {
		return m.Interface(), err
	}
	return m.Interface(), h.around(m, r, path)
}

// around fills what stands outside of the body: the path wins over everything.
func (h *handler) around(m protoreflect.Message, r *http.Request, path []string) error {
	if r.URL.RawQuery != "" {
		if err := h.query(m, r.URL.RawQuery); err != nil {
			return err
		}
	}
	for i := range h.route.vars {
		v := &h.route.vars[i]
		if err := v.field.set(m, []string{v.value(path)}); err != nil {
			return wrong("%s in the path %w", v.field.name(), err)
		}
	}
	return nil
}

// readBody fills m from a body, as the rule says.
func (h *handler) readBody(m protoreflect.Message, r *http.Request) error {
	target := h.rawBody(m)
	if err := h.acceptable(r, target != nil); err != nil {
		return err
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return unread(err)
	}
	if target != nil {
		fields := target.Descriptor().Fields()
		target.Set(fields.ByName("content_type"), protoreflect.ValueOfString(r.Header.Get("Content-Type")))
		target.Set(fields.ByName("data"), protoreflect.ValueOfBytes(raw))
		return nil
	}
	return h.fill(m, raw)
}

// unread is the error of a body that did not arrive whole.
func unread(err error) error {
	if e := concordat.ErrorOf(err); e.Code != concordat.Unknown {
		return e
	}
	return wrong("the body broke off: %w", err)
}

// fill reads one JSON text into what the rule says is the body. No text is an empty one.
func (h *handler) fill(m protoreflect.Message, raw []byte) error {
	raw = bytes.TrimSpace(raw)
	switch {
	case !h.route.whole && h.route.body == nil:
		if len(raw) > 0 && string(raw) != "{}" {
			return wrong("this route takes no body")
		}
		return nil
	case len(raw) == 0:
		return nil
	case h.route.body != nil:
		// The JSON of a field alone is read as that of a message with this field.
		raw = append(append(append([]byte("{"), strconv.Quote(h.route.body.JSONName())+":"...), raw...), '}')
	}
	o := protojson.UnmarshalOptions{DiscardUnknown: h.json.AllowUnknown, RecursionLimit: maxNesting}
	if err := o.Unmarshal(raw, m.Interface()); err != nil {
		return wrong("the body is no %s: %s", h.expected(), plain(err))
	}
	return nil
}

func (h *handler) expected() string {
	if h.route.body != nil {
		return string(h.route.body.FullName())
	}
	return string(h.in.Descriptor().FullName())
}

// plain undoes what the Protobuf module does so that nobody compares its texts.
func plain(err error) string {
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto: ")
}

// httpBody is the message that stands for a body of any media type (google/api/httpbody.proto).
const httpBody = "google.api.HttpBody"

// rawBody is where a body goes as it is; nil where it is JSON.
func (h *handler) rawBody(m protoreflect.Message) protoreflect.Message {
	f := h.route.body
	switch {
	case h.route.whole && m.Descriptor().FullName() == httpBody:
		return m
	case f != nil && f.Message() != nil && !f.IsList() && f.Message().FullName() == httpBody:
		return m.Mutable(f).Message()
	}
	return nil
}

// acceptable refuses a body that is no JSON, or packed.
func (h *handler) acceptable(r *http.Request, any bool) error {
	if c := r.Header.Get("Content-Encoding"); c != "" && c != "identity" {
		return &concordat.Error{Code: concordat.InvalidArgument, Status: http.StatusUnsupportedMediaType, Message: "the body is packed by " + c + "; send it as it is"}
	}
	media := r.Header.Get("Content-Type")
	if any || media == "" || r.ContentLength == 0 || !h.route.whole && h.route.body == nil {
		return nil
	}
	base, _, err := mime.ParseMediaType(media)
	if err != nil || base != "application/json" && base != ndjson && base != "application/jsonl" && !strings.HasSuffix(base, "+json") {
		return &concordat.Error{Code: concordat.InvalidArgument, Status: http.StatusUnsupportedMediaType,
			Message: "the body is " + strconv.Quote(media) + "; this route takes application/json"}
	}
	return nil
}

// query fills fields from the query string.
func (h *handler) query(m protoreflect.Message, raw string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return wrong("the query string cannot be read: %w", err)
	}
	for key, texts := range values {
		if system(key) {
			continue
		}
		if err := h.parameter(m, key, texts); err != nil {
			return wrong("query parameter %s %w", key, err)
		}
	}
	return nil
}

// parameter fills one field. A map's entry is name[key].
func (h *handler) parameter(m protoreflect.Message, key string, texts []string) error {
	name, entry, isEntry := strings.Cut(strings.TrimSuffix(key, "]"), "[")
	f, err := resolve(m.Descriptor(), name)
	switch {
	case err != nil && h.json.AllowUnknown:
		return nil
	case err != nil:
		return errors.New("is not known: " + err.Error())
	case h.route.whole || h.route.taken[f.name()] || h.route.body != nil && f[0] == h.route.body:
		return errors.New("belongs to the path or the body of this route")
	}
	if err := f.clash(m); err != nil {
		return err
	}
	if isEntry && strings.HasSuffix(key, "]") {
		return f.put(m, entry, texts[len(texts)-1])
	}
	return f.set(m, texts)
}

// system says whether a query parameter is none of the method's: those that Google's APIs
// share begin with "$", or are these.
func system(key string) bool {
	switch key {
	case "alt", "key", "access_token", "oauth_token", "prettyPrint", "quotaUser", "fields", "callback", "upload_protocol", "uploadType":
		return true
	}
	return strings.HasPrefix(key, "$")
}

// texts returns a function that reads the messages of a body one by one, io.EOF behind
// the last.
func (h *handler) texts(r *http.Request, path []string) func() (proto.Message, error) {
	limit := &limited{r: r.Body, max: h.server.MaxBody()}
	d := json.NewDecoder(limit)
	first := true
	return func() (proto.Message, error) {
		if first {
			first = false
			if err := h.acceptable(r, false); err != nil {
				return nil, err
			}
		}
		var raw json.RawMessage
		limit.left = limit.max
		if err := d.Decode(&raw); err == io.EOF {
			return nil, err
		} else if _, bad := errors.AsType[*json.SyntaxError](err); bad {
			return nil, wrong("the body is no sequence of JSON texts: %w", err)
		} else if err != nil {
			return nil, unread(err)
		}
		m := h.in.New()
		if err := h.fill(m, raw); err != nil {
			return nil, err
		}
		return m.Interface(), h.around(m, r, path)
	}
}
