package transcode

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A field is a path of fields: that of "book.author.name". All but the last hold one
// message each.
type field []protoreflect.FieldDescriptor

// resolve finds a field of md by names as the file or JSON spells them.
func resolve(md protoreflect.MessageDescriptor, path string) (field, error) {
	var out field
	for name := range strings.SplitSeq(path, ".") {
		if md == nil {
			return nil, fmt.Errorf("%s holds no fields", out.name())
		}
		fd := md.Fields().ByName(protoreflect.Name(name))
		if fd == nil {
			fd = md.Fields().ByJSONName(name)
		}
		if fd == nil {
			return nil, fmt.Errorf("%s has no field %q", md.FullName(), name)
		}
		out, md = append(out, fd), nil
		if fd.Message() != nil && !fd.IsList() && !fd.IsMap() {
			md = fd.Message()
		}
	}
	return out, nil
}

// name is the path as the file spells it.
func (f field) name() string {
	var b strings.Builder
	for i, fd := range f {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(string(fd.Name()))
	}
	return b.String()
}

// owner makes the messages above the last field, and returns the one that holds it.
func (f field) owner(m protoreflect.Message) protoreflect.Message {
	for _, fd := range f[:len(f)-1] {
		m = m.Mutable(fd).Message()
	}
	return m
}

// set fills the field from texts: one, or any number for a repeated field.
func (f field) set(m protoreflect.Message, texts []string) error {
	m, fd := f.owner(m), f[len(f)-1]
	switch {
	case fd.IsMap():
		return fmt.Errorf("is a map: write %s[key]=value", f.name())
	case fd.IsList():
		list := m.Mutable(fd).List()
		for _, text := range texts {
			v, err := parse(fd, text, list.NewElement)
			if err != nil {
				return err
			}
			list.Append(v)
		}
		return nil
	case len(texts) != 1:
		return fmt.Errorf("is given %d times, and holds one value", len(texts))
	}
	v, err := parse(fd, texts[0], func() protoreflect.Value { return m.NewField(fd) })
	if err == nil {
		m.Set(fd, v)
	}
	return err
}

// put sets one entry of a map.
func (f field) put(m protoreflect.Message, key, text string) error {
	m, fd := f.owner(m), f[len(f)-1]
	if !fd.IsMap() {
		return fmt.Errorf("is no map")
	}
	k, err := parse(fd.MapKey(), key, nil)
	if err != nil {
		return err
	}
	entries := m.Mutable(fd).Map()
	v, err := parse(fd.MapValue(), text, entries.NewValue)
	if err == nil {
		entries.Set(k.MapKey(), v)
	}
	return err
}

// clash says whether another member of the field's oneof is set.
func (f field) clash(m protoreflect.Message) error {
	fd := f[len(f)-1]
	of := fd.ContainingOneof()
	if of == nil || of.IsSynthetic() {
		return nil
	}
	if other := f.owner(m).WhichOneof(of); other != nil && other != fd {
		return fmt.Errorf("excludes %s: of %s only one can be set", other.Name(), of.Name())
	}
	return nil
}

// parse reads one value. fresh makes a message for those that are written as one text.
func parse(fd protoreflect.FieldDescriptor, text string, fresh func() protoreflect.Value) (v protoreflect.Value, err error) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		if !utf8.ValidString(text) {
			return v, fmt.Errorf("is not UTF-8")
		}
		return protoreflect.ValueOfString(text), nil
	case protoreflect.EnumKind:
		return enum(fd.Enum(), text)
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return message(fd.Message(), text, fresh())
	case protoreflect.BytesKind:
		b, err := base64.URLEncoding.DecodeString(padded(text))
		if err != nil {
			return v, fmt.Errorf("is not base64")
		}
		return protoreflect.ValueOfBytes(b), nil
	case protoreflect.BoolKind:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return v, fmt.Errorf("%q is neither true nor false", text)
		}
		return protoreflect.ValueOfBool(b), nil
	}
	if v, err = number(fd.Kind(), text); err != nil {
		return v, fmt.Errorf("%q is no %s", text, fd.Kind())
	}
	return v, nil
}

func number(k protoreflect.Kind, text string) (protoreflect.Value, error) {
	switch k {
	case protoreflect.FloatKind:
		f, err := strconv.ParseFloat(text, 32)
		return protoreflect.ValueOfFloat32(float32(f)), err
	case protoreflect.DoubleKind:
		f, err := strconv.ParseFloat(text, 64)
		return protoreflect.ValueOfFloat64(f), err
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(text, 10, 32)
		return protoreflect.ValueOfInt32(int32(n)), err
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(text, 10, 32)
		return protoreflect.ValueOfUint32(uint32(n)), err
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(text, 10, 64)
		return protoreflect.ValueOfUint64(n), err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return protoreflect.ValueOfInt64(n), err
}

// padded is base64 of either alphabet, with or without padding, in the one for URLs.
func padded(text string) string {
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	return text + strings.Repeat("=", (4-len(text)%4)%4)
}

// enum takes a name or a number; a closed enum only those that it has.
func enum(ed protoreflect.EnumDescriptor, text string) (v protoreflect.Value, err error) {
	if one := ed.Values().ByName(protoreflect.Name(text)); one != nil {
		return protoreflect.ValueOfEnum(one.Number()), nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	number := protoreflect.EnumNumber(n)
	if err != nil || ed.IsClosed() && ed.Values().ByNumber(number) == nil {
		return v, fmt.Errorf("%q is no %s", text, ed.FullName())
	}
	return protoreflect.ValueOfEnum(number), nil
}

// message reads a well-known type that JSON writes as one value.
func message(md protoreflect.MessageDescriptor, text string, v protoreflect.Value) (protoreflect.Value, error) {
	m, fields := v.Message(), md.Fields()
	switch md.FullName() {
	case "google.protobuf.Timestamp", "google.protobuf.Duration":
		if fromJSON(m, strconv.Quote(text), md) != nil {
			return v, fmt.Errorf("%q is no %s", text, md.FullName())
		}
		return v, nil
	case "google.protobuf.Value", "google.protobuf.Struct", "google.protobuf.ListValue":
		return v, fromJSON(m, text, md)
	case "google.protobuf.FieldMask":
		list := m.Mutable(fields.ByName("paths")).List()
		for path := range strings.SplitSeq(text, ",") {
			if path != "" {
				list.Append(protoreflect.ValueOfString(snake(path)))
			}
		}
		return v, nil
	case "google.protobuf.DoubleValue", "google.protobuf.FloatValue", "google.protobuf.Int64Value", "google.protobuf.UInt64Value",
		"google.protobuf.Int32Value", "google.protobuf.UInt32Value", "google.protobuf.BoolValue", "google.protobuf.StringValue",
		"google.protobuf.BytesValue":
		one, err := parse(fields.ByName("value"), text, nil)
		if err == nil {
			m.Set(fields.ByName("value"), one)
		}
		return v, err
	}
	return v, fmt.Errorf("is a message: name its fields, as in field.name=value")
}

func fromJSON(m protoreflect.Message, text string, md protoreflect.MessageDescriptor) error {
	if err := protojson.Unmarshal([]byte(text), m.Interface()); err != nil {
		return fmt.Errorf("%q is no %s", text, md.FullName())
	}
	return nil
}

// snake undoes the lowerCamelCase of JSON in the path of a field mask.
func snake(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
			b.WriteByte(c + 'a' - 'A')
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
