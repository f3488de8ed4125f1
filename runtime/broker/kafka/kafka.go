// Package kafka is the broker of programs that use Apache Kafka, or what speaks its
// protocol: messages are confirmed by all replicas in sync, once each however often they had
// to be sent, and their offsets are committed when they were handled.
//
// Addresses with slashes become topics with dots; what topics may not hold, and a dot inside
// a segment, is written as _ and two hexadecimal digits. Addresses without slashes are
// topics as they stand. So "a/{id}/b" is a topic for each id; where that would be too many,
// the contract's setting kafka.topic, or WithTopic, puts all into one. Where a topic is
// missing it is created, as the contract's binding says.
//
// The key of a message chooses the partition, and so does murmur2 as Java's clients have it.
// Messages without a key are spread and keep no order, unless the topic has one partition.
//
// It imports runtime/auth, runtime/broker, runtime/tlsconf and franz-go.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Broker implements broker.Broker. It connects when it is first used, and again, for ever,
// when a connection is lost. Each subscription has connections of its own.
type Broker struct {
	target      *target
	tls         *tlsconf.Config
	credentials auth.Source
	mechanism   string
	name        string
	log         *slog.Logger
	declare     bool
	maxMessage  int32
	maxBuffered int
	replies     string
	transaction string
	topics      []topicRule
	extra       []kgo.Opt
	unknown     broker.Unknown

	life   broker.Life
	turn   chan struct{} // held while connecting
	client *kgo.Client   // publishes
	last   lastError

	mu      sync.Mutex
	known   map[string]bool // topics that are there
	created chan struct{}   // closed when we create a topic
	subs    map[*subscription]bool
}

// An Option configures a Broker.
type Option func(*Broker)

// WithTLS secures the connections. Without it, kafka-secure:// verifies the brokers against
// the system's authorities.
func WithTLS(c *tlsconf.Config) Option { return func(b *Broker) { b.tls = c } }

// WithCredentials authenticates by SASL: mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or
// OAUTHBEARER, whose token is the credential's value. s is asked at every connection, so
// passwords and tokens may change.
func WithCredentials(mechanism string, s auth.Source) Option {
	return func(b *Broker) { b.mechanism, b.credentials = mechanism, s }
}

// WithName is the client id in the brokers' logs and quotas; "concordat" by default. The
// contract's kafka.clientId holds for subscriptions.
func WithName(name string) Option { return func(b *Broker) { b.name = name } }

// WithLogger reports what the client does about lost connections and the like;
// slog.Default() by default.
func WithLogger(l *slog.Logger) Option { return func(b *Broker) { b.log = l } }

// WithoutDeclare leaves topics to those who administer the cluster: one that is missing is
// then an error.
func WithoutDeclare() Option { return func(b *Broker) { b.declare = false } }

// WithTopic puts all addresses that template stands for into one topic, as the contract's
// setting kafka.topic does: a topic for each customer would be too many. The address
// travels in a header.
func WithTopic(template, topic string) Option {
	return func(b *Broker) {
		b.topics = append(b.topics, topicRule{template, broker.ParsePattern(template), topic})
	}
}

// DefaultReplyTopic is what WithReplyTopic changes.
const DefaultReplyTopic = "replies"

// WithReplyTopic is the topic of all answers, where the contract names no other: a topic for
// each program that asks would stay behind. Those who ask take what has their address.
func WithReplyTopic(topic string) Option { return func(b *Broker) { b.replies = topic } }

// DefaultMaxMessage is what WithMaxMessage changes: what brokers take unless told otherwise.
const DefaultMaxMessage = 1_000_000

// WithMaxMessage is how many bytes a message, or a batch of them, may have. The topic's
// max.message.bytes must allow it.
func WithMaxMessage(n int32) Option { return func(b *Broker) { b.maxMessage = n } }

// DefaultMaxBuffered is what WithMaxBuffered changes.
const DefaultMaxBuffered = 64 << 20

// WithMaxBuffered bounds, in bytes, what is published and not confirmed. Publish waits for
// room.
func WithMaxBuffered(n int) Option { return func(b *Broker) { b.maxBuffered = n } }

// WithExactlyOnce handles messages in transactions: what a handler publishes by this broker,
// with the context that it was given, and the offsets of what it handled take effect
// together or not at all, for those who read committed messages only, as our subscriptions
// do. id begins the transactional ids, which ACLs may ask for. Groups only; a batch of which
// one message fails is undone whole and comes again, so policies for failures that count
// attempts within a handler do best.
func WithExactlyOnce(id string) Option { return func(b *Broker) { b.transaction = id } }

// WithOptions passes options of franz-go on, for all connections.
func WithOptions(o ...kgo.Opt) Option { return func(b *Broker) { b.extra = append(b.extra, o...) } }

// New prepares a broker for the cluster whose servers target lists, comma-separated, as
// kafka-secure://user:password@host:9093, or kafka:// for connections that anyone on the way
// can read. It does no I/O. Where the target names a user and no mechanism
// (?sasl_mechanism=…), SCRAM-SHA-512 or SCRAM-SHA-256 serve, and PLAIN where TLS hides it.
func New(list string, opts ...Option) (*Broker, error) {
	b := &Broker{
		name: "concordat", declare: true, maxMessage: DefaultMaxMessage, maxBuffered: DefaultMaxBuffered, replies: DefaultReplyTopic,
		log: slog.Default(), turn: make(chan struct{}, 1), known: map[string]bool{}, created: make(chan struct{}), subs: map[*subscription]bool{},
	}
	for _, o := range opts {
		o(b)
	}
	var err error
	if b.target, err = parseTarget(list); err != nil {
		return nil, err
	}
	return b, b.check()
}

// check says which options contradict each other, or the target.
func (b *Broker) check() error {
	t := b.target
	switch {
	case !t.secure && b.tls != nil:
		return fmt.Errorf("kafka: %s is without TLS, yet kafka.WithTLS is given: write kafka-secure://", t)
	case t.secure && b.tls == nil:
		b.tls = tlsconf.System()
	}
	if b.credentials == nil {
		if b.mechanism = t.mechanism; t.user != "" {
			b.credentials = auth.Password(t.user, t.password)
		}
	}
	if err := checkMechanism(b.mechanism, b.credentials != nil); err != nil {
		return err
	}
	if b.maxMessage < 1024 || b.maxBuffered < int(b.maxMessage) {
		return errors.New("kafka: WithMaxMessage is 1,024 or more, and WithMaxBuffered not below it")
	}
	for _, topic := range []string{b.replies} {
		if err := checkTopic(topic); err != nil {
			return err
		}
	}
	for _, r := range b.topics {
		if err := checkTopic(r.topic); err != nil {
			return err
		}
	}
	return nil
}

// Name returns "kafka".
func (b *Broker) Name() string { return "kafka" }

// closeTime is how long a broker may take to say goodbye once all else is done.
const closeTime = 5 * time.Second

// Close ends every subscription, waits until ctx is done for handlers in flight and for
// messages that are not confirmed yet, and disconnects.
func (b *Broker) Close(ctx context.Context) error {
	err := b.life.Close(ctx)
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	if b.client != nil {
		if e := b.client.Flush(ctx); e != nil {
			err = errors.Join(err, fmt.Errorf("%d messages are not confirmed: %w", b.client.BufferedProduceRecords(), e))
		}
		b.client.Close()
		b.client = nil
	}
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	return nil
}
