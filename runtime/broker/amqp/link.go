package amqp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A link is one connection, made when it is first needed and again when it was lost.
type link struct {
	*Broker
	purpose string
	turn    chan struct{} // held while dialling

	mu    sync.Mutex
	conn  *amqp091.Connection
	wasUp bool
	last  error // of the newest attempt
}

func (l *link) init(b *Broker, purpose string) {
	l.Broker, l.purpose, l.turn = b, purpose, make(chan struct{}, 1)
}

// get returns the connection. While the server cannot be reached it tries again until ctx
// is done; a refusal that will not change by itself is an error at once, unless the
// connection was there before: certificates and passwords are replaced while programs run.
func (l *link) get(ctx context.Context) (*amqp091.Connection, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, l.late(ctx)
	}
	denials := 0
	for n := 0; ; n++ {
		if c := l.current(); c != nil {
			return c, nil
		}
		conn, err := l.dial(ctx, l.servers[n%len(l.servers)])
		if err == nil {
			l.up(conn)
			continue
		}
		if denied(err) {
			denials++
		}
		if first := l.note(err); first && denials > len(l.servers) || l.ctx.Err() != nil {
			return nil, err
		}
		if !pause(ctx, backoff(n)) {
			return nil, l.late(ctx)
		}
	}
}

func (l *link) current() *amqp091.Connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil && !l.conn.IsClosed() {
		return l.conn
	}
	return nil
}

func (l *link) up(conn *amqp091.Connection) {
	l.mu.Lock()
	again := l.wasUp
	l.conn, l.wasUp, l.last = conn, true, nil
	l.mu.Unlock()
	if again {
		l.log.Info("connection to broker is back", "broker", "amqp", "for", l.purpose)
	}
	gone := conn.NotifyClose(make(chan *amqp091.Error, 1))
	go func() {
		if why := <-gone; why != nil {
			l.log.Warn("connection to broker lost", "broker", "amqp", "for", l.purpose, "server", conn.RemoteAddr().String(), "error", why)
		}
	}()
}

// note keeps err for those who wait; first says that the connection was never there.
func (l *link) note(err error) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = err
	return !l.wasUp
}

// late is the error of one who waited in vain.
func (l *link) late(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		return fmt.Errorf("amqp: cannot connect to %s: %w", l.servers[0], ctx.Err())
	}
	return fmt.Errorf("%w (%w)", l.last, ctx.Err())
}

func (l *link) close() {
	if c := l.current(); c != nil {
		_ = c.CloseDeadline(time.Now().Add(closeTime)) // what matters is confirmed already
	}
}

// backoff waits at random, so that clients do not come back all at once, and for less than
// a second, so that a server that is back is found.
func backoff(n int) time.Duration {
	if n == 0 {
		return rand.N(50 * time.Millisecond)
	}
	return 50*time.Millisecond + rand.N(min(100*time.Millisecond<<min(n, 3), 800*time.Millisecond))
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// dialTime bounds one attempt to connect: network, TLS, and the protocol's greeting.
const dialTime = 5 * time.Second

func (l *link) dial(ctx context.Context, s *server) (*amqp091.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, explain("connect to", s, err)
	}
	if s.secure {
		if raw, err = l.secured(ctx, s, raw); err != nil {
			return nil, explain("connect to", s, err)
		}
	}
	_ = raw.SetDeadline(time.Now().Add(dialTime)) // the library lifts it after its greeting
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	f := newFlusher(raw)
	conn, err := amqp091.Open(f, amqp091.Config{
		SASL: l.credentials(s), Vhost: s.vhost, Heartbeat: s.heartbeat, FrameSize: frameSize, Locale: "en_US",
		Properties: amqp091.Table{"product": "concordat", "connection_name": l.name + " " + l.purpose},
	})
	if err != nil {
		_ = f.Close()
		if why := f.reason(); tlsconf.Explain(why) != "" {
			err = why
		}
		return nil, explain("connect to", s, err)
	}
	return conn, nil
}

// frameSize is RabbitMQ's own: larger messages come in several frames.
const frameSize = 128 << 10

func (l *link) secured(ctx context.Context, s *server, raw net.Conn) (net.Conn, error) {
	config, err := l.tls.Client(s.host)
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

// credentials are the mechanisms that we offer, the best first.
func (l *link) credentials(s *server) []amqp091.Authentication {
	user, password := s.user, s.password
	if user == "" {
		user, password = "guest", "guest" // which servers let in from their own machine only
	}
	all := []amqp091.Authentication{
		&amqp091.PlainAuth{Username: user, Password: password},
		&amqp091.AMQPlainAuth{Username: user, Password: password},
	}
	if s.secure && s.user == "" || l.mechanism == "EXTERNAL" {
		all = append([]amqp091.Authentication{&amqp091.ExternalAuth{}}, all...)
	}
	for _, a := range all {
		if a.Mechanism() == l.mechanism {
			return []amqp091.Authentication{a}
		}
	}
	return all
}

// denied says whether the refusal, the server's or ours, will not change by itself.
func denied(err error) bool {
	if tlsconf.Explain(err) != "" || errors.Is(err, amqp091.ErrSASL) {
		return true
	}
	var e *amqp091.Error
	return errors.As(err, &e) && (e.Code == amqp091.AccessRefused || e.Code == amqp091.NotAllowed)
}
