// Package mqtt is the broker of programs that use MQTT 5: messages travel with quality of
// service 1, are confirmed by the server's PUBACK and acknowledged when they were handled.
//
// MQTT has no negative acknowledgement: a message whose handler fails is handed over again
// by this package, and by the server after a reconnect. A message that nobody has
// subscribed to is confirmed all the same, as the protocol has it (MQTT 5, 3.4.2.1).
//
// It imports runtime/broker, runtime/tlsconf and paho.golang.
package mqtt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	sessions "github.com/eclipse/paho.golang/paho/session"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Broker implements broker.Broker. It connects when it is first used, and again, for
// ever, when a connection is lost. Publishing has a connection of its own, and each
// subscription, too, so that a slow handler holds up nothing else.
type Broker struct {
	url      *url.URL
	tls      *tlsconf.Config
	clientID string
	user     string
	password []byte
	qos      byte
	log      *slog.Logger
	unknown  broker.Unknown

	mu   sync.Mutex
	pub  *link
	life broker.Life
}

// An Option configures a Broker.
type Option func(*Broker)

// WithTLS secures the connection. Without it, mqtts:// verifies the server against the
// system's authorities.
func WithTLS(c *tlsconf.Config) Option { return func(b *Broker) { b.tls = c } }

// WithClientID gives the sessions a name that outlives the process: the server then keeps
// messages while the program is away, for an hour. Only one program at a time may use a
// name. Without it, sessions have random names and end with the program.
func WithClientID(id string) Option { return func(b *Broker) { b.clientID = id } }

// WithCredentials sends a user name and a password.
func WithCredentials(user, password string) Option {
	return func(b *Broker) { b.user, b.password = user, []byte(password) }
}

// WithQoS is the quality of service where the contract names none; 1 by default. With 0
// nothing is confirmed and messages may be lost.
func WithQoS(qos byte) Option { return func(b *Broker) { b.qos = qos } }

// WithLogger reports lost and regained connections; slog.Default() by default.
func WithLogger(l *slog.Logger) Option { return func(b *Broker) { b.log = l } }

// New prepares a broker for the server at target, mqtts://host:port, or mqtt://host:port
// for a connection that anyone on the way can read. It does no I/O.
func New(target string, opts ...Option) (*Broker, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
		return nil, errors.New("mqtt: the target is no server's address: write mqtts://host:8883 or mqtt://host:1883")
	}
	b := &Broker{url: u, qos: 1, log: slog.Default()}
	if u.User != nil {
		password, _ := u.User.Password()
		b.user, b.password = u.User.Username(), []byte(password)
		u.User = nil
	}
	for _, o := range opts {
		o(b)
	}
	switch {
	case b.qos > 2:
		return nil, fmt.Errorf("mqtt: quality of service %d does not exist", b.qos)
	case u.Scheme == "mqtt" && b.tls != nil:
		return nil, fmt.Errorf("mqtt: %s is without TLS, yet mqtt.WithTLS is given: write mqtts://", u)
	case u.Scheme == "mqtts" && b.tls == nil:
		b.tls = tlsconf.System()
	}
	return b, nil
}

// Name returns "mqtt".
func (b *Broker) Name() string { return "mqtt" }

// publisher returns the connection for publishing, made on first use.
func (b *Broker) publisher() (*link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.life.Err(); err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	if b.pub == nil {
		l, err := b.dial(session{id: b.id("pub")})
		if err != nil {
			return nil, err
		}
		b.pub = l
	}
	return b.pub, nil
}

// id names a session: after the program where it has a name, else at random.
func (b *Broker) id(part string) string {
	if b.clientID != "" {
		return b.clientID + "-" + part
	}
	return "concordat-" + strings.ToLower(rand.Text())
}

// Publish returns when the server has confirmed m. A server that was lost, and has forgotten
// us when it is back, gets m again: consumers tell duplicates by the ID.
func (b *Broker) Publish(ctx context.Context, m *broker.Message) error {
	out, err := b.toPublish(m)
	if err != nil {
		return err
	}
	l, err := b.publisher()
	if err != nil {
		return err
	}
	for {
		lost, err := l.publish(ctx, out)
		if lost || unsent(err) {
			if err = l.await(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return b.explain("publish to "+m.Address+" on", err)
		}
		return nil
	}
}

// unsent says that there was no connection, as autopaho knows, or only its session yet.
func unsent(err error) bool {
	if errors.Is(err, sessions.ErrNoConnection) {
		time.Sleep(ackEvery) // it will know in a moment
		return true
	}
	return errors.Is(err, autopaho.ConnectionDownError)
}

// explain says which server an error is about, and what would help.
func (b *Broker) explain(doing string, err error) error {
	help := ""
	var refused *autopaho.ConnackError
	if why := tlsconf.Explain(err); why != "" {
		help = "; " + why
	} else if errors.As(err, &refused) {
		switch refused.ReasonCode {
		case 0x86, 0x87:
			help = "; check the user name and the password, and what the certificate allows"
		case 0x84:
			help = "; the server does not speak MQTT 5"
		default:
			help = fmt.Sprintf("; the server refused with reason 0x%02x %s", refused.ReasonCode, refused.Reason)
		}
	} else if errors.Is(err, context.DeadlineExceeded) {
		help = "; is the server running, and does it expect the TLS that was asked for?"
	}
	return fmt.Errorf("mqtt: cannot %s %s: %w%s", doing, b.url, err, help)
}

// Close ends every subscription, waits for handlers in flight until ctx is done, and
// disconnects.
func (b *Broker) Close(ctx context.Context) error {
	err := b.life.Close(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pub != nil {
		err = errors.Join(err, b.pub.close())
	}
	if err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	return nil
}

// toPublish spells m as a packet.
func (b *Broker) toPublish(m *broker.Message) (*paho.Publish, error) {
	topic, err := topicOf(m.Address)
	if err != nil {
		return nil, err
	}
	set, err := parse(m.Settings, b.qos)
	if err != nil {
		return nil, err
	}
	b.unknown.Warn(b.log, m.Settings, "mqtt", "", settingNames...)
	p := &paho.PublishProperties{ContentType: m.Media, User: toUser(m)}
	if m.CorrelationID != "" {
		p.CorrelationData = []byte(m.CorrelationID)
	}
	if m.ReplyTo != "" {
		if p.ResponseTopic, err = topicOf(m.ReplyTo); err != nil {
			return nil, err
		}
	}
	if set.expiry > 0 {
		p.MessageExpiry = &set.expiry
	}
	return &paho.Publish{QoS: set.qos, Retain: set.retain, Topic: topic, Properties: p, Payload: m.Body}, nil
}

// shutdownTime is how long a DISCONNECT may take.
const shutdownTime = 2 * time.Second
