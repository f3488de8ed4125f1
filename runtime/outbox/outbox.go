// Package outbox lets a program write to its database and publish, both or neither: a
// message is written in the same transaction as what it tells of, and a [Relay] publishes
// it behind that, until the broker has confirmed it. The databases lie in packages beside
// this one, each with its one driver.
//
//	store := postgres.New(pool, "")
//	conn, _ := concordat.NewBrokerConn(store.Broker())
//	events := activity.NewPublisher(conn)              // generated
//	err = events.CustomerActivity(postgres.In(ctx, tx), &m) // commits with tx
//
//	srv.Background("outbox", (&outbox.Relay{Store: store, Broker: nats}).Run)
//
// A relay that dies between the confirmation and its note of that publishes a message
// again, with the same ID: consumers with concordat.WithDedup do not see it. Messages of one
// key are published in the order in which they were written, where transactions that write
// one key wait for each other, as those do that change one row.
//
// It imports runtime/broker and the standard library.
package outbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Lanes is into how many parts stores divide messages, by key, that several relays may work
// side by side and yet keep the order of a key. It is part of what is stored.
const Lanes = 16

// A Row is a message as stores keep it.
type Row struct {
	Lane    int    // of Lanes, from the key, or from the ID where there is no key
	Key     string // of the message
	Address string
	ID      string // never empty
	Rest    []byte // all else but the body, as a JSON object
	Body    []byte
}

// rest is what Row.Rest holds.
type rest struct {
	Media         string            `json:"media,omitzero"`
	ReplyTo       string            `json:"replyTo,omitzero"`
	CorrelationID string            `json:"correlationId,omitzero"`
	Headers       map[string]string `json:"headers,omitzero"`
	Time          time.Time         `json:"time,omitzero"`
	Settings      []broker.Setting  `json:"settings,omitzero"`
}

// Pack makes out the row of m, with a new ID where it has none.
func Pack(m *broker.Message) (Row, error) {
	r := Row{Key: m.Key, Address: m.Address, ID: m.ID, Body: m.Body}
	if r.ID == "" {
		r.ID = rand.Text()
	}
	if r.Body == nil {
		r.Body = []byte{}
	}
	for name, text := range map[string]string{"address": r.Address, "key": r.Key, "ID": r.ID} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return Row{}, fmt.Errorf("outbox: the %s of the message has invalid UTF-8 or a zero in it", name)
		}
	}
	if r.Address == "" {
		return Row{}, errors.New("outbox: the message has no address")
	}
	x := rest{m.Media, m.ReplyTo, m.CorrelationID, m.Headers, m.Time, m.Settings}
	if x.Time.IsZero() {
		x.Time = time.Now()
	}
	if err := x.check(); err != nil {
		return Row{}, err
	}
	var err error
	if r.Rest, err = json.Marshal(x); err != nil {
		return Row{}, fmt.Errorf("outbox: %w", err)
	}
	h := fnv.New32a()
	if r.Key != "" {
		h.Write([]byte(r.Key))
	} else {
		h.Write([]byte(r.ID))
	}
	r.Lane = int(h.Sum32() % Lanes)
	return r, nil
}

// check refuses what JSON would change.
func (x *rest) check() error {
	ok := utf8.ValidString(x.Media) && utf8.ValidString(x.ReplyTo) && utf8.ValidString(x.CorrelationID)
	for k, v := range x.Headers {
		ok = ok && utf8.ValidString(k) && utf8.ValidString(v)
	}
	if !ok {
		return errors.New("outbox: a header or field of the message has invalid UTF-8")
	}
	return nil
}

// Message is what was packed.
func (r Row) Message() (*broker.Message, error) {
	var x rest
	if err := json.Unmarshal(r.Rest, &x); err != nil {
		return nil, fmt.Errorf("outbox: message %s was not written by this package: %w", r.ID, err)
	}
	return &broker.Message{
		Address: r.Address, Key: r.Key, ID: r.ID, Body: r.Body, Media: x.Media, ReplyTo: x.ReplyTo, CorrelationID: x.CorrelationID,
		Headers: x.Headers, Time: x.Time, Settings: x.Settings,
	}, nil
}

// NewBroker returns the broker that publishes by write, in the caller's transaction. Stores
// call it.
func NewBroker(write func(context.Context, Row) error) broker.Broker { return &writer{write} }

// A writer is a broker whose messages go into a transaction.
type writer struct {
	write func(context.Context, Row) error
}

// Name returns "outbox".
func (w *writer) Name() string { return "outbox" }

// Publish writes m; the broker has it when the transaction has committed and a relay runs.
func (w *writer) Publish(ctx context.Context, m *broker.Message) error {
	r, err := Pack(m)
	if err != nil {
		return err
	}
	return w.write(ctx, r)
}

// Subscribe fails: an outbox only sends.
func (w *writer) Subscribe(context.Context, broker.Subscription, broker.Handler) error {
	return errors.New("outbox: nothing can be received from an outbox, and no answer awaited; subscribe to the broker that the relay publishes to")
}

// Close does nothing: the database is its owner's.
func (w *writer) Close(context.Context) error { return nil }
