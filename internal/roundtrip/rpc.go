package roundtrip

import (
	"iter"
	"log/slog"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
)

// RPC calls every method of a Protobuf service over mutual TLS with random messages.
func RPC(t *testing.T, svc Service) {
	s := newSubject(svc)
	s.dial(concordattest.Serve(t, s.register, concordat.WithRetries(0), concordat.WithLogger(slog.New(slog.DiscardHandler))))
	s.each(t, func(t *testing.T, method string, r *rand.Rand) {
		for range s.Draws {
			s.rpc(t, method, r)
		}
	})
}

// streamed says whether a type is iter.Seq2[*T, error], and of which T.
func streamed(of reflect.Type) (reflect.Type, bool) {
	if of.Kind() == reflect.Func {
		return of.In(0).In(0).Elem(), true
	}
	return of.Elem(), false
}

// seq makes an iter.Seq2 of messages.
func seq(of reflect.Type, ms []proto.Message) reflect.Value {
	return reflect.MakeFunc(of, func(args []reflect.Value) []reflect.Value {
		for _, m := range ms {
			if !args[0].Call([]reflect.Value{reflect.ValueOf(m), reflect.Zero(reflect.TypeFor[error]())})[0].Bool() {
				break
			}
		}
		return nil
	})
}

// collect reads an iter.Seq2 of messages to its end.
func collect(v reflect.Value) (ms []proto.Message, err error) {
	yield := reflect.MakeFunc(v.Type().In(0), func(args []reflect.Value) []reflect.Value {
		if !args[1].IsNil() {
			err = args[1].Interface().(error)
		} else {
			ms = append(ms, args[0].Interface().(proto.Message))
		}
		return []reflect.Value{reflect.ValueOf(err == nil)}
	})
	v.Call([]reflect.Value{yield})
	return ms, err
}

var _ iter.Seq2[int, error] // what seq makes and collect reads

func (s *subject) rpc(t *testing.T, method string, r *rand.Rand) {
	f := s.client.MethodByName(method).Type()
	in, many := streamed(f.In(1))
	out, streams := streamed(f.Out(0))
	sent, answers := draws(r, in, many), draws(r, out, streams)
	var seen []proto.Message
	s.answer(func(args []reflect.Value) []reflect.Value {
		if many {
			seen, _ = collect(args[1])
		} else {
			seen = []proto.Message{args[1].Interface().(proto.Message)}
		}
		if streams {
			return []reflect.Value{seq(f.Out(0), answers)}
		}
		return results(f, reflect.ValueOf(answers[0]), nil)
	})
	arg := reflect.ValueOf(sent[0])
	if many {
		arg = seq(f.In(1), sent)
	}
	res := s.client.MethodByName(method).Call([]reflect.Value{reflect.ValueOf(t.Context()), arg})
	var got []proto.Message
	var err error
	if streams {
		got, err = collect(res[0])
	} else if err, _ = res[1].Interface().(error); err == nil {
		got = []proto.Message{res[0].Interface().(proto.Message)}
	}
	if err != nil {
		t.Errorf("the call failed: %v", err)
		return
	}
	same(t, "the server saw", sent, seen)
	same(t, "the client got", answers, got)
}

func same(t *testing.T, what string, want, got []proto.Message) {
	if len(want) != len(got) {
		t.Errorf("%s %d messages, not %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if !proto.Equal(want[i], got[i]) {
			t.Errorf("%s %v, not %v", what, got[i], want[i])
		}
	}
}

func draws(r *rand.Rand, of reflect.Type, many bool) []proto.Message {
	n := 1
	if many {
		n = 1 + r.IntN(3)
	}
	ms := make([]proto.Message, n)
	for i := range ms {
		ms[i] = reflect.New(of).Interface().(proto.Message)
		fillMessage(r, ms[i].ProtoReflect(), 0)
	}
	return ms
}

// fillMessage sets some of a message's fields to something.
func fillMessage(r *rand.Rand, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fd.Cardinality() != protoreflect.Required && r.IntN(2) == 0 {
			continue
		}
		switch {
		case fd.IsMap():
			if depth < 3 {
				mp := m.Mutable(fd).Map()
				v := mp.NewValue()
				if fd.MapValue().Message() != nil {
					fillMessage(r, v.Message(), depth+1)
				} else {
					v = scalarValue(r, fd.MapValue())
				}
				mp.Set(scalarValue(r, fd.MapKey()).MapKey(), v)
			}
		case fd.IsList():
			if depth < 3 {
				l := m.Mutable(fd).List()
				for range 1 + r.IntN(2) {
					if fd.Message() != nil {
						fillMessage(r, l.AppendMutable().Message(), depth+1)
					} else {
						l.Append(scalarValue(r, fd))
					}
				}
			}
		case fd.Message() != nil:
			if depth < 3 || fd.Cardinality() == protoreflect.Required {
				fillMessage(r, m.Mutable(fd).Message(), depth+1)
			}
		default:
			m.Set(fd, scalarValue(r, fd))
		}
	}
}

func scalarValue(r *rand.Rand, fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(r.IntN(2) == 0)
	case protoreflect.EnumKind:
		vs := fd.Enum().Values()
		return protoreflect.ValueOfEnum(vs.Get(r.IntN(vs.Len())).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(r.Uint32()))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(r.Uint32())
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(r.Uint64()))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(r.Uint64())
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(r.NormFloat64()))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(r.NormFloat64() * math.MaxInt32)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(word(r, r.IntN(9))))
	}
	return protoreflect.ValueOfString(odd[r.IntN(len(odd))])
}
