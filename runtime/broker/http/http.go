// Package http carries messages by webhooks, as AsyncAPI's http bindings mean it: each
// message is a request to every URL that somebody gave for its address, and its reply is
// the acknowledgement. 2xx confirms; no answer, 408, 429 and 5xx mean again later; all else
// means never. The other way round, requests to a server's routes are messages, which are
// answered when they were handled.
//
// Publish waits for the handlers at the other end, and nothing stands in between that would
// keep a message: who must not lose one writes it to an outbox (runtime/outbox), whose relay
// publishes here.
//
// The ID travels as webhook-id and the time as webhook-timestamp, as Standard Webhooks has
// it; what else a message has, as concordat-key, concordat-reply-to and
// concordat-correlation-id. Values are percent-encoded as in the HTTP binding of CloudEvents
// (3.1.3.2).
//
// A Feed serves what is published as server-sent events, at most once.
//
// It imports runtime, runtime/auth, runtime/broker, runtime/internal/sse and the standard library.
package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
)

// The defaults of a Broker.
const (
	DefaultAttempts = 6
	DefaultTimeout  = 10 * time.Second
)

// A Broker implements broker.Broker.
type Broker struct {
	attempts int
	timeout  time.Duration
	backoff  time.Duration

	mu     sync.Mutex
	hooks  map[*hook]struct{}
	groups map[groupKey]*group
	feeds  []*feed
	life   broker.Life
}

// A hook is one URL that wants the messages of some addresses.
type hook struct {
	pattern broker.Pattern
	conn    *concordat.Conn
	spec    *concordat.Spec
}

// An Option configures a Broker.
type Option func(*Broker)

// WithAttempts sets how often a request is made until Publish fails, DefaultAttempts unless
// said; its context ends it earlier.
func WithAttempts(n int) Option { return func(b *Broker) { b.attempts = n } }

// WithTimeout sets how long one request may take, DefaultTimeout unless said.
func WithTimeout(d time.Duration) Option { return func(b *Broker) { b.timeout = d } }

// WithBackoff sets how long to wait before the second request, half a second unless said;
// the wait doubles each time, up to a minute, and a server's Retry-After counts.
func WithBackoff(d time.Duration) Option { return func(b *Broker) { b.backoff = d } }

// New returns a broker that knows no URLs and receives nothing yet.
func New(opts ...Option) *Broker {
	b := &Broker{attempts: DefaultAttempts, timeout: DefaultTimeout, backoff: 500 * time.Millisecond,
		hooks: map[*hook]struct{}{}, groups: map[groupKey]*group{}}
	for _, o := range opts {
		o(b)
	}
	return b
}

// Name returns "http".
func (b *Broker) Name() string { return "http" }

// AddHook sends what is published to addresses, a template, to url from now on, until remove
// is called. The rules of concordat.NewHook hold: https, no private networks, no redirects,
// unless its options say otherwise. Credentials are options, too.
func (b *Broker) AddHook(addresses, url string, opts ...concordat.ConnOption) (remove func(), err error) {
	conn, err := concordat.NewHook(url, append([]concordat.ConnOption{concordat.WithTimeout(b.timeout), concordat.WithRetries(0)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	h := &hook{broker.ParsePattern(addresses), conn, &concordat.Spec{Name: "http.Hook/" + addresses, Route: "POST /" + addresses}}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.life.Err(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("http: %w", err)
	}
	b.hooks[h] = struct{}{}
	return func() { b.drop(h) }, nil
}

func (b *Broker) drop(h *hook) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.hooks[h]; ok {
		delete(b.hooks, h)
		_ = h.conn.Close()
	}
}

// Publish returns when every hook for m's address has answered 2xx. Where neither hook nor feed is there it
// is broker.ErrUnroutable. An error says which URLs failed, and is permanent where none of
// them will take the message: those that did not fail have it, and get it again, with the
// same ID, when it is published again.
func (b *Broker) Publish(ctx context.Context, m *broker.Message) error {
	hooks, err := b.hooksOf(m.Address)
	if err != nil {
		return err
	}
	fed, err := b.feed(m)
	if err != nil {
		return err
	}
	if len(hooks) == 0 && !fed {
		return fmt.Errorf("http: publish to %s: %w; name a URL by AddHook, or serve a Feed", m.Address, broker.ErrUnroutable)
	}
	header, err := headerOf(m)
	if err != nil {
		return err
	}
	errs := make([]error, len(hooks))
	var all sync.WaitGroup
	for i, h := range hooks {
		all.Go(func() { errs[i] = b.deliver(ctx, h, m, header.Clone()) })
	}
	all.Wait()
	return joined(errs)
}

func (b *Broker) hooksOf(address string) ([]*hook, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.life.Err(); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	var out []*hook
	for h := range b.hooks {
		if h.pattern.Match(address) {
			out = append(out, h)
		}
	}
	return out, nil
}

// joined is permanent only where all that failed is.
func joined(errs []error) error {
	all := errors.Join(errs...)
	for _, err := range errs {
		if err != nil && !broker.IsPermanent(err) {
			return errors.New(all.Error())
		}
	}
	return all
}

// Close ends subscriptions, waits for handlers until ctx is done, and forgets the hooks.
func (b *Broker) Close(ctx context.Context) error {
	err := b.life.Close(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	for h := range b.hooks {
		_ = h.conn.Close()
		delete(b.hooks, h)
	}
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}

// again says whether a reply asks for another try.
func again(status int) bool {
	return status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
}
