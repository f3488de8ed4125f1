//go:build unix

package amqp_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/amqp"
)

// set writes settings as generated code does.
func set(pairs ...string) []broker.Setting {
	var out []broker.Setting
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, broker.Setting{Protocol: "amqp", Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

func unique(name string) string { return fmt.Sprintf("%s-%d", name, time.Now().UnixNano()) }

// raw is a channel of the client library's own: another program.
func raw(t *testing.T) *amqp091.Channel {
	t.Helper()
	conn, err := amqp091.Dial(shared.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// subscribe begins a subscription and waits until it is there; stop ends it.
func subscribe(t *testing.T, b broker.Broker, s broker.Subscription, h broker.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	up, done := make(chan struct{}), make(chan error, 1)
	s.Ready = func() { close(up) }
	go func() { done <- b.Subscribe(ctx, s, h) }()
	select {
	case <-up:
	case err := <-done:
		t.Fatalf("the subscription to %s ended: %v", s.Address, err)
	case <-time.After(time.Minute):
		t.Fatalf("no subscription to %s", s.Address)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func get[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}

// into sends what arrives to a channel.
func into(n int) (chan *broker.Message, broker.Handler) {
	got := make(chan *broker.Message, n)
	return got, func(_ context.Context, m *broker.Message) error { got <- m; return nil }
}

func TestUnroutable(t *testing.T) {
	b := open(t, shared.URL(t))
	for what, c := range map[string]struct {
		m    broker.Message
		want []string // "": it is confirmed
	}{
		"no queue":       {broker.Message{Address: "nobody/here"}, []string{"amq.topic", "nobody.here", "mandatory: false"}},
		"no inbox":       {broker.Message{Address: broker.Inbox + "gone"}, []string{`no queue "gone"`}},
		"not mandatory":  {broker.Message{Address: "nobody/here", Settings: set("mandatory", "false")}, nil},
		"named exchange": {broker.Message{Address: "x", Settings: set("exchange.name", unique("empty"), "exchange.type", "fanout")}, []string{"empty-"}},
	} {
		t.Run(what, func(t *testing.T) {
			err := b.Publish(t.Context(), &c.m)
			if errors.Is(err, broker.ErrUnroutable) != (c.want != nil) {
				t.Fatal(err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %s", err, w)
				}
			}
		})
	}
}

// Every type of exchange leads where the contract says.
func TestExchanges(t *testing.T) {
	b := open(t, shared.URL(t))
	for kind, c := range map[string]struct {
		address, to string
		extra       []string
	}{
		"topic": {"a/{id}/b", "a/1.5/b", nil}, "direct": {"a/b", "a/b", nil},
		"fanout": {"a/{id}", "a/7", nil}, "headers": {"a/{id}", "a/8", []string{"headers.colour", "red"}},
	} {
		t.Run(kind, func(t *testing.T) {
			s := set(append([]string{"is", "routingKey", "exchange.name", unique(kind), "exchange.type", kind, "exchange.durable", "false", "exchange.autoDelete", "true"}, c.extra...)...)
			got, h := into(4)
			subscribe(t, b, broker.Subscription{Address: c.address, Group: "g", Settings: s}, h)
			if err := b.Publish(t.Context(), &broker.Message{Address: c.to, Settings: s, Headers: map[string]string{"colour": "red"}}); err != nil {
				t.Fatal(err)
			}
			if m := get(t, got); m.Address != c.to {
				t.Errorf("came as %s", m.Address)
			}
		})
	}
}

// A channel that is a queue keeps what is published before anybody receives.
func TestQueue(t *testing.T) {
	b, name := open(t, shared.URL(t)), unique("work")
	for what, s := range map[string][]broker.Setting{
		"named after the address": set("is", "queue", "queue.durable", "true"),
		"named":                   set("is", "queue", "queue.name", name+"-other"),
		"bound":                   set("is", "queue", "queue.name", name+"-bound", "exchange.name", name+"-x", "exchange.type", "direct"),
		"with priorities":         set("is", "queue", "queue.name", name+"-prio", "queue.arguments.x-max-priority", "5", "priority", "3"),
	} {
		t.Run(what, func(t *testing.T) {
			if err := b.Publish(t.Context(), &broker.Message{Address: name, Body: []byte(what), Settings: s}); err != nil {
				t.Fatal(err)
			}
			got, h := into(4)
			subscribe(t, b, broker.Subscription{Address: name, Group: "g", Settings: s}, h)
			if m := get(t, got); string(m.Body) != what || m.Address != name {
				t.Errorf("got %+v", m)
			}
		})
	}
}

// Another program sees the properties that the contract asks for.
func TestProperties(t *testing.T) {
	b, ch, q := open(t, shared.URL(t)), raw(t), unique("props")
	if _, err := ch.QueueDeclare(q, false, false, true, false, nil); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"props.1", "copy.1"} {
		if err := ch.QueueBind(q, key, "amq.topic", false, nil); err != nil {
			t.Fatal(err)
		}
	}
	s := set("deliveryMode", "1", "priority", "4", "expiration", "60000", "userId", "guest", "messageType", "Greeting",
		"contentEncoding", "gzip", "cc", `["copy.1"]`, "ack", "true", "timestamp", "true")
	m := &broker.Message{Address: "props/1", ID: "id-1", Media: "text/plain", Body: []byte(strings.Repeat("hello ", 100)), Settings: s, CorrelationID: "c", ReplyTo: broker.Inbox + "me"}
	if err := b.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	in, err := ch.Consume(q, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := get(t, in)
	if d.DeliveryMode != 1 || d.Priority != 4 || d.Expiration != "60000" || d.UserId != "guest" || d.Type != "Greeting" || d.MessageId != "id-1" ||
		d.ContentEncoding != "gzip" || len(d.Body) > 100 || d.Timestamp.IsZero() || d.ReplyTo != "me" || d.CorrelationId != "c" || d.ContentType != "text/plain" {
		t.Errorf("got %+v", d)
	}
	if keys, ok := d.Headers["CC"].([]any); !ok || len(keys) != 1 {
		t.Errorf("headers are %v", d.Headers)
	}
	got, h := into(4)
	subscribe(t, b, broker.Subscription{Address: "props/{n}"}, h)
	if err := b.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if back := get(t, got); string(back.Body) != string(m.Body) {
		t.Errorf("unpacked to %d bytes", len(back.Body))
	}
}

// A request of another program carries the name of a queue; the answer goes there.
func TestForeignRequest(t *testing.T) {
	b, ch, at := open(t, shared.URL(t)), raw(t), unique("rpc")
	subscribe(t, b, broker.Subscription{Address: at, Group: "g", Settings: set("is", "queue")}, func(ctx context.Context, m *broker.Message) error {
		return b.Publish(ctx, &broker.Message{Address: m.ReplyTo, CorrelationID: m.CorrelationID, Body: append([]byte("re: "), m.Body...)})
	})
	in, err := ch.Consume("amq.rabbitmq.reply-to", "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = ch.PublishWithContext(t.Context(), "", at, true, false, amqp091.Publishing{ReplyTo: "amq.rabbitmq.reply-to", CorrelationId: "7", Body: []byte("hello"),
		Headers: amqp091.Table{"n": int32(5), "list": []any{"a"}}})
	if err != nil {
		t.Fatal(err)
	}
	if d := get(t, in); d.CorrelationId != "7" || string(d.Body) != "re: hello" {
		t.Errorf("got %+v", d)
	}
}

// What the server has declared otherwise, or lacks, is an error that says so.
func TestTopologyErrors(t *testing.T) {
	ch, q := raw(t), unique("classic")
	if _, err := ch.QueueDeclare(q, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ch.QueueDelete(q, false, false, false) })
	declaring, not := open(t, shared.URL(t)), open(t, shared.URL(t), amqp.WithoutDeclare())
	nothing := func(context.Context, *broker.Message) error { return nil }
	for what, c := range map[string]struct {
		do   func() error
		want string
	}{
		"queue with another type": {func() error {
			return declaring.Subscribe(t.Context(), broker.Subscription{Address: q, Group: "g", Settings: set("is", "queue", "queue.name", q)}, nothing)
		}, "inequivalent arg 'x-queue-type'"},
		"queue that is missing": {func() error {
			return not.Subscribe(t.Context(), broker.Subscription{Address: "a", Group: unique("missing")}, nothing)
		}, "without amqp.WithoutDeclare"},
		"exchange that is missing": {func() error {
			return not.Publish(t.Context(), &broker.Message{Address: "a", Settings: set("exchange.name", unique("missing"))})
		}, "without amqp.WithoutDeclare"},
		"parameters on a direct exchange": {func() error {
			return declaring.Subscribe(t.Context(), broker.Subscription{Address: "a/{b}", Group: "g", Settings: set("exchange.name", "amq.direct", "exchange.type", "direct")}, nothing)
		}, "make it a topic exchange"},
		"key that is too long": {func() error {
			return declaring.Publish(t.Context(), &broker.Message{Address: strings.Repeat("a", 300)})
		}, "255 are allowed"},
		"setting that is no number": {func() error {
			return declaring.Publish(t.Context(), &broker.Message{Address: "a", Settings: set("priority", "high")})
		}, "it is a number from 0 to 255"},
	} {
		t.Run(what, func(t *testing.T) {
			if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	// One that fails costs the others nothing.
	if err := not.Publish(t.Context(), &broker.Message{Address: "a", Settings: set("mandatory", "false")}); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	at, err := url.Parse(shared.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"amqp://guest:secret@" + at.Host:          `check the password of "guest"`,
		"amqp://guest:guest@" + at.Host + "/none": `does the virtual host "none" exist`,
	} {
		b := open(t, target)
		err := b.Publish(t.Context(), &broker.Message{Address: "a"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want, err)
		}
		if err := b.Subscribe(t.Context(), broker.Subscription{Address: "a"}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("subscribe, %s: %v", want, err)
		}
	}
}

// A queue that is deleted under a subscription is declared again.
func TestQueueDeleted(t *testing.T) {
	b, ch, group := open(t, shared.URL(t)), raw(t), unique("g")
	got, h := into(64)
	subscribe(t, b, broker.Subscription{Address: "deleted/{id}", Group: group}, h)
	if _, err := ch.QueueDelete(group+"/deleted.*", false, false, false); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		err := b.Publish(t.Context(), &broker.Message{Address: "deleted/1"})
		if err == nil {
			break
		}
		if !errors.Is(err, broker.ErrUnroutable) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
	get(t, got)
}

// A pipeline confirms many at once, in order, and says which failed.
func TestPipeline(t *testing.T) {
	b, at := open(t, shared.URL(t)), unique("pipe")
	const n = 3000
	got, h := into(n)
	subscribe(t, b, broker.Subscription{Address: at, Group: "g"}, h)
	p := broker.NewPipeline(b, 0)
	for i := range n {
		if err := p.Publish(t.Context(), &broker.Message{Address: at, Key: "k", Body: []byte(strconv.Itoa(i))}); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if err := p.Publish(t.Context(), &broker.Message{Address: "nobody/" + at}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if failed, err := p.Flush(); failed != 3 || !errors.Is(err, broker.ErrUnroutable) {
		t.Errorf("%d failed: %v", failed, err)
	}
	for i := range n {
		if m := get(t, got); string(m.Body) != strconv.Itoa(i) {
			t.Fatalf("%s came in place of %d", m.Body, i)
		}
	}
}

// A message is put off by the server, comes again, and is given up only then.
func TestDelay(t *testing.T) {
	b, at := open(t, shared.URL(t)), unique("late")
	tries := make(chan string, 8)
	up := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	p := broker.Policy{Attempts: 1, Delays: []time.Duration{10 * time.Millisecond, 20 * time.Millisecond}, DeadLetter: at + "-dead"}
	go func() {
		done <- broker.Consume(ctx, b, broker.Subscription{Address: at + "/{id}", Group: "g", Ready: func() { close(up) }}, p, func(_ context.Context, m *broker.Message) error {
			tries <- m.Address + " " + m.Headers[broker.HeaderDelays]
			return errors.New("not yet")
		})
	}()
	get(t, up)
	if err := b.Publish(t.Context(), &broker.Message{Address: at + "/7"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" ", " 1", " 2"} {
		if got := get(t, tries); got != at+"/7"+want {
			t.Errorf("got %q", got)
		}
	}
	dead, h := into(1)
	subscribe(t, b, broker.Subscription{Address: at + "-dead", Group: broker.ReplayGroup}, h)
	if m := get(t, dead); m.Headers[broker.HeaderReason] != broker.ReasonExhausted || m.Headers[broker.HeaderOriginalAddress] != at+"/7" {
		t.Errorf("got %+v", m)
	}
	cancel()
	if err := get(t, done); err != nil {
		t.Error(err)
	}
}
