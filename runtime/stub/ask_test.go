package stub_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
	"github.com/concordat-dev/concordat/runtime/broker/mqtt"
	"github.com/concordat-dev/concordat/runtime/broker/mqtt/mqttembed"
	"github.com/concordat-dev/concordat/runtime/broker/nats"
	"github.com/concordat-dev/concordat/runtime/broker/nats/natsembed"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// brokers are what requests are held to: one in the process, and two on the network.
func brokers(t *testing.T) map[string]broker.Broker {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	ns, err := natsembed.Start(natsembed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	ms, err := mqttembed.Start(mqttembed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ms.Close() })
	overNATS, err := nats.New(ns.URL(), nats.WithPlaintext(), nats.WithLogger(log))
	if err != nil {
		t.Fatal(err)
	}
	overMQTT, err := mqtt.New(ms.URL(), mqtt.WithLogger(log))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]broker.Broker{"memory": memory.New(), "nats": overNATS, "mqtt": overMQTT}
	for name, b := range all {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := b.Close(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	return all
}

// answers says when the program has subscribed to requests, which brokers that keep
// nothing need to know.
type answers struct {
	broker.Broker
	ready chan struct{}
}

func (a *answers) Subscribe(ctx context.Context, s broker.Subscription, h broker.Handler) error {
	if strings.HasSuffix(s.Address, "/dim") {
		s.Ready = func() { close(a.ready) }
	}
	return a.Broker.Subscribe(ctx, s, h)
}

func TestAskAndAnswer(t *testing.T) {
	for name, b := range brokers(t) {
		for what, reply := range map[string]string{"own address": "", "address of the contract": "lights/dimmed", "with parameters": "lights/{id}/dimmed"} {
			t.Run(name+" "+what, func(t *testing.T) { askAndAnswer(t, b, dimRequest(reply)) })
		}
	}
}

func askAndAnswer(t *testing.T, b broker.Broker, q *stub.Request[DimLight, Dimmed]) {
	watched := &answers{b, make(chan struct{})}
	left := make(chan time.Duration, 10)
	conn := lights(t, watched, func(s *concordat.Server) {
		stub.Answer(s, q, func(ctx context.Context, m *DimLight) (*Dimmed, error) {
			if end, ok := ctx.Deadline(); ok {
				left <- time.Until(end)
			}
			concordat.CallOf(ctx).SetReply("X-Lamp", m.StreetlightID)
			switch m.StreetlightID {
			case "none":
				return nil, concordat.Errorf(concordat.NotFound, "no light %s", m.StreetlightID)
			case "secret":
				return nil, errors.New("password hunter2")
			}
			return &Dimmed{Lumens{Lumens: m.Payload.Lumens / 2}}, nil
		})
	})
	<-watched.ready
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for i := range int64(3) {
		r, err := stub.Ask(ctx, conn, q, &DimLight{"l1", Lumens{Lumens: 2 * i}})
		if err != nil || r.Payload.Lumens != i {
			t.Fatal(r, err)
		}
	}
	if d := <-left; d < 59*time.Minute {
		t.Errorf("the other side knew of %v", d)
	}
	_, err := stub.Ask(ctx, conn, q, &DimLight{"none", Lumens{}})
	if e := concordat.ErrorOf(err); e.Code != concordat.NotFound || e.Message != "no light none" {
		t.Errorf("got %v", err)
	}
	_, err = stub.Ask(ctx, conn, q, &DimLight{"secret", Lumens{}})
	if e := concordat.ErrorOf(err); e.Code != concordat.Internal || strings.Contains(e.Message, "hunter2") {
		t.Errorf("got %v", err)
	}
}

// What the other side sets beside its answer arrives, on failures, too, and so do its
// headers of the trace.
func TestAnswersHaveHeaders(t *testing.T) {
	b, q := memory.New(), dimRequest("")
	traces := make(chan string, 2)
	conn := lights(t, b, func(s *concordat.Server) {
		stub.Answer(s, q, func(ctx context.Context, m *DimLight) (*Dimmed, error) {
			traces <- concordat.TraceParent(ctx)
			concordat.CallOf(ctx).SetReply("X-Lamp", m.StreetlightID)
			if m.StreetlightID == "none" {
				return nil, concordat.Errorf(concordat.NotFound, "no light")
			}
			return &Dimmed{}, nil
		})
	})
	ctx, err := concordat.WithTraceParent(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"l1", "none"} {
		got := ""
		asking, err := concordat.NewBrokerConn(conn.Broker(), quiet, concordat.WithInterceptors(func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
			out, err := next(ctx, in)
			got = call.ReplyMeta.Get("X-Lamp")
			return out, err
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stub.Ask(ctx, asking, q, &DimLight{id, Lumens{}}); (err == nil) != (id == "l1") || got != id {
			t.Errorf("%s: header %q, %v", id, got, err)
		}
		if tr := <-traces; !strings.HasPrefix(tr, "00-0af7651916cd43dd8448eb211c80319c-") || strings.Contains(tr, "b7ad6b7169203331") {
			t.Errorf("%s: in trace %q", id, tr)
		}
	}
}

// A lapse is a context whose deadline passes when the test says so.
type lapse struct {
	context.Context
	done chan struct{}
}

func (l lapse) Deadline() (time.Time, bool) { return time.Now().Add(time.Minute), true }
func (l lapse) Done() <-chan struct{}       { return l.done }

func (l lapse) Err() error {
	select {
	case <-l.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// sent calls then when a message was published.
type sent struct {
	broker.Broker
	then func()
}

func (s *sent) Publish(ctx context.Context, m *broker.Message) error {
	err := s.Broker.Publish(ctx, m)
	s.then()
	return err
}

func TestNobodyAnswers(t *testing.T) {
	for name, b := range brokers(t) {
		ctx := lapse{t.Context(), make(chan struct{})}
		conn, err := concordat.NewBrokerConn(&sent{b, func() { close(ctx.done) }}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		_, err = stub.Ask(ctx, conn, dimRequest(""), &DimLight{"l1", Lumens{}})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "lights/l1/dim") || !strings.Contains(err.Error(), "no answer came in time") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// overhear hands what arrives at address to f, from when it returns until stop is called.
func overhear(t *testing.T, b broker.Broker, address string, f func(*broker.Message)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	up, over := make(chan struct{}), make(chan error, 1)
	s := broker.Subscription{Address: address, Group: "listeners", Ready: func() { close(up) }}
	go func() {
		over <- b.Subscribe(ctx, s, func(_ context.Context, m *broker.Message) error { f(m); return nil })
	}()
	<-up
	return func() {
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	}
}

// An answer that comes after its asker has gone, one that comes twice, and one that was
// never asked for leave the next request its own answer.
func TestLateAnswersAreDropped(t *testing.T) {
	for name, b := range brokers(t) {
		t.Run(name, func(t *testing.T) {
			q := dimRequest("")
			conn, err := concordat.NewBrokerConn(b, quiet)
			if err != nil {
				t.Fatal(err)
			}
			asked := make(chan *broker.Message, 2)
			ctx := t.Context()
			stop := overhear(t, b, q.Route, func(m *broker.Message) { asked <- m })
			gone, leave := context.WithCancel(ctx)
			first := make(chan error, 1)
			go func() {
				_, err := stub.Ask(gone, conn, q, &DimLight{"l1", Lumens{}})
				first <- err
			}()
			late := <-asked
			leave()
			if err := <-first; concordat.ErrorOf(err).Code != concordat.Canceled {
				t.Errorf("who left got %v", err)
			}
			second := make(chan *Dimmed, 1)
			go func() {
				r, err := stub.Ask(ctx, conn, q, &DimLight{"l2", Lumens{}})
				if err != nil {
					t.Error(err)
				}
				second <- r
			}()
			now := <-asked
			for _, a := range []struct{ to, id, body string }{
				{late.ReplyTo, late.CorrelationID, `{"lumens":1}`}, {now.ReplyTo, "nobody's", `{"lumens":2}`},
				{now.ReplyTo, now.CorrelationID, `{"lumens":3}`}, {now.ReplyTo, now.CorrelationID, `{"lumens":4}`},
			} {
				if err := b.Publish(ctx, &broker.Message{Address: a.to, CorrelationID: a.id, Media: "application/json", Body: []byte(a.body)}); err != nil {
					t.Fatal(err)
				}
			}
			if r := <-second; r == nil || r.Payload.Lumens != 3 {
				t.Errorf("got %+v", r)
			}
			stop()
		})
	}
}
