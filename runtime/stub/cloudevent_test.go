package stub_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

type Measured struct {
	Event   concordat.CloudEvent
	Payload Lumens
}

func measuredEvent(structured bool) *stub.Event[Measured] {
	return &stub.Event[Measured]{
		Spec:   concordat.Spec{Name: "lights.Lights/Measured", Kind: concordat.Send, Route: "measured"},
		Bodies: []stub.Body{{Media: "application/json", T: &lumensTable, Kind: codec.Object, Off: unsafe.Offsetof(Measured{}.Payload), Flag: codec.Req}},
		Cloud:  &stub.Cloud{Off: unsafe.Offsetof(Measured{}.Event), Structured: structured, Type: "lights.measured"},
	}
}

// named is a broker of another protocol, whose binding spells headers in its own way.
type named struct {
	*spy
	name string
}

func (n named) Name() string { return n.name }

// What is published in either mode, and by whichever binding, arrives with all attributes.
func TestCloudEvents(t *testing.T) {
	for _, structured := range []bool{false, true} {
		for protocol, header := range map[string]string{"kafka": "ce_type", "amqp": "cloudEvents:type", "mqtt": "type", "nats": "ce-type"} {
			e := measuredEvent(structured)
			b := named{newSpy(), protocol}
			got := make(chan Measured, 1)
			conn := lights(t, b, func(s *concordat.Server) {
				stub.Consume(s, e, func(_ context.Context, m *Measured) error { got <- *m; return nil })
			})
			at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
			in := &Measured{Event: concordat.CloudEvent{ID: "7", Source: "/lights/ä 100%", Subject: "s", Time: at, Extensions: map[string]string{"tenant": "x"}},
				Payload: Lumens{Lumens: 5}}
			if err := stub.Publish(t.Context(), conn, e, in); err != nil {
				t.Fatal(err)
			}
			out := <-got
			if out.Event.ID != "7" || out.Event.Source != in.Event.Source || out.Event.Type != "lights.measured" || out.Event.Subject != "s" ||
				!out.Event.Time.Equal(at) || out.Event.Extensions["tenant"] != "x" || len(out.Event.Extensions) != 1 || out.Payload.Lumens != 5 {
				t.Errorf("%s structured %v: %+v", protocol, structured, out)
			}
			wire := <-b.seen
			if structured {
				var envelope map[string]any
				if err := json.Unmarshal(wire.Body, &envelope); err != nil || wire.Media != "application/cloudevents+json" ||
					envelope["specversion"] != "1.0" || envelope["datacontenttype"] != "application/json" {
					t.Errorf("%s: %s %s", protocol, wire.Media, wire.Body)
				}
			} else if wire.Headers[header] != "lights.measured" || wire.Media != "application/json" {
				t.Errorf("%s: %s %v", protocol, wire.Media, wire.Headers)
			}
		}
	}
}

func TestCloudEventWithoutSource(t *testing.T) {
	conn := lights(t, memory.New(), func(*concordat.Server) {})
	err := stub.Publish(t.Context(), conn, measuredEvent(false), &Measured{})
	if concordat.ErrorOf(err).Code != concordat.InvalidArgument || !strings.Contains(err.Error(), "Source") {
		t.Error(err)
	}
}

// With validation a message that breaks a rule is not sent, and the error names the place.
func TestPublishValidation(t *testing.T) {
	b := newSpy()
	conn, err := concordat.NewBrokerConn(b, quiet, concordat.WithPublishValidation())
	if err != nil {
		t.Fatal(err)
	}
	e := lightMeasuredEvent()
	err = stub.Publish(t.Context(), conn, e, &LightMeasured{StreetlightID: "1", Payload: Lumens{Lumens: -1}})
	if concordat.ErrorOf(err).Code != concordat.InvalidArgument || !strings.Contains(err.Error(), "/lumens") || len(b.seen) != 0 {
		t.Errorf("%v, sent %d", err, len(b.seen))
	}
	if err := stub.Publish(t.Context(), conn, e, &LightMeasured{StreetlightID: "1", Payload: Lumens{Lumens: 1}}); err != nil || len(b.seen) != 1 {
		t.Errorf("%v, sent %d", err, len(b.seen))
	}
}

var _ broker.Broker = named{}
