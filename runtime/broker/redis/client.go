package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

const (
	dialTime = 5 * time.Second
	// silence is how long a server may leave a command unanswered.
	silence = 5 * time.Second
)

func (b *Broker) newClient() redis.UniversalClient {
	o := &redis.UniversalOptions{
		Addrs: b.target.addrs, DB: b.target.db, MasterName: b.target.master, ClientName: b.name,
		Username: b.target.user, Password: b.target.password,
		Dialer: b.dial, DialTimeout: dialTime, ReadTimeout: silence, WriteTimeout: silence, ContextTimeoutEnabled: true,
		MaxRetries: -1, DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if b.credentials != nil {
		o.CredentialsProviderContext = func(ctx context.Context) (string, string, error) {
			c, err := b.credentials.Credential(ctx)
			return c.User, c.Value, err
		}
	}
	return redis.NewUniversalClient(o)
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

// connect returns the client, made on first use. While the server cannot be reached it tries
// again until ctx is done; a refusal that will not change by itself is an error at once.
func (b *Broker) connect(ctx context.Context) (redis.UniversalClient, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, b.explain("connect to", ctx.Err())
	}
	if err := b.life.Err(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if b.client != nil {
		return b.client, nil
	}
	c := b.newClient()
	if err := b.reach(ctx, c); err != nil {
		_ = c.Close()
		return nil, err
	}
	b.client, b.out = c, newPublisher(b, c)
	return c, nil
}

// reach waits until the server answers.
func (b *Broker) reach(ctx context.Context, c redis.UniversalClient) error {
	ended := b.life.Ended()
	for n := 0; ; n++ {
		err := c.Ping(ctx).Err()
		switch {
		case err == nil:
			return nil
		case !passing(err):
			return b.explain("connect to", err)
		}
		select {
		case <-time.After(backoff(n)):
		case <-ended:
			return fmt.Errorf("redis: %w", b.life.Err())
		case <-ctx.Done():
			return b.explain("connect to", fmt.Errorf("%w (%w)", err, ctx.Err()))
		}
	}
}

// backoff waits at random, so that clients do not come back all at once, and for less than
// a second, so that a server that is back is found.
func backoff(n int) time.Duration {
	return 10*time.Millisecond + rand.N(min(50*time.Millisecond<<min(n, 5), 800*time.Millisecond))
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

// passing says of an error that it may pass by itself: all but what the server refuses, and
// certificates.
func passing(err error) bool {
	if tlsconf.Explain(err) != "" || errors.Is(err, redis.ErrClosed) {
		return false
	}
	e, ok := errors.AsType[redis.Error](err)
	if !ok {
		return true
	}
	for _, p := range []string{"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY ", "UNKILLABLE", "MOVED", "ASK"} {
		if strings.HasPrefix(e.Error(), p) {
			return true
		}
	}
	return false
}

// remedies are for the errors that servers spell.
var remedies = []struct{ begins, remedy string }{
	{"NOAUTH", "the server wants a user and a password: redis://user:password@…, or redis.WithCredentials"},
	{"WRONGPASS", "check the user and the password"},
	{"ERR AUTH", "the server has no password, or no ACLs: leave user and password out"},
	{"ERR invalid password", "check the password"},
	{"NOPERM", "an ACL is missing: ACL SETUSER … +@stream +@set +@scripting +@connection ~the streams ~concordat:*"},
	{"OOM", "the server is at its maxmemory: trim streams (redis.WithMaxLen), or give it more"},
	{"MISCONF", "the server cannot write to its disk"},
	{"WRONGTYPE", "a key of this name is there, and it is no stream: give the channel another with redis.WithStream"},
	{"NOREPLICAS", "fewer replicas are connected than the server wants (min-replicas-to-write)"},
	{"DENIED", "the server is in protected mode: give it a password, or bind"},
}

// explain says which server an error is about, and what would help.
func (b *Broker) explain(doing string, err error) error {
	if errors.Is(err, redis.ErrClosed) && b.life.Err() != nil {
		return fmt.Errorf("redis: %w", b.life.Err())
	}
	help := remedy(err)
	if help != "" {
		help = "; " + help
	}
	return fmt.Errorf("redis: cannot %s %s: %w%s", doing, b.target, err, help)
}

func remedy(err error) string {
	if why := tlsconf.Explain(err); why != "" {
		return why
	}
	if e, ok := errors.AsType[redis.Error](err); ok {
		for _, r := range remedies {
			if strings.HasPrefix(e.Error(), r.begins) {
				return r.remedy
			}
		}
		return ""
	}
	var network *net.OpError
	if errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "EOF") {
		return "is the server running, and does it expect the TLS that was asked for?"
	}
	return ""
}
