// Package nats is the broker of programs that use NATS with JetStream: messages are
// confirmed when a stream has stored them, and acknowledged when they were handled.
//
// Addresses with slashes become subjects with dots, "a/{id}/b" is "a.*.b"; a dot, a
// wildcard or a space inside a segment is percent-encoded. Addresses without slashes are
// subjects as they stand.
//
// Where no stream takes a subject, one is declared for everything that begins with its
// first token: file storage, kept for seven days. WithStream declares others, and
// WithoutDeclare none.
//
// Without JetStream, nats+core://host:4222 (or WithCore) publishes to core subjects, where
// groups are queue groups: at most once. Who is not there when a message comes, or cannot
// keep up, or goes away while it handles one, does not get it, and nobody learns of that. It
// is for what the next message makes good, and for requests.
//
// It imports runtime/broker, runtime/tlsconf and nats.go.
package nats

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Broker implements broker.Broker. It connects when it is first used, and again, for
// ever, when the connection is lost.
type Broker struct {
	urls    []*url.URL
	tls     *tlsconf.Config
	plain   bool
	name    string
	log     *slog.Logger
	streams []jetstream.StreamConfig
	declare bool
	extra   []nats.Option
	unknown broker.Unknown
	ackWait time.Duration
	core    bool

	mu   sync.Mutex
	conn *nats.Conn
	js   jetstream.JetStream
	life broker.Life
}

// An Option configures a Broker.
type Option func(*Broker)

// WithTLS secures the connection. Without it, tls:// verifies the server against the
// system's authorities.
func WithTLS(c *tlsconf.Config) Option { return func(b *Broker) { b.tls = c } }

// WithPlaintext allows a connection that anyone on the way can read.
func WithPlaintext() Option { return func(b *Broker) { b.plain = true } }

// WithName names the connection in the server's monitoring; "concordat" by default.
func WithName(name string) Option { return func(b *Broker) { b.name = name } }

// WithLogger reports lost and regained connections; slog.Default() by default.
func WithLogger(l *slog.Logger) Option { return func(b *Broker) { b.log = l } }

// WithStream declares a stream when the connection is made, or updates it.
func WithStream(c jetstream.StreamConfig) Option {
	return func(b *Broker) { b.streams = append(b.streams, c) }
}

// WithoutDeclare leaves streams to those who administer the server: a message that no
// stream takes is then an error.
func WithoutDeclare() Option { return func(b *Broker) { b.declare = false } }

// WithAckWait sets how long the server waits for word of a message before it hands it over
// again, DefaultAckWait unless said: so long may a message be lost to a member that died,
// or with a server whose last seconds were. Handlers may take longer, since that is told.
func WithAckWait(d time.Duration) Option { return func(b *Broker) { b.ackWait = d } }

// WithOptions passes options of nats.go on: credentials, tokens, inbox prefixes.
func WithOptions(o ...nats.Option) Option {
	return func(b *Broker) { b.extra = append(b.extra, o...) }
}

// WithCore does without JetStream, as nats+core:// does: at most once, see the package.
func WithCore() Option { return func(b *Broker) { b.core = true } }

// New prepares a broker for the servers that target lists, comma-separated, as
// nats://host:port or tls://host:port, or nats+core:// or tls+core://. It does no I/O. nats:// needs WithTLS, or
// WithPlaintext written out.
func New(target string, opts ...Option) (*Broker, error) {
	b := &Broker{declare: true, name: "concordat", ackWait: DefaultAckWait, log: slog.Default()}
	for _, o := range opts {
		o(b)
	}
	if b.ackWait <= 0 {
		return nil, fmt.Errorf("nats: WithAckWait(%v): the server must wait for some time", b.ackWait)
	}
	for t := range strings.SplitSeq(target, ",") {
		u, err := url.Parse(strings.TrimSpace(t))
		if err == nil {
			var core bool
			u.Scheme, core = strings.CutSuffix(u.Scheme, "+core")
			b.core = b.core || core
		}
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return nil, fmt.Errorf("nats: %q is no server's address: write nats://host:4222 or tls://host:4222", redact(t))
		}
		b.urls = append(b.urls, u)
		if u.Scheme == "tls" && b.tls == nil {
			b.tls = tlsconf.System()
		}
	}
	if b.tls == nil && !b.plain {
		return nil, fmt.Errorf("nats: %s would be used without TLS: give nats.WithTLS, or nats.WithPlaintext where that is meant", b.urls[0].Redacted())
	}
	return b, nil
}

func redact(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "…" + s[i:]
	}
	return s
}

// Name returns "nats".
func (b *Broker) Name() string { return "nats" }

// connect returns the connection, made on first use.
func (b *Broker) connect(ctx context.Context) (jetstream.JetStream, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.life.Err(); err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	if b.js != nil {
		return b.js, nil
	}
	conn, err := b.dial()
	if err != nil {
		return nil, b.explain("connect to", err)
	}
	js, err := jetstream.New(conn)
	if err == nil && !b.core {
		err = b.declareStreams(ctx, js)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	b.conn, b.js = conn, js
	return js, nil
}

func (b *Broker) declareStreams(ctx context.Context, js jetstream.JetStream) error {
	for _, s := range b.streams {
		if _, err := js.CreateOrUpdateStream(ctx, s); err != nil {
			return b.explain(fmt.Sprintf("declare stream %s on", s.Name), err)
		}
	}
	return nil
}

func (b *Broker) dial() (*nats.Conn, error) {
	servers := make([]string, len(b.urls))
	for i, u := range b.urls {
		servers[i] = u.String()
	}
	opts := []nats.Option{
		nats.Name(b.name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		nats.ReconnectJitter(200*time.Millisecond, 300*time.Millisecond),
		nats.Timeout(5 * time.Second),
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.ReconnectBufSize(-1), // a message that waits in memory is not confirmed
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("connection to broker lost", "broker", "nats", "server", b.urls[0].Redacted(), "error", err)
			}
		}),
		nats.ErrorHandler(b.trouble),
		nats.ReconnectHandler(func(c *nats.Conn) {
			b.log.Info("connection to broker is back", "broker", "nats", "server", c.ConnectedUrlRedacted())
		}),
	}
	if b.tls != nil {
		c, err := b.tls.Client("") // each server's own name is filled in
		if err != nil {
			return nil, err
		}
		c.GetClientCertificate = b.certificate
		opts = append(opts, nats.Secure(c), nats.ClientTLSConfig(nil, b.roots))
	}
	return nats.Connect(strings.Join(servers, ","), append(opts, b.extra...)...)
}

// certificate and roots are asked at every connect, since files may have changed.
func (b *Broker) certificate(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	c, err := b.tls.Client("")
	if err != nil {
		return nil, err
	}
	return c.GetClientCertificate(asked)
}

func (b *Broker) roots() (*x509.CertPool, error) {
	c, err := b.tls.Client("")
	if err != nil {
		return nil, err
	}
	return c.RootCAs, nil
}

// explain says which server an error is about, and what would help.
func (b *Broker) explain(doing string, err error) error {
	help := ""
	why := tlsconf.Explain(err)
	switch {
	case why != "":
		help = "; " + why
	case errors.Is(err, nats.ErrTLS): // the server's reason got lost
		help = "; it may want a client certificate (tlsconf.Mutual); does it trust the authority that issued our certificate?"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		help = "; check the credentials given by nats.WithOptions"
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrTimeout):
		help = "; is the server running, and does it expect the TLS that was asked for?"
	case errors.Is(err, nats.ErrMaxPayload):
		help = "; raise the server's max_payload, or send less"
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		help = "; start nats-server with -js, or do without what it keeps: nats+core://"
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		help = "; no stream takes this subject: declare one with nats.WithStream"
	}
	return fmt.Errorf("nats: cannot %s %s: %w%s", doing, b.urls[0].Redacted(), err, help)
}

// Publish returns when a stream has stored m, or, by nats+core://, when the server has it. A message with the same ID as one of the
// last two minutes is confirmed and not stored again.
func (b *Broker) Publish(ctx context.Context, m *broker.Message) error {
	js, err := b.connect(ctx)
	if err != nil {
		return err
	}
	subject, err := subjectOf(m.Address)
	if err != nil {
		return err
	}
	b.unknown.Warn(b.log, m.Settings, "nats", "", "queue")
	if b.core {
		return b.publishCore(ctx, m, subject)
	}
	out := &nats.Msg{Subject: subject, Data: m.Body, Header: toHeader(m)}
	_, err = js.PublishMsg(ctx, out)
	if errors.Is(err, jetstream.ErrNoStreamResponse) && b.declare {
		if err = b.ensure(ctx, js, subject); err == nil {
			_, err = js.PublishMsg(ctx, out)
		}
	}
	if err != nil {
		return b.explain("publish to "+m.Address+" on", err)
	}
	return nil
}

// retention is how long a stream that we declare keeps messages.
const retention = 7 * 24 * time.Hour

// ensure makes sure that a stream takes subject, which may hold wildcards.
func (b *Broker) ensure(ctx context.Context, js jetstream.JetStream, subject string) error {
	_, err := js.StreamNameBySubject(ctx, subject)
	if !errors.Is(err, jetstream.ErrStreamNotFound) || !b.declare {
		return err
	}
	first, _, _ := strings.Cut(subject, ".")
	if first == "*" || first == ">" {
		return fmt.Errorf("no stream can be named after %s; declare one with nats.WithStream", subject)
	}
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: streamName(first), Subjects: []string{first, first + ".>"}, Storage: jetstream.FileStorage, MaxAge: retention,
		Description: "declared by concordat",
	})
	return err
}

// Close ends every subscription, waits for handlers in flight until ctx is done, and
// disconnects.
func (b *Broker) Close(ctx context.Context) error {
	err := b.life.Close(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		b.conn.Close()
	}
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	return nil
}
