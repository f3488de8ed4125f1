// Package outboxtest holds every store of an outbox to the same promises: Run is the suite
// that each store's own tests call, and that a store of your own may call, too.
//
// It imports runtime/broker, runtime/broker/memory, runtime/outbox and the standard library.
package outboxtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/memory"
	"github.com/concordat-dev/concordat/runtime/outbox"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// A Harness is a store in a table that is empty.
type Harness struct {
	Store outbox.Store
	// Broker publishes in the transaction of the context that Tx gives.
	Broker broker.Broker
	// Tx runs f in a transaction, which commits when f returns nil.
	Tx func(ctx context.Context, f func(ctx context.Context) error) error
	// Spoil makes the row of the message with that ID unreadable.
	Spoil func(ctx context.Context, id string) error
}

// Run holds the stores that open returns to the promises of outbox.Store.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"RoundTrip": roundTrip, "Rollback": rollback, "WithoutTx": withoutTx, "Order": order, "Poison": poison, "Away": away,
		"Spoilt": spoilt, "Large": large, "Permanent": permanent,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// quiet logs nothing.
var quiet = slog.New(slog.DiscardHandler)

// relay runs a relay to b until the test ends.
func relay(t *testing.T, h Harness, b broker.Broker, tune func(*outbox.Relay)) {
	t.Helper()
	r := &outbox.Relay{Store: h.Store, Broker: b, Poll: 50 * time.Millisecond, Backoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond, Log: quiet}
	if tune != nil {
		tune(r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// write publishes messages in one transaction.
func write(t *testing.T, h Harness, messages ...*broker.Message) {
	t.Helper()
	err := h.Tx(t.Context(), func(ctx context.Context) error {
		for _, m := range messages {
			if err := h.Broker.Publish(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A sink is a broker that keeps what it confirms, and refuses what it is told to.
type sink struct {
	broker.Broker
	got chan *broker.Message

	mu     sync.Mutex
	refuse func(*broker.Message) error
	asked  map[string]int
}

func newSink(refuse func(*broker.Message) error) *sink {
	return &sink{Broker: memory.New(), got: make(chan *broker.Message, 10_000), refuse: refuse, asked: map[string]int{}}
}

func (s *sink) Publish(_ context.Context, m *broker.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[m.ID]++
	if s.refuse != nil {
		if err := s.refuse(m); err != nil {
			return err
		}
	}
	s.got <- m
	return nil
}

func (s *sink) allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = nil
}

func (s *sink) next(t *testing.T) *broker.Message {
	t.Helper()
	select {
	case m := <-s.got:
		return m
	case <-time.After(patience):
		t.Fatal("nothing was published")
		panic("unreachable")
	}
}

// until waits for what the backlog must be.
func until(t *testing.T, h Harness, due, dead int64) {
	t.Helper()
	var gotDue, gotDead int64
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if gotDue, gotDead, err = h.Store.Backlog(t.Context()); err == nil && gotDue == due && gotDead == dead {
			return
		}
	}
	t.Fatalf("%d messages are due and %d dead, %v, want %d and %d", gotDue, gotDead, err, due, dead)
}

func roundTrip(t *testing.T, h Harness) {
	b := newSink(nil)
	relay(t, h, b, nil)
	sent := &broker.Message{
		Address: "a/é b/c", Key: "k'\"", Media: "application/json", ID: "id-1", ReplyTo: "r", CorrelationID: "c",
		Headers: map[string]string{"X-Mixed": "Ünï <&>", "empty": ""}, Body: []byte{0, 255, '{'}, Time: time.Date(2026, 11, 1, 2, 3, 4, 5000, time.UTC),
		Settings: []broker.Setting{{Protocol: "mqtt", Name: "qos", Value: "1"}},
	}
	write(t, h, sent, &broker.Message{Address: "bare"})
	got := map[string]*broker.Message{}
	for range 2 {
		m := b.next(t)
		got[m.Address] = m
	}
	if m := got[sent.Address]; !reflect.DeepEqual(m, sent) {
		t.Errorf("got  %+v\nsent %+v", m, sent)
	}
	if m := got["bare"]; m == nil || m.ID == "" || m.Time.IsZero() || len(m.Body) != 0 {
		t.Errorf("got %+v", m)
	}
	until(t, h, 0, 0)
}

func rollback(t *testing.T, h Harness) {
	b := newSink(nil)
	relay(t, h, b, nil)
	no := errors.New("no")
	err := h.Tx(t.Context(), func(ctx context.Context) error {
		return errors.Join(h.Broker.Publish(ctx, &broker.Message{Address: "a", ID: "never"}), no)
	})
	if !errors.Is(err, no) {
		t.Fatal(err)
	}
	write(t, h, &broker.Message{Address: "a", ID: "yes"})
	if m := b.next(t); m.ID != "yes" {
		t.Errorf("%s was published", m.ID)
	}
	until(t, h, 0, 0)
}

func withoutTx(t *testing.T, h Harness) {
	if err := h.Broker.Publish(t.Context(), &broker.Message{Address: "a"}); err == nil || !strings.Contains(err.Error(), "no transaction") {
		t.Errorf("published in no transaction: %v", err)
	}
	for _, m := range []*broker.Message{{}, {Address: "a\x00"}, {Address: "a", Key: "\xff"}, {Address: "a", Headers: map[string]string{"h": "\xff"}}} {
		if err := h.Tx(t.Context(), func(ctx context.Context) error { return h.Broker.Publish(ctx, m) }); err == nil {
			t.Errorf("%+v was written", m)
		}
	}
	if err := h.Broker.Subscribe(t.Context(), broker.Subscription{}, nil); err == nil {
		t.Error("subscribed to an outbox")
	}
	if err := (&outbox.Relay{Store: h.Store, Broker: h.Broker}).Run(t.Context()); err == nil {
		t.Error("a relay publishes to an outbox")
	}
	if err := (&outbox.Relay{Store: h.Store}).Run(t.Context()); err == nil {
		t.Error("a relay publishes to nothing")
	}
}

// Several relays publish all that several writers write, each message once where none dies,
// and those of a key in order.
func order(t *testing.T, h Harness) {
	const writers, each = 8, 60
	b := newSink(nil)
	for range 3 {
		relay(t, h, b, func(r *outbox.Relay) { r.Batch = 7 })
	}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := 0; i < each; i += 3 {
				err := h.Tx(t.Context(), func(ctx context.Context) error {
					for n := i; n < i+3; n++ {
						if err := h.Broker.Publish(ctx, &broker.Message{Address: "a", Key: fmt.Sprint(w), ID: fmt.Sprintf("%d.%d", w, n)}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	next := map[string]int{}
	for range writers * each {
		m := b.next(t)
		if want := fmt.Sprintf("%s.%d", m.Key, next[m.Key]); m.ID != want {
			t.Errorf("%s came in place of %s", m.ID, want)
		}
		next[m.Key]++
	}
	until(t, h, 0, 0)
	if len(b.got) > 0 {
		t.Errorf("%d messages were published twice", len(b.got))
	}
}

// What a broker refuses is tried again, then given up, while others go on; those of its own
// key wait for that. It can be sent again.
func poison(t *testing.T, h Harness) {
	b := newSink(func(m *broker.Message) error {
		if m.ID == "bad" {
			return errors.New("too green\x00\xff")
		}
		return nil
	})
	relay(t, h, b, func(r *outbox.Relay) { r.Attempts = 3 })
	write(t, h, &broker.Message{Address: "a", Key: "k", ID: "bad"}, &broker.Message{Address: "a", Key: "k", ID: "behind"})
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { // a broker that confirms nothing counts as away
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				write(t, h, &broker.Message{Address: "a", ID: fmt.Sprintf("other%d", i)})
			}
		}
	})
	for m := b.next(t); m.ID != "behind"; m = b.next(t) {
		continue
	}
	close(stop)
	others.Wait()
	until(t, h, 0, 1)
	b.mu.Lock()
	if b.asked["bad"] < 3 {
		t.Errorf("it was tried %d times", b.asked["bad"])
	}
	b.mu.Unlock()
	dead, err := h.Store.Dead(t.Context(), 10)
	if err != nil || len(dead) != 1 || dead[0].Message.ID != "bad" || dead[0].Attempts != 3 || !strings.HasPrefix(dead[0].Error, "too green") {
		t.Fatalf("dead are %+v, %v", dead, err)
	}
	b.allow()
	if n, err := h.Store.Revive(t.Context(), dead[0].Seq+1_000_000); n != 0 || err != nil {
		t.Errorf("%d were revived, %v", n, err)
	}
	if n, err := h.Store.Revive(t.Context()); n != 1 || err != nil {
		t.Errorf("%d were revived, %v", n, err)
	}
	for m := b.next(t); m.ID != "bad"; m = b.next(t) {
		continue
	}
	until(t, h, 0, 0)
}

// A broker that is away counts against no message, however long.
func away(t *testing.T, h Harness) {
	b := newSink(func(*broker.Message) error { return errors.New("away") })
	relay(t, h, b, func(r *outbox.Relay) { r.Attempts = 2 })
	for i := range 20 {
		write(t, h, &broker.Message{Address: "a", Key: fmt.Sprint(i % 3), ID: fmt.Sprint(i)})
	}
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		b.mu.Lock()
		n := 0
		for _, times := range b.asked {
			n += times
		}
		b.mu.Unlock()
		if n > 6 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is not tried again")
		}
	}
	b.allow()
	for range 20 {
		b.next(t)
	}
	until(t, h, 0, 0)
}

// A row that cannot be read is set aside, and holds up nothing.
func spoilt(t *testing.T, h Harness) {
	write(t, h, &broker.Message{Address: "a", Key: "k", ID: "spoilt"}, &broker.Message{Address: "a", Key: "k", ID: "fine"})
	if err := h.Spoil(t.Context(), "spoilt"); err != nil {
		t.Fatal(err)
	}
	b := newSink(nil)
	relay(t, h, b, nil)
	if m := b.next(t); m.ID != "fine" {
		t.Errorf("%s was published", m.ID)
	}
	until(t, h, 0, 1)
}

// Bodies that are large come in batches that memory holds, and all come.
func large(t *testing.T, h Harness) {
	b := newSink(nil)
	body := make([]byte, 9<<20)
	for i := range 3 {
		write(t, h, &broker.Message{Address: "a", Key: "k", ID: fmt.Sprint(i), Body: body})
	}
	relay(t, h, b, nil)
	for i := range 3 {
		if m := b.next(t); m.ID != fmt.Sprint(i) || len(m.Body) != len(body) {
			t.Errorf("%s came, with %d bytes", m.ID, len(m.Body))
		}
	}
}

// What a broker says it will never take is given up at once.
func permanent(t *testing.T, h Harness) {
	b := newSink(func(*broker.Message) error { return broker.Permanent(errors.New("never")) })
	relay(t, h, b, nil)
	write(t, h, &broker.Message{Address: "a", ID: "x"})
	until(t, h, 0, 1)
}
