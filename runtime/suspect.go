package runtime

import (
	"context"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/balance"
)

// suspectEvery bounds how often connections to one endpoint are replaced on suspicion.
const suspectEvery = time.Second

// heed learns from how an attempt ended whether the connections to its endpoint are alive.
// An attempt that ran out of time, while the endpoint answered nobody, may have gone into
// a black hole: a firewall that forgot the connection, a cable that was cut. HTTP/2 would
// send the next calls the same way until pings find out, which takes seconds.
func (c *Conn) heed(a *Attempt, at *endpoint, start, now time.Duration, o balance.Outcome) {
	if !a.silent.Load() {
		if o == balance.Good {
			at.heard.Store(int64(now))
		}
		return
	}
	last := at.suspected.Load()
	if at.heard.Load() >= int64(start) || last != 0 && now-time.Duration(last) < suspectEvery || !at.suspected.CompareAndSwap(last, int64(now)) {
		return
	}
	c.replace(at)
}

// farewell is how long the last request on an old connection may take to leave: nobody
// waits for its answer.
const farewell = 100 * time.Millisecond

// replace makes the next calls to e go over new connections, and asks e over one of them
// whether it is there at all. What is under way on the old ones stays there: the endpoint
// may be slow, and alive.
func (c *Conn) replace(e *endpoint) {
	c.wires().rest.CloseIdleConnections() // of HTTP/1: those in use close when their calls give up
	go func() {
		if c.ask(e, farewell, true) != nil && c.ask(e, probeTimeout, false) != nil && c.ends.ctx.Err() == nil {
			if c.ends.group.Missing(c.now(), &e.Host) {
				c.log.Warn("endpoint ejected: neither calls nor a probe were answered", "target", c.String(), "endpoint", e.Host.Addr)
			}
		}
	}()
}

// ask sends e a probe; any answer will do. An HTTP/2 connection that carries the last
// request carries no further ones.
func (c *Conn) ask(e *endpoint, limit time.Duration, last bool) error {
	ctx, cancel := context.WithTimeout(c.ends.ctx, limit)
	defer cancel()
	req := c.probeRequest(ctx, e)
	req.Close = last
	resp, err := c.wireOf(c.spokeRPC.Load()).RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}
