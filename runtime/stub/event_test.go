package stub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// What follows is what the generator would emit for a small AsyncAPI document.

type LightMeasured struct {
	StreetlightID string
	Source        *string
	Payload       Lumens
}

type Lumens struct {
	Lumens int64
	SentAt *time.Time
}

type DimLight struct {
	StreetlightID string
	Payload       Lumens
}

type Dimmed struct{ Payload Lumens }

var lumensTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(Lumens{}), Go: (*Lumens)(nil), Required: 1, Fields: []codec.Field{
	{Key: `,"lumens":`, Kind: codec.Int64, Off: unsafe.Offsetof(Lumens{}.Lumens), Flag: codec.Req, R: &codec.Rule{Has: codec.Min, Min: 0}},
	{Key: `,"sentAt":`, Kind: codec.Time, Off: unsafe.Offsetof(Lumens{}.SentAt), Flag: codec.Ptr},
}}

func lightMeasuredEvent() *stub.Event[LightMeasured] {
	return &stub.Event[LightMeasured]{
		Spec: concordat.Spec{Name: "lights.Lights/LightMeasured", Kind: concordat.Send, Route: "lights/{streetlightId}/measured"},
		Params: []stub.Param{
			{Name: "streetlightId", In: stub.Address, Kind: codec.String, Off: unsafe.Offsetof(LightMeasured{}.StreetlightID), Flag: codec.Req},
			{Name: "x-source", In: stub.Header, Kind: codec.String, Off: unsafe.Offsetof(LightMeasured{}.Source), Flag: codec.Ptr},
		},
		Bodies:     []stub.Body{{Media: "application/json", T: &lumensTable, Kind: codec.Object, Off: unsafe.Offsetof(LightMeasured{}.Payload), Flag: codec.Req}},
		KeyOf:      func(m *LightMeasured) string { return m.StreetlightID },
		DeadLetter: "lights/{streetlightId}/dead",
		Settings:   []broker.Setting{{Protocol: "concordat", Name: "attempts", Value: "2"}},
	}
}

func dimRequest(reply string) *stub.Request[DimLight, Dimmed] {
	return &stub.Request[DimLight, Dimmed]{
		Event: stub.Event[DimLight]{
			Spec: concordat.Spec{Name: "lights.Lights/Dim", Kind: concordat.Request, Route: "lights/{streetlightId}/dim"},
			Params: []stub.Param{
				{Name: "streetlightId", In: stub.Address, Kind: codec.String, Off: unsafe.Offsetof(DimLight{}.StreetlightID), Flag: codec.Req},
			},
			Bodies: []stub.Body{{Media: "application/json", T: &lumensTable, Kind: codec.Object, Off: unsafe.Offsetof(DimLight{}.Payload), Flag: codec.Req}},
		},
		Reply: stub.Event[Dimmed]{
			Spec:   concordat.Spec{Name: "lights.Lights/Dim", Route: reply},
			Bodies: []stub.Body{{Media: "application/json", T: &lumensTable, Kind: codec.Object, Flag: codec.Req}},
		},
	}
}

// lights runs a server that consumes from b, and returns a connection that publishes.
func lights(t *testing.T, b broker.Broker, register func(*concordat.Server), opts ...concordat.ServerOption) *concordat.Conn {
	t.Helper()
	s := concordat.NewServer(append(opts, concordat.WithPlaintext(), concordat.WithBroker(b), quiet)...)
	register(s)
	run(t, s)
	conn, err := concordat.NewBrokerConn(b, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// spy keeps what was published.
type spy struct {
	broker.Broker
	seen chan *broker.Message
}

func newSpy() *spy { return &spy{memory.New(), make(chan *broker.Message, 100)} }

func (s *spy) Publish(ctx context.Context, m *broker.Message) error {
	s.seen <- m
	return s.Broker.Publish(ctx, m)
}

// only returns the next message published to an address with the prefix.
func (s *spy) only(prefix string) *broker.Message {
	for m := range s.seen {
		if strings.HasPrefix(m.Address, prefix) {
			return m
		}
	}
	return nil
}

func TestPublishAndConsume(t *testing.T) {
	b, event := newSpy(), lightMeasuredEvent()
	got, meta := make(chan *LightMeasured, 1), make(chan string, 1)
	conn := lights(t, b, func(s *concordat.Server) {
		stub.Consume(s, event, func(_ context.Context, m *LightMeasured) error { got <- m; return nil })
	}, concordat.WithInterceptors(func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		meta <- call.Meta.Get("X-Source") + " from " + call.Peer
		return next(ctx, in)
	}))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	err := stub.Publish(t.Context(), conn, event, &LightMeasured{"l7", new("roof"), Lumens{300, &at}})
	if err != nil {
		t.Fatal(err)
	}
	m := <-got
	if m.StreetlightID != "l7" || *m.Source != "roof" || m.Payload.Lumens != 300 || !m.Payload.SentAt.Equal(at) {
		t.Errorf("got %+v", m)
	}
	if s := <-meta; s != "roof from memory" {
		t.Errorf("interceptor saw %q", s)
	}
	wire := b.only("lights/")
	if _, err := codec.ParseUUID(wire.ID); err != nil || wire.Address != "lights/l7/measured" || wire.Key != "l7" || wire.Media != "application/json" ||
		wire.Headers["x-source"] != "roof" || string(wire.Body) != `{"lumens":300,"sentAt":"2026-01-02T03:04:05Z"}` || wire.Time.IsZero() {
		t.Errorf("sent %+v %s", wire, wire.Body)
	}
}

func TestBadMessagesGoToDeadLetters(t *testing.T) {
	b, event := newSpy(), lightMeasuredEvent()
	var handled atomic.Int32
	answer := make(chan error, 10)
	conn := lights(t, b, func(s *concordat.Server) {
		stub.Consume(s, event, func(context.Context, *LightMeasured) error { handled.Add(1); return <-answer })
	})
	for _, c := range []struct {
		what, body string
		answers    []error
		reason     string
		attempts   string
		contains   string
	}{
		{"not JSON", `{"lumens":`, nil, broker.ReasonRefused, "1", "contract"},
		{"violation", `{"lumens":-1}`, nil, broker.ReasonRefused, "1", "/lumens"},
		{"required", `{}`, nil, broker.ReasonRefused, "1", "lumens"},
		{"no body", ``, nil, broker.ReasonRefused, "1", "contract"},
		{"refused by the handler", `{"lumens":1}`, []error{concordat.Errorf(concordat.InvalidArgument, "no such light")}, broker.ReasonRefused, "1", "no such light"},
		{"given up by the handler", `{"lumens":1}`, []error{broker.Permanent(errors.New("gone"))}, broker.ReasonRefused, "1", "gone"},
		{"failing", `{"lumens":1}`, []error{errors.New("one"), errors.New("two")}, broker.ReasonExhausted, "2", "two"},
	} {
		before := handled.Load()
		for _, err := range c.answers {
			answer <- err
		}
		if err := b.Broker.Publish(t.Context(), &broker.Message{Address: "lights/l1/measured", Body: []byte(c.body)}); err != nil {
			t.Fatal(err)
		}
		dead := b.only("lights/l1/dead")
		if h := dead.Headers; h[broker.HeaderReason] != c.reason || h[broker.HeaderAttempts] != c.attempts || !strings.Contains(h[broker.HeaderError], c.contains) {
			t.Errorf("%s: %v", c.what, h)
		}
		if int(handled.Load()-before) != len(c.answers) {
			t.Errorf("%s: handled %d times", c.what, handled.Load()-before)
		}
	}
	answer <- errors.New("once")
	answer <- nil
	if err := stub.Publish(t.Context(), conn, event, &LightMeasured{StreetlightID: "l2"}); err != nil {
		t.Fatal(err)
	}
	for len(answer) > 0 {
		time.Sleep(time.Millisecond)
	}
}

func TestPublishFailures(t *testing.T) {
	event := lightMeasuredEvent()
	b := memory.New()
	conn, err := concordat.NewBrokerConn(b, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := stub.Publish(t.Context(), conn, event, &LightMeasured{}); concordat.ErrorOf(err).Code != concordat.InvalidArgument {
		t.Errorf("an address without its parameter: %v", err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := stub.Publish(t.Context(), conn, event, &LightMeasured{StreetlightID: "x"}); concordat.ErrorOf(err).Code != concordat.Unavailable || !errors.Is(err, memory.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// A server without a broker says so, instead of doing nothing.
func TestConsumeNeedsABroker(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	stub.Consume(s, lightMeasuredEvent(), func(context.Context, *LightMeasured) error { return nil })
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "WithBroker") {
		t.Errorf("got %v", err)
	}
}

// The server's end waits for the message in flight, which counts as handled.
func TestDrainWaitsForMessages(t *testing.T) {
	b, event := memory.New(), lightMeasuredEvent()
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithBroker(b), quiet)
	entered, release := make(chan bool), make(chan bool)
	var done atomic.Bool
	stub.Consume(s, event, func(ctx context.Context, _ *LightMeasured) error {
		close(entered)
		<-release
		done.Store(ctx.Err() == nil)
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	conn, err := concordat.NewBrokerConn(b, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := stub.Publish(t.Context(), conn, event, &LightMeasured{StreetlightID: "x"}); err != nil {
		t.Fatal(err)
	}
	<-entered
	cancel()
	close(release)
	if err := <-ended; err != nil || !done.Load() {
		t.Errorf("run: %v, handler finished undisturbed: %v", err, done.Load())
	}
}

// groups tells the groups in which programs have subscribed.
type groups struct {
	broker.Broker
	name  string
	asked chan string
}

func (g *groups) Name() string { return g.name }

func (g *groups) Subscribe(ctx context.Context, s broker.Subscription, h broker.Handler) error {
	s.Ready = func() { g.asked <- s.Group }
	return g.Broker.Subscribe(ctx, s, h)
}

// The program's word for its group comes first, then the contract's, then the operation.
func TestWhoSharesMessages(t *testing.T) {
	queue := broker.Setting{Protocol: "nats", Name: "queue", Value: "workers"}
	ours := broker.Setting{Protocol: "concordat", Name: "group", Value: "ours"}
	for _, c := range []struct {
		program, protocol string
		settings          []broker.Setting
		want              string
	}{
		{"", "nats", nil, "lights.Lights/LightMeasured"},
		{"", "nats", []broker.Setting{ours}, "ours"},
		{"", "nats", []broker.Setting{ours, queue}, "workers"},
		{"", "mqtt", []broker.Setting{queue}, "lights.Lights/LightMeasured"},
		{"audit", "nats", []broker.Setting{ours, queue}, "audit.lights.Lights/LightMeasured"},
	} {
		b, event := &groups{memory.New(), c.protocol, make(chan string, 1)}, lightMeasuredEvent()
		event.Settings = c.settings
		var opts []concordat.ServerOption
		if c.program != "" {
			opts = append(opts, concordat.WithGroup(c.program))
		}
		lights(t, b, func(s *concordat.Server) {
			stub.Consume(s, event, func(context.Context, *LightMeasured) error { return nil })
		}, opts...)
		if got := <-b.asked; got != c.want {
			t.Errorf("%q over %s with %v: group %q, want %q", c.program, c.protocol, c.settings, got, c.want)
		}
	}
}

// Two programs with groups of their own each see every message.
func TestTwoProgramsConsumeOneContract(t *testing.T) {
	b, event := &groups{memory.New(), "memory", make(chan string, 2)}, lightMeasuredEvent()
	got := make(chan string, 4)
	var conn *concordat.Conn
	for _, program := range []string{"audit", "billing"} {
		conn = lights(t, b, func(s *concordat.Server) {
			stub.Consume(s, event, func(context.Context, *LightMeasured) error { got <- program; return nil })
		}, concordat.WithGroup(program))
		<-b.asked
	}
	if err := stub.Publish(t.Context(), conn, event, &LightMeasured{StreetlightID: "l1"}); err != nil {
		t.Fatal(err)
	}
	if first, second := <-got, <-got; first == second {
		t.Errorf("%s saw the message twice", first)
	}
}

// What the contract says for a protocol goes along with the message, for its broker.
func TestSettingsGoAlong(t *testing.T) {
	b, event, q := newSpy(), lightMeasuredEvent(), dimRequest("")
	event.Settings = []broker.Setting{{Protocol: "mqtt", Name: "retain", Value: "true"}}
	q.Settings = []broker.Setting{{Protocol: "mqtt", Name: "qos", Value: "2"}}
	q.Reply.Settings = []broker.Setting{{Protocol: "mqtt", Name: "qos", Value: "0"}}
	conn := lights(t, b, func(s *concordat.Server) {
		stub.Answer(s, q, func(context.Context, *DimLight) (*Dimmed, error) { return &Dimmed{}, nil })
	})
	if err := stub.Publish(t.Context(), conn, event, &LightMeasured{StreetlightID: "l1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := stub.Ask(t.Context(), conn, q, &DimLight{"l1", Lumens{}}); err != nil {
		t.Fatal(err)
	}
	if m := b.only("lights/l1/measured"); !slices.Equal(m.Settings, event.Settings) {
		t.Errorf("the message has %v", m.Settings)
	}
	if m := b.only("lights/l1/dim"); !slices.Equal(m.Settings, q.Settings) {
		t.Errorf("the request has %v", m.Settings)
	}
	if m := b.only("replies/"); !slices.Equal(m.Settings, q.Reply.Settings) {
		t.Errorf("the answer has %v", m.Settings)
	}
}
