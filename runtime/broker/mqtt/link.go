package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A session is what one connection is for.
type session struct {
	id      string
	keep    uint32 // seconds that the server keeps it after a disconnect
	receive uint16 // messages that may be unacknowledged; 0: the protocol's default
	onUp    func(*autopaho.ConnectionManager)
	onMsg   func(paho.PublishReceived)
}

// A link is one connection that mends itself.
type link struct {
	conn *autopaho.ConnectionManager
	stop context.CancelFunc

	mu     sync.Mutex
	last   error           // of the newest attempt to connect
	denied chan struct{}   // closed while trying again is no use
	ups    int             // how often it came up
	known  context.Context // done when the server has forgotten what was unconfirmed
	forget context.CancelFunc
}

const (
	keepAlive = 15 * time.Second
	// resume is how long the server keeps the session of a connection that was lost.
	resume = 5 * time.Minute
	// ackEvery is how often acknowledgements are sent, in the order that MQTT demands.
	ackEvery = 10 * time.Millisecond
)

func (b *Broker) dial(s session) (*link, error) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{stop: cancel, denied: make(chan struct{})}
	l.known, l.forget = context.WithCancel(ctx)
	conn, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls:                    []*url.URL{b.url},
		KeepAlive:                     uint16(keepAlive / time.Second),
		CleanStartOnInitialConnection: s.keep == 0,
		SessionExpiryInterval:         max(s.keep, uint32(resume/time.Second)),
		ReconnectBackoff:              backoff,
		ConnectTimeout:                5 * time.Second,
		ConnectUsername:               b.user,
		ConnectPassword:               b.password,
		AttemptConnection:             b.attempt,
		OnConnectionUp: func(c *autopaho.ConnectionManager, ack *paho.Connack) {
			l.note(nil)
			l.up(ctx, ack.SessionPresent)
			if s.onUp != nil {
				go s.onUp(c)
			}
		},
		OnConnectionDown: func() bool {
			b.log.Warn("connection to broker lost", "broker", "mqtt", "server", b.url.String())
			return true
		},
		OnConnectError: func(err error) {
			l.note(b.refusal(ctx, err))
		},
		ConnectPacketBuilder: func(p *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			p.Properties.RequestProblemInfo = true // its absence also costs messages their headers on some servers
			if s.receive > 0 {
				p.Properties.ReceiveMaximum = &s.receive
			}
			return p, nil
		},
		DisconnectPacketBuilder: func() *paho.Disconnect {
			return &paho.Disconnect{Properties: &paho.DisconnectProperties{SessionExpiryInterval: &s.keep}}
		},
		ClientConfig: paho.ClientConfig{
			ClientID: s.id, PacketTimeout: time.Minute, EnableManualAcknowledgment: s.onMsg != nil, SendAcksInterval: ackEvery,
			OnPublishReceived: receiver(s.onMsg),
		},
	})
	if err != nil {
		cancel()
		return nil, b.explain("connect to", err)
	}
	l.conn = conn
	return l, nil
}

func receiver(f func(paho.PublishReceived)) []func(paho.PublishReceived) (bool, error) {
	if f == nil {
		return nil
	}
	return []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) { f(p); return true, nil }}
}

// backoff waits at random, so that clients do not come back all at once.
func backoff(attempt int) time.Duration {
	if attempt == 0 {
		return 0
	}
	return 50*time.Millisecond + rand.N(min(200*time.Millisecond<<min(attempt, 5), 2*time.Second))
}

// attempt dials anew with the certificates of the moment.
func (b *Broker) attempt(ctx context.Context, _ autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
	d := &net.Dialer{Timeout: 5 * time.Second}
	if b.tls == nil {
		return d.DialContext(ctx, "tcp", hostPort(u, "1883"))
	}
	c, err := b.tls.Client(u.Hostname())
	if err != nil {
		return nil, err
	}
	conn, err := (&tls.Dialer{NetDialer: d, Config: c}).DialContext(ctx, "tcp", hostPort(u, "8883"))
	if err != nil {
		return nil, err
	}
	return packets.NewThreadSafeConn(conn), nil
}

// refusal finds out why the server broke off. With TLS 1.3 it refuses our certificate after
// the handshake, when we are writing already, and then the reason is lost more often than
// not. So it is asked once more, and listened to.
func (b *Broker) refusal(ctx context.Context, err error) error {
	var answer *autopaho.ConnackError
	var op *net.OpError
	if b.tls == nil || tlsconf.Explain(err) != "" || errors.As(err, &answer) || errors.As(err, &op) && op.Op == "dial" {
		return err
	}
	conn, again := b.attempt(ctx, autopaho.ClientConfig{}, b.url)
	if again != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // it says nothing where it would let us in
	if _, again = conn.Read(make([]byte, 1)); tlsconf.Explain(again) != "" {
		return again
	}
	return err
}

func hostPort(u *url.URL, port string) string {
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// final says whether the refusal, the server's or ours, will not change by itself.
func final(err error) bool {
	if tlsconf.Explain(err) != "" {
		return true
	}
	var refused *autopaho.ConnackError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.ReasonCode {
	case 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c: // version, client id, credentials, not authorized, banned, method
		return true
	}
	return false
}

// note keeps what came of the newest attempt. What was refused for good may be let in
// later, when certificates or accounts have changed.
func (l *link) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.last != nil && final(l.last)
	switch is := err != nil && final(err); {
	case is && !was:
		close(l.denied)
	case was && !is:
		l.denied = make(chan struct{})
	}
	l.last = err
}

// up notes that a connection came about. Where the server knows nothing of the one before,
// the client drops what was not confirmed without a word, so whoever waits is told.
func (l *link) up(ctx context.Context, remembered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ups++; l.ups == 1 || remembered {
		return
	}
	l.forget()
	l.known, l.forget = context.WithCancel(ctx)
}

// publish sends p once and waits until the server has confirmed it. lost says that it will
// not, whether or not it has p.
func (l *link) publish(ctx context.Context, p *paho.Publish) (lost bool, err error) {
	l.mu.Lock()
	known := l.known
	l.mu.Unlock()
	attempt, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(known, cancel)
	defer stop()
	resp, err := l.conn.Publish(attempt, p)
	if err == nil && resp != nil && resp.ReasonCode >= 0x80 { // of quality 2, which the client lets pass
		err = fmt.Errorf("the server refused the message with reason 0x%02x", resp.ReasonCode)
	}
	return err != nil && known.Err() != nil && ctx.Err() == nil, err
}

// reason returns why the newest attempt failed.
func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// refused returns what is closed while trying again is no use.
func (l *link) refused() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.denied
}

// await returns when the connection is up. Its error holds why the last attempt failed.
func (l *link) await(ctx context.Context) error {
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	denied := l.refused()
	go func() {
		select {
		case <-denied:
			cancel()
		case <-wait.Done():
		}
	}()
	err := l.conn.AwaitConnection(wait)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if why := l.reason(); why != nil {
		return fmt.Errorf("%w (%w)", err, why)
	}
	return err
}

func (l *link) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	err := l.conn.Disconnect(ctx)
	l.stop()
	return err
}
