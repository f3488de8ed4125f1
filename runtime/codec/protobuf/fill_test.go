package protobuf_test

import (
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// A filler fills messages of any type at random.
type filler struct {
	*rand.Rand
	odds float64 // of a field to be set
	bad  bool    // strings that are not UTF-8, too
	maps bool    // maps may have several entries
}

func (f *filler) fill(m protoreflect.Message, depth int) {
	fds := m.Descriptor().Fields()
	for i := range fds.Len() {
		fd := fds.Get(i)
		if fd.Cardinality() != protoreflect.Required && f.Float64() > f.odds || depth <= 0 && fd.Message() != nil && fd.Cardinality() != protoreflect.Required {
			continue
		}
		f.field(m, fd, depth)
	}
	protoregistry.GlobalTypes.RangeExtensionsByMessage(m.Descriptor().FullName(), func(x protoreflect.ExtensionType) bool {
		if f.Float64() < f.odds/4 && depth > 0 {
			f.field(m, x.TypeDescriptor(), depth)
		}
		return true
	})
	if f.Float64() < f.odds/4 && depth > 0 {
		m.SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 9999, protowire.BytesType), []byte("unknown")))
	}
}

func (f *filler) field(m protoreflect.Message, fd protoreflect.FieldDescriptor, depth int) {
	switch {
	case fd.IsMap():
		n := 1
		if f.maps {
			n = f.IntN(4)
		}
		for range n {
			k := f.scalar(fd.MapKey()).MapKey()
			if fd.MapValue().Message() != nil {
				v := m.Mutable(fd).Map().NewValue()
				f.fill(v.Message(), depth-2)
				m.Mutable(fd).Map().Set(k, v)
			} else {
				m.Mutable(fd).Map().Set(k, f.scalar(fd.MapValue()))
			}
		}
	case fd.IsList():
		for range f.IntN(12) {
			if fd.Message() != nil {
				f.fill(m.Mutable(fd).List().AppendMutable().Message(), depth-2)
			} else {
				m.Mutable(fd).List().Append(f.scalar(fd))
			}
		}
	case fd.Message() != nil:
		f.fill(m.Mutable(fd).Message(), depth-1)
	default:
		m.Set(fd, f.scalar(fd))
	}
}

var texts = []string{"", "a", "Ünïcode ☃ 漢字", "some words that stand for text", "0123456789"}

func (f *filler) text() string {
	switch n := f.IntN(12); {
	case n == 0 && f.bad:
		return "\xff bad \xc3"
	case n == 1:
		b := make([]byte, f.IntN(700))
		for i := range b {
			b[i] = 'a' + byte(f.IntN(26))
		}
		return string(b)
	default:
		return texts[n%len(texts)]
	}
}

// bits are numbers of every length.
func (f *filler) bits() uint64 {
	n := f.Uint64() >> f.IntN(64)
	if f.IntN(4) == 0 {
		return ^n
	}
	return n
}

func (f *filler) scalar(fd protoreflect.FieldDescriptor) protoreflect.Value {
	n := f.bits()
	if f.IntN(8) == 0 {
		n = 0
	}
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n&1 == 1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(fd.Enum().Values().Get(int(n % uint64(fd.Enum().Values().Len()))).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(n))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(n)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32([]float32{0, 1.5, float32(math.Copysign(0, -1)), float32(math.Inf(1)), math.MaxFloat32}[n%5])
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64([]float64{0, 1.5, math.Copysign(0, -1), math.Inf(-1), math.MaxFloat64, math.NaN()}[n%6])
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(f.text())
	default:
		return protoreflect.ValueOfBytes([]byte(f.text()))
	}
}

// some returns a message like m, filled.
func (f *filler) some(m proto.Message, depth int) proto.Message {
	out := m.ProtoReflect().New()
	f.fill(out, depth)
	return out.Interface()
}
