package protobuf

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/concordat-dev/concordat/contract"
)

func (b *builder) fields(m protoreflect.MessageDescriptor) []*contract.Field {
	var out []*contract.Field
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		out = append(out, &contract.Field{
			Name: string(f.Name()), Doc: b.doc(f), Span: b.span(f),
			Schema: b.schema(f), Required: f.Cardinality() == protoreflect.Required,
			Default: initial(f), Number: int(f.Number()), OneOf: group(f),
		})
	}
	return out
}

// group is the oneof of f, as written. An optional field's synthetic one is none.
func group(f protoreflect.FieldDescriptor) string {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return string(o.Name())
	}
	return ""
}

func (b *builder) schema(f protoreflect.FieldDescriptor) contract.Schema {
	switch {
	case f.IsMap():
		return &contract.Map{Key: b.single(f.MapKey()), Value: b.single(f.MapValue())}
	case f.IsList():
		return &contract.List{Elem: b.single(f)}
	}
	return b.single(f)
}

func (b *builder) single(f protoreflect.FieldDescriptor) contract.Schema {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return b.ref(f.Message())
	case protoreflect.EnumKind:
		return b.ref(f.Enum())
	}
	return scalar(f.Kind())
}

// scalar keeps the wire encoding as the format where several share a kind.
func scalar(k protoreflect.Kind) *contract.Scalar {
	switch k {
	case protoreflect.BoolKind:
		return &contract.Scalar{Kind: contract.Bool}
	case protoreflect.StringKind:
		return &contract.Scalar{Kind: contract.String}
	case protoreflect.BytesKind:
		return &contract.Scalar{Kind: contract.Bytes}
	case protoreflect.FloatKind:
		return &contract.Scalar{Kind: contract.Float32}
	case protoreflect.DoubleKind:
		return &contract.Scalar{Kind: contract.Float64}
	}
	s := &contract.Scalar{Kind: integer(k)}
	if name := k.String(); name != s.Kind.String() {
		s.Format = name
	}
	return s
}

func integer(k protoreflect.Kind) contract.ScalarKind {
	switch k {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return contract.Int32
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return contract.Uint32
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return contract.Uint64
	}
	return contract.Int64
}

func (b *builder) enum(e protoreflect.EnumDescriptor) *contract.Enum {
	out := &contract.Enum{Base: contract.Integer, Open: !e.IsClosed()}
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		out.Values = append(out.Values, contract.EnumValue{
			Name: string(v.Name()), JSON: strconv.Itoa(int(v.Number())), Doc: b.doc(v), Span: b.span(v),
		})
	}
	return out
}

// initial is the default value that f declares, as JSON in Protobuf's mapping.
func initial(f protoreflect.FieldDescriptor) *string {
	if !f.HasDefault() {
		return nil
	}
	var v any = f.Default().Interface()
	switch x := v.(type) {
	case []byte:
		v = base64.StdEncoding.EncodeToString(x)
	case protoreflect.EnumNumber:
		if f.DefaultEnumValue() == nil {
			return nil
		}
		v = string(f.DefaultEnumValue().Name())
	}
	text, err := json.Marshal(v)
	if err != nil { // an infinity or not a number, which Protobuf's JSON writes as text
		return new(strconv.Quote(named(f.Default().Float())))
	}
	return new(string(text))
}

func named(v float64) string {
	switch s := strconv.FormatFloat(v, 'g', -1, 64); s {
	case "+Inf":
		return "Infinity"
	case "-Inf":
		return "-Infinity"
	default:
		return s
	}
}

// prose is a comment as people read it: the one above, or else the one behind. The first
// paragraph is the summary.
func prose(loc protoreflect.SourceLocation) contract.Doc {
	text := unindent(loc.LeadingComments)
	if text == "" {
		text = unindent(loc.TrailingComments)
	}
	summary, detail, _ := strings.Cut(text, "\n\n")
	return contract.Doc{Summary: summary, Detail: strings.Trim(detail, "\n")}
}

// unindent removes the blank that follows the comment's sign.
func unindent(comment string) string {
	lines := strings.Split(comment, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(line, " "), " \t\r")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
