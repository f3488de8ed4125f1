// Package amqp is the broker of programs that use AMQP 0-9-1, RabbitMQ first of all:
// messages are confirmed by the server, returned where no queue takes them, and
// acknowledged when they were handled.
//
// Addresses with slashes become routing keys with dots, "a/{id}/b" is bound as "a.*.b"; a
// dot or a wildcard inside a segment is percent-encoded. Addresses without slashes are
// routing keys as they stand. What the contract says of exchanges and queues holds; where
// it is silent, messages go to the topic exchange amq.topic, a group has a quorum queue of
// its own, and a subscription without a group a queue that goes with it.
//
// It imports runtime/broker, runtime/tlsconf and amqp091-go.
package amqp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Broker implements broker.Broker. It connects when it is first used, and again, for
// ever, when a connection is lost, and then declares anew what it had declared. Publishing
// has a connection of its own, since a server that is short of memory or disk stops it.
type Broker struct {
	servers   []*server
	tls       *tlsconf.Config
	name      string
	exchange  exchange
	queueType string
	declare   bool
	mandatory bool
	mechanism string
	prefetch  int
	log       *slog.Logger
	unknown   broker.Unknown
	usual     *settings // of messages without any

	parsed      sync.Map // lists of settings, as they were read
	parsedCount atomic.Int64

	life    broker.Life
	ctx     context.Context // done when the broker is closed
	cancel  context.CancelFunc
	consume link
	publish publisher
	aliases sync.Map // address of dead letters → exchange that the contract gives them
}

// An Option configures a Broker.
type Option func(*Broker)

// WithTLS secures the connection. Without it, amqps:// verifies the server against the
// system's authorities.
func WithTLS(c *tlsconf.Config) Option { return func(b *Broker) { b.tls = c } }

// WithName names the connections in the server's management; "concordat" by default.
func WithName(name string) Option { return func(b *Broker) { b.name = name } }

// WithLogger reports lost and regained connections; slog.Default() by default.
func WithLogger(l *slog.Logger) Option { return func(b *Broker) { b.log = l } }

// WithExchange is the exchange where the contract names none, amq.topic by default. kind is
// topic, direct, fanout or headers.
func WithExchange(name, kind string) Option {
	return func(b *Broker) { b.exchange = exchange{name: name, kind: kind, durable: true} }
}

// WithQueueType is the type of a group's queue where the contract names none: quorum by
// default, classic for servers that have no other.
func WithQueueType(kind string) Option { return func(b *Broker) { b.queueType = kind } }

// WithoutDeclare leaves exchanges, queues and bindings to those who administer the server:
// what is missing is then an error. Queues for answers and for subscriptions without a
// group are still made, since they belong to the program.
func WithoutDeclare() Option { return func(b *Broker) { b.declare = false } }

// WithoutMandatory lets the server drop messages that no queue takes, where the contract
// does not say. By default that is broker.ErrUnroutable.
func WithoutMandatory() Option { return func(b *Broker) { b.mandatory = false } }

// WithMechanism is the SASL mechanism: PLAIN, AMQPLAIN or EXTERNAL (the user is who the
// client certificate says). Without it, PLAIN or AMQPLAIN serve where the target names a
// user, and EXTERNAL, then the user guest, where it names none.
func WithMechanism(name string) Option { return func(b *Broker) { b.mechanism = name } }

// WithPrefetch is how many messages the server hands to one subscription ahead of their
// acknowledgement, DefaultPrefetch or four for each handler unless said: it bounds memory,
// and what one member of a group keeps from the others.
func WithPrefetch(n int) Option { return func(b *Broker) { b.prefetch = n } }

// DefaultPrefetch is what WithPrefetch changes.
const DefaultPrefetch = 64

// New prepares a broker for the servers that target lists, comma-separated, as
// amqps://user:password@host:5671/vhost, or amqp:// for a connection that anyone on the way
// can read; "heartbeat" (seconds) and "auth_mechanism" may stand in the query. They are tried
// in turn. It does no I/O.
func New(target string, opts ...Option) (*Broker, error) {
	b := &Broker{name: "concordat", exchange: exchange{name: "amq.topic", kind: topic, durable: true}, queueType: "quorum", declare: true, mandatory: true, log: slog.Default()}
	for _, o := range opts {
		o(b)
	}
	var err error
	if b.servers, err = parseTarget(target); err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	b.usual = &settings{exchange: b.exchange, mandatory: b.mandatory}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.consume.init(b, "subscriptions")
	b.publish.init(b)
	return b, nil
}

// check says which options contradict each other, or the target.
func (b *Broker) check() error {
	for _, s := range b.servers {
		switch {
		case !s.secure && b.tls != nil:
			return fmt.Errorf("amqp: %s is without TLS, yet amqp.WithTLS is given: write amqps://", s)
		case s.secure && b.tls == nil:
			b.tls = tlsconf.System()
		}
		if s.secure != b.servers[0].secure {
			return errors.New("amqp: the servers of one target are all amqps:// or all amqp://")
		}
		if b.mechanism == "" {
			b.mechanism = s.mechanism
		}
	}
	if !slices.Contains([]string{"", "PLAIN", "AMQPLAIN", "EXTERNAL"}, b.mechanism) {
		return fmt.Errorf("amqp: the mechanism %q is not supported: use PLAIN, AMQPLAIN or EXTERNAL", b.mechanism)
	}
	return b.exchange.check()
}

// Name returns "amqp".
func (b *Broker) Name() string { return "amqp" }

// closeTime is how long a server may take to say goodbye once all else is done.
const closeTime = 2 * time.Second

// Close ends every subscription, waits until ctx is done for handlers in flight and for
// messages that are not confirmed yet, and disconnects.
func (b *Broker) Close(ctx context.Context) error {
	err := b.life.Close(ctx)
	if left := b.publish.drain(ctx); left > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages are not confirmed: %w", left, ctx.Err()))
	}
	b.cancel()
	b.consume.close()
	b.publish.link.close()
	if err != nil {
		return fmt.Errorf("amqp: %w", err)
	}
	return nil
}
