package roundtrip

import (
	"log/slog"
	"math/rand/v2"
	"reflect"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/concordattest"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// Events publishes messages that the contract allows by the generated publisher and
// compares what a subscriber gets; requests must be answered, too.
func Events(t *testing.T, svc Service) {
	s := newSubject(svc)
	b := memory.New()
	quiet := concordat.WithLogger(slog.New(slog.DiscardHandler))
	srv := concordat.NewServer(concordat.WithPlaintext(), concordat.WithAddr("127.0.0.1:0"), concordat.WithBroker(b), quiet)
	s.register(srv)
	concordattest.Run(t, srv)
	conn, err := concordat.NewBrokerConn(b, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s.dial(conn)
	s.each(t, func(t *testing.T, method string, r *rand.Rand) {
		for range s.Draws {
			s.publish(t, method, r)
		}
	})
}

// drawMessage draws a message for an event, which is a *stub.Event[M].
func drawMessage(t *testing.T, of reflect.Type, event reflect.Value, r *rand.Rand) reflect.Value {
	m := reflect.New(of)
	d := &drawer{Rand: r}
	d.params(m.Elem(), event.FieldByName("Params").Interface().([]stub.Param))
	if bodies := event.FieldByName("Bodies").Interface().([]stub.Body); len(bodies) > 0 {
		b := bodies[0]
		f := codec.Field{Kind: b.Kind, T: b.T, R: b.R, Off: b.Off, Flag: b.Flag | codec.Req}
		d.body(m.Elem(), b.Media, f)
	}
	if d.err != nil {
		t.Logf("no message: %v", d.err)
		return reflect.Value{}
	}
	return m
}

func (s *subject) publish(t *testing.T, method string, r *rand.Rand) {
	op := reflect.ValueOf(s.Ops[method]).Elem()
	f := s.client.MethodByName(method).Type()
	event := op
	var out reflect.Value
	if f.NumOut() == 2 {
		event = op.FieldByName("Event")
		if out = drawMessage(t, f.Out(0).Elem(), op.FieldByName("Reply"), r); !out.IsValid() {
			return
		}
	}
	m := drawMessage(t, f.In(1).Elem(), event, r)
	if !m.IsValid() {
		return
	}
	want := show(m.Elem().Interface())
	seen := make(chan string, 16)
	s.answer(func(args []reflect.Value) []reflect.Value {
		seen <- show(args[1].Elem().Interface())
		return results(f, out, nil)
	})
	got, err := call(t.Context(), s.client, method, m)
	if err != nil {
		t.Errorf("the call failed: %v\nmessage %s", err, want)
		return
	}
	select {
	case shown := <-seen:
		if shown != want {
			t.Errorf("the subscriber saw another message, %s", differ(want, shown))
		}
	case <-t.Context().Done():
		t.Error("the message did not arrive")
	}
	if out.IsValid() {
		if want, got := show(out.Elem().Interface()), show(got.Elem().Interface()); want != got {
			t.Errorf("another answer arrived, %s", differ(want, got))
		}
	}
}
