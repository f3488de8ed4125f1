package amqp

import (
	"errors"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// tend begins to keep a channel open, unless that is done. The lock is held.
func (p *publisher) tend() {
	if p.tending || p.ctx.Err() != nil {
		return
	}
	p.tending, p.denied = true, nil
	go p.keep()
}

// keep opens a channel, and another when that is lost, until the broker is closed or the
// server has refused us.
func (p *publisher) keep() {
	for n := 0; ; n++ {
		conn, err := p.link.get(p.ctx)
		if err != nil {
			p.stop(err)
			return
		}
		over, err := p.open(conn)
		if err != nil {
			p.log.Warn("no channel to publish by", "broker", "amqp", "error", err)
			if !pause(p.ctx, backoff(n)) {
				p.stop(err)
				return
			}
			continue
		}
		n = 0
		why := <-over
		p.mu.Lock()
		if p.ch = nil; conn.IsClosed() {
			p.blocked = ""
		}
		p.wake()
		p.mu.Unlock()
		if why != nil && !conn.IsClosed() {
			p.log.Warn("the server closed the channel to publish by", "broker", "amqp", "error", why)
		}
	}
}

func (p *publisher) stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tending, p.denied = false, err
	p.wake()
}

// open makes a channel, sends again what was not confirmed, and lets others send.
func (p *publisher) open(conn *amqp091.Connection) (<-chan *amqp091.Error, error) {
	ch, err := conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, errors.Join(err, ch.Close())
	}
	over := ch.NotifyClose(make(chan *amqp091.Error, 1))
	returns := ch.NotifyReturn(make(chan amqp091.Return, maxInFlight+1))
	p.watch(conn)
	gone := p.redeclare()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ch, p.returns, p.denied = ch, returns, nil
	p.resend(gone)
	p.wake()
	return over, nil
}

// watch learns when the server stops those who publish, and when it lets them go on.
func (p *publisher) watch(conn *amqp091.Connection) {
	p.mu.Lock()
	known := p.conn == conn
	p.conn = conn
	p.mu.Unlock()
	if known {
		return
	}
	told := conn.NotifyBlocked(make(chan amqp091.Blocking, 8))
	go func() {
		for b := range told {
			p.mu.Lock()
			if p.blocked = ""; b.Active {
				p.blocked = "it says: " + b.Reason
			}
			p.wake()
			p.mu.Unlock()
			p.log.Warn("the server stops or resumes publishing", "broker", "amqp", "stopped", b.Active, "reason", b.Reason)
		}
	}()
}

// redeclare makes again what unconfirmed messages need, and returns why some cannot be sent:
// one exchange that is missing must not close the channel for the others.
func (p *publisher) redeclare() map[string]error {
	p.mu.Lock()
	p.known = map[string]bool{}
	needs := map[string]*envelope{}
	for e := p.flight.Front(); e != nil; e = e.Next() {
		o, _ := e.Value.(*outbound)
		x, q := o.names()
		if !p.knows(o.envelope) {
			needs[x+q] = o.envelope
		}
	}
	p.mu.Unlock()
	gone := map[string]error{}
	for name, e := range needs {
		if err := p.declareFor(p.ctx, e); err != nil && forGood(err) {
			gone[name] = err
		}
	}
	return gone
}

// resend puts what is not confirmed on the new channel, in order. The lock is held.
func (p *publisher) resend(gone map[string]error) {
	for e := p.flight.Front(); e != nil; {
		o, _ := e.Value.(*outbound)
		e = e.Next()
		x, q := o.names()
		switch o.failed = gone[x+q]; {
		case o.given:
			p.forget(o)
			continue
		case o.failed != nil:
			p.forget(o)
		default:
			o.returned = nil
			p.put(o)
		}
		close(o.moved)
		o.moved = make(chan struct{})
	}
}
