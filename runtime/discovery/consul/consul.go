// Package consul finds services in Consul, and announces them there, by its HTTP API:
// blocking queries for those that are healthy, TTL checks for those announced.
//
// It imports runtime/discovery, runtime/tlsconf and the standard library.
package consul

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// The defaults of Config.
const (
	Agent   = "http://127.0.0.1:8500" // where a Consul agent listens
	Wait    = 5 * time.Minute         // Consul's own default; it adds up to a sixteenth
	Spacing = 250 * time.Millisecond
	Retry   = time.Second
	TTL     = 15 * time.Second
	Forget  = time.Minute // the least that Consul takes
)

// The metadata in which Concordat keeps what Consul has no place for.
const (
	MetaServerName = "concordat-server-name"
	MetaZone       = "zone"
	MetaSecure     = "secure"
)

// Config says which Consul, and how to ask it. The zero value asks the agent of this
// machine.
type Config struct {
	Addr       string          // URL of an agent; "" means Agent
	TLS        *tlsconf.Config // for an https Addr; nil means tlsconf.System
	Token      string          // of the access control lists; sent as X-Consul-Token
	Datacenter string          // "" means the agent's
	Namespace  string          // of Consul Enterprise
	Tags       []string        // that instances must all have

	// Wait is how long a query blocks when nothing changes, Spacing the least time between
	// two queries; a Consul that answers at once without news is asked ever less often.
	Wait, Spacing time.Duration
	// Retry is the pause after a failure; it doubles up to half a minute, half of it random.
	Retry time.Duration
	// TTL is after how long without a heartbeat an announced instance counts as sick,
	// Forget after how long it is forgotten.
	TTL, Forget time.Duration
	// Dial connects to the agent, over a Unix socket for instance; nil means by TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Registry is a resolver for targets such as
//
//	consul://users
//	consul://users?tag=v2&tag=blue&dc=eu
//
// and a registrar. It is safe for concurrent use.
type Registry struct {
	config Config
	web    *web.Client
}

// New returns a Registry. It does no I/O; an error says what is wrong with c.
func New(c Config) (*Registry, error) {
	if c.Addr == "" {
		c.Addr = Agent
	}
	for d, def := range map[*time.Duration]time.Duration{&c.Wait: Wait, &c.Spacing: Spacing, &c.Retry: Retry, &c.TTL: TTL, &c.Forget: Forget} {
		if *d <= 0 {
			*d = def
		}
	}
	client, err := web.New(web.Config{Servers: []string{c.Addr}, TLS: c.TLS, Dial: c.Dial, Auth: func(_ context.Context, h http.Header) error {
		if c.Token != "" {
			h.Set("X-Consul-Token", c.Token)
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return &Registry{config: c, web: client}, nil
}
