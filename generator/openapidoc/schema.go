package openapidoc

import (
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/concordat-dev/concordat/contract"
)

const httpBody = "google.api.HttpBody"

// requestBody is what travels in the body, without what the path carries.
func (e *emitter) requestBody(m protoreflect.MethodDescriptor, r *contract.Route, rt *route) *dict {
	if r.Body == "" {
		return nil
	}
	md, schema := m.Input(), (*dict)(nil)
	switch fd := md.Fields().ByName(protoreflect.Name(r.Body)); {
	case r.Body != "*" && fd == nil:
		return nil
	case r.Body == "*" && md.FullName() == httpBody, fd != nil && fd.Message() != nil && fd.Message().FullName() == httpBody:
		return new(dict).add("content", new(dict).add("*/*", new(dict).add("schema", typed("string").add("format", "binary"))))
	case fd != nil:
		schema = e.field(fd)
	case len(rt.taken) > 0:
		schema = e.object(md, rt.taken)
	default:
		schema = e.named(md)
	}
	media := new(dict).add("schema", schema)
	if m.IsStreamingClient() {
		e.streams = true
		return new(dict).add("required", true).add("content", new(dict).add("application/x-ndjson", new(dict).add("itemSchema", schema)))
	}
	return new(dict).add("required", true).add("content", new(dict).add("application/json", media))
}

func (e *emitter) success(m protoreflect.MethodDescriptor, r *contract.Route) *dict {
	d := new(dict).add("description", "The reply.")
	md, schema := m.Output(), (*dict)(nil)
	fd := md.Fields().ByName(protoreflect.Name(r.Reply))
	switch {
	case r.Reply == "" && md.FullName() == httpBody, fd != nil && fd.Message() != nil && fd.Message().FullName() == httpBody:
		return d.add("content", new(dict).add("*/*", new(dict).add("schema", typed("string").add("format", "binary"))))
	case fd != nil:
		schema = e.field(fd)
	default:
		schema = e.named(md)
	}
	if m.IsStreamingServer() {
		e.streams = true
		return d.add("content", new(dict).add("application/x-ndjson", new(dict).add("itemSchema", schema)))
	}
	return d.add("content", new(dict).add("application/json", new(dict).add("schema", schema)))
}

// fill makes the schemas that were referred to, and those that they refer to.
func (e *emitter) fill() {
	for ; len(e.queue) > 0; e.queue = e.queue[1:] {
		name := string(e.queue[0].FullName())
		switch d := e.queue[0].(type) {
		case protoreflect.MessageDescriptor:
			e.schemas[name] = e.object(d, nil)
		case protoreflect.EnumDescriptor:
			e.schemas[name] = enum(d)
		}
	}
}

// refer returns a reference to the schema of d, which will be there.
func (e *emitter) refer(d protoreflect.Descriptor) *dict {
	name := string(d.FullName())
	if e.schemas[name] == nil {
		e.schemas[name] = new(dict)
		e.queue = append(e.queue, d)
	}
	return ref(name)
}

func enum(d protoreflect.EnumDescriptor) *dict {
	out := typed("string").add("description", comment(d))
	var names []any
	for i := range d.Values().Len() {
		names = append(names, string(d.Values().Get(i).Name()))
	}
	return out.add("enum", names).add("x-extensible-enum", !d.IsClosed())
}

// object is the schema of a message, without fields that travel elsewhere.
func (e *emitter) object(md protoreflect.MessageDescriptor, without map[string]bool) *dict {
	out, properties := typed("object").add("description", comment(md)), new(dict)
	var required []any
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if without[string(fd.Name())] {
			continue
		}
		properties.add(fd.JSONName(), described(e.field(fd), fd))
		if fd.Cardinality() == protoreflect.Required {
			required = append(required, fd.JSONName())
		}
	}
	if len(properties.keys) > 0 {
		out.add("properties", properties)
	}
	return out.add("required", required)
}

// described adds what is said of a field; beside a reference, too, as 3.1 allows.
func described(schema *dict, fd protoreflect.FieldDescriptor) *dict {
	out := &dict{slices.Clone(schema.keys), slices.Clone(schema.values)}
	if !slices.Contains(out.keys, "description") {
		out.add("description", comment(fd))
	}
	if behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY) {
		out.add("readOnly", true)
	}
	if behaves(fd, annotations.FieldBehavior_INPUT_ONLY) {
		out.add("writeOnly", true)
	}
	if o, ok := fd.Options().(interface{ GetDeprecated() bool }); ok && o.GetDeprecated() {
		out.add("deprecated", true)
	}
	return out
}

func behaves(fd protoreflect.FieldDescriptor, b annotations.FieldBehavior) bool {
	all, _ := proto.GetExtension(fd.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(all, b)
}

func (e *emitter) field(fd protoreflect.FieldDescriptor) *dict {
	switch {
	case fd.IsMap():
		return typed("object").add("additionalProperties", e.single(fd.MapValue()))
	case fd.IsList():
		return typed("array").add("items", e.single(fd))
	}
	return e.single(fd)
}

// single is the schema of one value, as Protobuf's JSON mapping writes it.
func (e *emitter) single(fd protoreflect.FieldDescriptor) *dict {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return typed("boolean")
	case protoreflect.StringKind:
		return typed("string")
	case protoreflect.BytesKind:
		return typed("string").add("format", "byte").add("contentEncoding", "base64")
	case protoreflect.FloatKind:
		return typed("number").add("format", "float")
	case protoreflect.DoubleKind:
		return typed("number").add("format", "double")
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return typed("integer").add("format", "int32")
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return typed("integer").add("format", "int64").add("minimum", 0).add("maximum", 1<<32-1)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return typed("string").add("pattern", "^[0-9]+$")
	case protoreflect.EnumKind:
		if fd.Enum().FullName() == "google.protobuf.NullValue" {
			return typed("null")
		}
		return e.refer(fd.Enum())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return e.named(fd.Message())
	}
	return typed("string").add("pattern", "^-?[0-9]+$") // 64 bits, which JSON's numbers do not hold
}

// named is the schema of a message: a well-known type's own, or a reference.
func (e *emitter) named(md protoreflect.MessageDescriptor) *dict {
	if !known(md) {
		return e.refer(md)
	}
	switch name := strings.TrimPrefix(string(md.FullName()), "google.protobuf."); name {
	case "Timestamp":
		return typed("string").add("format", "date-time")
	case "Duration":
		return typed("string").add("pattern", `^-?[0-9]+(\.[0-9]{1,9})?s$`)
	case "FieldMask":
		return typed("string")
	case "Struct":
		return typed("object").add("additionalProperties", true)
	case "ListValue":
		return typed("array").add("items", new(dict))
	case "Value":
		return new(dict)
	case "Any":
		return typed("object").add("properties", new(dict).add("@type", typed("string"))).add("additionalProperties", true)
	case "Empty":
		return typed("object")
	}
	return e.single(md.Fields().ByName("value")) // a wrapper
}

// known says whether JSON writes a message in a way of its own.
func known(md protoreflect.MessageDescriptor) bool {
	return plain(md) || md.FullName() == "google.protobuf.Empty"
}

// plain says whether JSON writes a message as one value.
func plain(md protoreflect.MessageDescriptor) bool {
	name, ok := strings.CutPrefix(string(md.FullName()), "google.protobuf.")
	return ok && slices.Contains([]string{"Timestamp", "Duration", "FieldMask", "Struct", "ListValue", "Value", "Any", "DoubleValue", "FloatValue",
		"Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue"}, name)
}

// shapeless says whether a message holds JSON of any shape, for which a query has no words.
func shapeless(md protoreflect.MessageDescriptor) bool {
	return slices.Contains([]string{"google.protobuf.Any", "google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"}, string(md.FullName()))
}

// comment is what the source says of d.
func comment(d protoreflect.Descriptor) string {
	if d.ParentFile() == nil {
		return ""
	}
	at := d.ParentFile().SourceLocations().ByDescriptor(d)
	text := at.LeadingComments
	if text == "" {
		text = at.TrailingComments
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, " "), " \t\r")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
