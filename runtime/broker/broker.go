// Package broker is the seam between messaging and the brokers that carry it. It knows
// no protocol: the brokers live in packages beside it, one each with its SDK.
//
// It imports only the standard library.
package broker

import (
	"context"
	"errors"
	"time"
)

// ErrUnroutable says that a message was published to an address at which nobody
// receives, by a broker that tells. It was not kept.
var ErrUnroutable = errors.New("nobody receives at this address")

// Inbox begins the address of a subscription that is its owner's alone: where a program
// waits for answers. It ends with an identifier.
const Inbox = "replies/"

// A Message is one message as brokers carry it.
type Message struct {
	Address       string            // where it goes or came from, parameters filled in: "customers/42/activity"
	Key           string            // messages with one key keep their order; "" for no key
	Media         string            // media type of Body: "application/json"
	ID            string            // tells duplicates; a broker gives one where it is ""
	ReplyTo       string            // address for the answer; "" when none is expected
	CorrelationID string            // ties an answer to its request
	Headers       map[string]string // the contract's headers and what middlemen add
	Body          []byte
	Time          time.Time // when it was published; zero when unknown
	Settings      []Setting // of the contract, for the broker that publishes it
}

// A Broker moves messages. Its methods are safe for concurrent use. Errors say what to
// do next. Whoever opened a broker closes it: connections and servers only use it.
type Broker interface {
	// Publish returns when the broker has confirmed m, or an error when it may not
	// have it. m is not changed and not kept.
	Publish(ctx context.Context, m *Message) error

	// Subscribe hands messages to handle until ctx is done, then lets handlers in
	// flight finish (with a context that ctx does not cancel) and returns nil. An
	// error means that the subscription could not be made or was lost for good.
	Subscribe(ctx context.Context, s Subscription, handle Handler) error

	// Close ends all subscriptions, waits until ctx is done for what is in flight,
	// and disconnects.
	Close(ctx context.Context) error

	// Name says which broker this is, for messages and labels: "nats", "mqtt", "memory".
	Name() string
}

// A Subscription says what to receive, and how.
type Subscription struct {
	Address     string // a template: a {param} matches one segment
	Group       string // members of a group share the messages; "" is a group of its own
	Concurrency int    // handlers at a time; 0 is one
	DeadLetter  string // where Consume moves what cannot be handled; brokers that need one make a place for it
	Settings    []Setting

	// Ready, if set, is called once, when messages published from now on will arrive:
	// the broker has confirmed the subscription.
	Ready func()
}

// Confirm calls Ready where it is set, the first time. Not for concurrent use: it is for
// brokers, which call it whenever a subscription came about.
func (s *Subscription) Confirm() {
	if f := s.Ready; f != nil {
		s.Ready = nil
		f()
	}
}

// A Handler handles one message. nil acknowledges it; an error asks for redelivery, which
// may come after later messages of the same key. A broker calls as many at a time as the
// subscription allows, those of one key one after the other, in order: it runs them in
// [Lanes]. To repeat what failed without losing that order is up to [Consume].
type Handler func(ctx context.Context, m *Message) error
