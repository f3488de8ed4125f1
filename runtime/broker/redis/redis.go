// Package redis is the broker of programs that use Redis streams, by Redis 6.2 or later, or
// what speaks its protocol: messages are confirmed when the server has taken them, and
// acknowledged when they were handled.
//
// What a confirmed message survives is up to the server: with appendonly yes and appendfsync
// always it survives a kill and a power cut, with everysec up to a second of messages may be
// lost, without appendonly all since the last snapshot. WithReplicas also waits for replicas.
//
// An address is the name of its stream, so "a/{id}/b" is a stream for each id; those that we
// publish to are listed in the set concordat:streams, where subscriptions to templates find
// them. Where that would be too many, WithStream puts all into one. An entry has the field
// data, the body, and beside it id, key, content-type, reply-to, correlation-id, address and
// header:… for each header. One without data, from another client, is received as a JSON
// object of its fields.
//
// It imports runtime/auth, runtime/broker, runtime/tlsconf and go-redis.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Broker implements broker.Broker. It connects when it is first used, and again, for
// ever, when a connection is lost.
type Broker struct {
	target      *target
	tls         *tlsconf.Config
	credentials auth.Source
	name        string
	log         *slog.Logger
	maxLen      int64
	replicas    int
	claim       time.Duration
	streams     []streamRule
	unknown     broker.Unknown

	life   broker.Life
	turn   chan struct{} // held while connecting
	client redis.UniversalClient
	out    *publisher

	mu     sync.Mutex
	listed map[string]time.Time // streams that we put on the list
	fresh  chan struct{}        // closed when we list another
}

// A streamRule is what WithStream says.
type streamRule struct {
	template string
	pattern  broker.Pattern
	stream   string
}

// An Option configures a Broker.
type Option func(*Broker)

// WithTLS secures the connections. Without it, rediss:// verifies the server against the
// system's authorities.
func WithTLS(c *tlsconf.Config) Option { return func(b *Broker) { b.tls = c } }

// WithCredentials is asked for user and password at every connection, in place of the
// target's.
func WithCredentials(s auth.Source) Option { return func(b *Broker) { b.credentials = s } }

// WithName names the connections in CLIENT LIST; "concordat" by default.
func WithName(name string) Option { return func(b *Broker) { b.name = name } }

// WithLogger reports lost connections and the like; slog.Default() by default.
func WithLogger(l *slog.Logger) Option { return func(b *Broker) { b.log = l } }

// WithMaxLen lets the server drop the oldest entries of streams that have more than about n,
// handled or not. Without it streams grow until somebody trims them.
func WithMaxLen(n int64) Option { return func(b *Broker) { b.maxLen = n } }

// WithReplicas confirms a message when n replicas have it, too (WAIT). Not for clusters.
func WithReplicas(n int) Option { return func(b *Broker) { b.replicas = n } }

// DefaultClaim is what WithClaim changes.
const DefaultClaim = time.Minute

// WithClaim is how long nothing must be heard of a message until another member of the group
// takes it over, DefaultClaim unless said. Handlers may take longer, since that is told.
func WithClaim(d time.Duration) Option { return func(b *Broker) { b.claim = d } }

// WithStream puts all addresses that template stands for into one stream.
func WithStream(template, stream string) Option {
	return func(b *Broker) {
		b.streams = append(b.streams, streamRule{template, broker.ParsePattern(template), stream})
	}
}

// New prepares a broker for rediss://user:password@host:6380/0, or redis:// for connections
// that anyone on the way can read. Several servers, comma-separated, are a cluster; with
// ?master=name they are the sentinels of that master. It does no I/O.
func New(list string, opts ...Option) (*Broker, error) {
	b := &Broker{
		name: "concordat", log: slog.Default(), claim: DefaultClaim,
		turn: make(chan struct{}, 1), listed: map[string]time.Time{}, fresh: make(chan struct{}),
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

func (b *Broker) check() error {
	t := b.target
	switch {
	case !t.secure && b.tls != nil:
		return fmt.Errorf("redis: %s is without TLS, yet redis.WithTLS is given: write rediss://", t)
	case t.secure && b.tls == nil:
		b.tls = tlsconf.System()
	}
	switch {
	case b.claim < 10*time.Millisecond:
		return fmt.Errorf("redis: WithClaim(%v): members must have 10 ms at least", b.claim)
	case b.maxLen < 0 || b.replicas < 0:
		return errors.New("redis: WithMaxLen and WithReplicas are 0 or more")
	case b.replicas > 0 && t.cluster():
		return errors.New("redis: WithReplicas does not work with a cluster")
	}
	for _, r := range b.streams {
		if r.stream == "" {
			return fmt.Errorf("redis: WithStream(%q) names no stream", r.template)
		}
	}
	return nil
}

// Name returns "redis".
func (b *Broker) Name() string { return "redis" }

// Close ends every subscription, waits until ctx is done for handlers in flight and for
// messages that are not confirmed yet, and disconnects.
func (b *Broker) Close(ctx context.Context) error {
	err := b.life.Close(ctx)
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	if b.client != nil {
		if left := b.out.close(ctx); left > 0 {
			err = errors.Join(err, fmt.Errorf("%d messages are not confirmed: %w", left, ctx.Err()))
		}
		_ = b.client.Close()
		b.client = nil
	}
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}
