package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/concordat-dev/concordat/runtime/auth"
)

// lastError is why the newest attempt to connect failed.
type lastError struct {
	mu  sync.Mutex
	err error
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (l *lastError) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *lastError) get() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// dialTime bounds one attempt to connect.
const dialTime = 5 * time.Second

// options are those that all clients have.
func (b *Broker) options(own ...kgo.Opt) []kgo.Opt {
	o := []kgo.Opt{
		kgo.SeedBrokers(b.target.seeds...), kgo.ClientID(b.name), kgo.Dialer(b.dial), kgo.WithHooks(&b.last),
		kgo.RetryBackoffFn(backoff), kgo.RequestTimeoutOverhead(dialTime), kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.WithLogger(logger{b}),
	}
	if b.credentials != nil {
		o = append(o, kgo.SASL(b.mechanisms()...))
	}
	return append(append(o, own...), b.extra...)
}

// dial reads certificates anew for every connection, since files may have changed.
func (b *Broker) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil || b.tls == nil {
		return raw, err
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	config, err := b.tls.Client(host)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// backoff waits at random, so that clients do not come back all at once, and for less than
// a second, so that a cluster that is back is found.
func backoff(n int) time.Duration {
	return 25*time.Millisecond + rand.N(min(50*time.Millisecond<<min(n, 5), 800*time.Millisecond))
}

// mechanisms are those of SASL that we offer, the best first.
func (b *Broker) mechanisms() []sasl.Mechanism {
	ask := func(ctx context.Context) (auth.Credential, error) {
		c, err := b.credentials.Credential(ctx)
		if err != nil {
			return c, fmt.Errorf("no credentials: %w", err)
		}
		return c, nil
	}
	password := func(ctx context.Context) (scram.Auth, error) {
		c, err := ask(ctx)
		return scram.Auth{User: c.User, Pass: c.Value}, err
	}
	byName := map[string]sasl.Mechanism{
		mechanismScram512: scram.Sha512(password),
		mechanismScram256: scram.Sha256(password),
		mechanismPlain: plain.Plain(func(ctx context.Context) (plain.Auth, error) {
			c, err := ask(ctx)
			return plain.Auth{User: c.User, Pass: c.Value}, err
		}),
		mechanismOAuth: oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
			c, err := ask(ctx)
			return oauth.Auth{Token: c.Value}, err
		}),
	}
	if b.mechanism != "" {
		return []sasl.Mechanism{byName[b.mechanism]}
	}
	offer := []sasl.Mechanism{byName[mechanismScram512], byName[mechanismScram256]}
	if b.tls != nil {
		offer = append(offer, byName[mechanismPlain])
	}
	return offer
}

// connect returns the client that publishes, made on first use. While the cluster cannot be
// reached it tries again until ctx is done; a refusal that will not change by itself is an
// error at once.
func (b *Broker) connect(ctx context.Context) (*kgo.Client, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, b.explain("connect to", ctx.Err())
	}
	if err := b.life.Err(); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if b.client != nil {
		return b.client, nil
	}
	c, err := kgo.NewClient(b.options(b.producing()...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if err := b.reach(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	b.client = c
	return c, nil
}

// producing are the options of those who publish: all replicas confirm, and each message is
// stored once, which is what the library does unless told otherwise.
func (b *Broker) producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(b.maxMessage), kgo.MaxBufferedBytes(b.maxBuffered),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.UnknownTopicRetries(2),
	}
}

// maxHangUps is how often a server may hang up on our credentials: some say no more than that.
const maxHangUps = 3

// reach waits until a server answers.
func (b *Broker) reach(ctx context.Context, c *kgo.Client) error {
	ended := b.life.Ended()
	for n := 0; ; n++ {
		err := c.Ping(ctx)
		switch {
		case err == nil:
			return nil
		case denied(err), ctx.Err() != nil, n >= maxHangUps && b.credentials != nil && errors.Is(err, io.EOF):
			return b.explain("connect to", err)
		}
		select {
		case <-time.After(backoff(n)):
		case <-ended:
			return fmt.Errorf("kafka: %w", b.life.Err())
		case <-ctx.Done():
			return b.explain("connect to", fmt.Errorf("%w (%w)", err, ctx.Err()))
		}
	}
}

// A logger passes on what the client warns of.
type logger struct{ *Broker }

// Level implements kgo.Logger.
func (logger) Level() kgo.LogLevel { return kgo.LogLevelWarn }

// Log implements kgo.Logger.
func (l logger) Log(_ kgo.LogLevel, msg string, more ...any) {
	l.log.Warn(msg, append([]any{"broker", "kafka"}, more...)...)
}
