package grpcengine

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	concordat "github.com/concordat-dev/concordat/runtime"
)

const (
	idle = 90 * time.Second // as long as the default engine keeps connections
	// lost is after how long without an acknowledgement a connection is given up: of a
	// request by TCP (Linux), of a ping by grpc-go.
	lost = 8 * time.Second
	// quiet is after how long a silent stream's connection is pinged. Servers of gRPC cut
	// off whom they hear more often than every five minutes, unless they are told not to.
	quiet = 6 * time.Minute
)

// A carrier keeps a ClientConn for each endpoint.
type carrier struct {
	link concordat.Link

	mu      sync.Mutex
	remotes map[address]*remote
	retired bool
}

// An address is what ClientConns differ by.
type address struct{ addr, authority string }

// endpointOf returns the way to a's endpoint, connected, and what to call when the call is
// over.
func endpointOf(ctx context.Context, conn *concordat.Conn, a *concordat.Attempt) (_ *remote, done func(), err error) {
	at := address{a.Endpoint.Addr, a.Authority()}
	for {
		c := conn.Carrier(newCarrier).(*carrier)
		r, ok, err := c.acquire(at)
		switch {
		case err != nil:
			return nil, nil, a.Broke(ctx, err, false)
		case !ok:
			continue
		}
		if err := r.await(ctx); err != nil {
			c.release(r)
			return nil, nil, a.Broke(ctx, err, false)
		}
		return r, func() { c.release(r) }, nil
	}
}

func newCarrier(link concordat.Link) concordat.Carrier {
	return &carrier{link: link, remotes: map[address]*remote{}}
}

// acquire returns the remote at an address, for one call; false: no more calls.
func (c *carrier) acquire(at address) (r *remote, ok bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired {
		return nil, false, nil
	}
	r = c.remotes[at]
	if r == nil {
		if r, err = c.newRemote(at); err != nil {
			return nil, false, err
		}
		c.sweep()
		c.remotes[at] = r
	}
	r.calls++
	return r, true, nil
}

func (c *carrier) release(r *remote) {
	c.mu.Lock()
	r.calls--
	last := c.retired && r.calls == 0
	if r.calls == 0 {
		r.used = time.Now()
	}
	c.mu.Unlock()
	if last {
		r.close()
	}
}

// sweep closes what leads to endpoints that nobody has called for a while: they may be
// gone. The caller has locked c.
func (c *carrier) sweep() {
	for at, r := range c.remotes {
		if r.calls == 0 && time.Since(r.used) > idle {
			delete(c.remotes, at)
			go r.close()
		}
	}
}

// Retire implements concordat.Carrier.
func (c *carrier) Retire() {
	c.mu.Lock()
	var over []*remote
	for at, r := range c.remotes {
		if r.calls == 0 {
			over = append(over, r)
			delete(c.remotes, at)
		}
	}
	c.retired = true
	c.mu.Unlock()
	for _, r := range over {
		r.close()
	}
}

// newRemote makes a ClientConn, which connects when it is used.
func (c *carrier) newRemote(at address) (*remote, error) {
	r := &remote{changed: make(chan struct{})}
	cc, err := grpc.NewClient("passthrough:///"+at.addr,
		grpc.WithTransportCredentials(&credential{link: c.link, addr: at.addr, remote: r}),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return c.link.Dial(ctx, at.addr) }),
		grpc.WithAuthority(at.authority),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(), // Conn.Try does it
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"`+balancerName+`":{}}]}`),
		grpc.WithIdleTimeout(idle),
		grpc.WithMaxHeaderListSize(256<<10),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(wireCodec{})),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: lost,
			Backoff: backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 10 * time.Second}}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: quiet, Timeout: lost}),
	)
	if err != nil {
		return nil, err
	}
	r.cc = cc
	return r, nil
}
