//go:build unix

package main

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// What a proxy does with what it is given.
const (
	forward   int32 = iota
	hole            // takes everything and forwards nothing, on connections old and new
	forgotten       // so on connections of before, while new ones are fine
	cut             // breaks every reply off after its first bytes
	down            // refuses connections, and breaks off those there are
)

// A proxy stands before one process.
type proxy struct {
	l      net.Listener
	to     string
	mode   atomic.Int32
	since  atomic.Int64 // connections numbered below are forgotten
	seen   atomic.Int64 // connections
	before int64        // seen, before the fault
	mu     sync.Mutex
	open   map[net.Conn]bool
}

// proxied starts the processes, each with a proxy before it.
func proxied(s *stage) error {
	s.target = "later"
	if err := s.processes(nil); err != nil {
		return err
	}
	s.target = ""
	var addrs []string
	for _, b := range s.all {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		p := &proxy{l: l, to: b.addr, open: map[net.Conn]bool{}}
		s.proxies = append(s.proxies, p)
		s.later(p.close)
		addrs = append(addrs, l.Addr().String())
		go p.serve()
	}
	s.aim(addrs)
	return nil
}

func (p *proxy) close() {
	p.l.Close()
	p.breakAll()
}

func (p *proxy) breakAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		reset(c)
	}
}

// reset closes c so that the other side sees RST.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	c.Close()
}

func (p *proxy) set(mode int32) {
	p.since.Store(p.seen.Load() + 1)
	p.mode.Store(mode)
	if mode == down {
		p.breakAll()
	}
}

func (p *proxy) keep(c net.Conn, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if on {
		p.open[c] = true
	} else {
		delete(p.open, c)
	}
}

func (p *proxy) serve() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		if p.mode.Load() == down {
			reset(c)
			continue
		}
		go p.carry(c, p.seen.Add(1))
	}
}

func (p *proxy) carry(c net.Conn, number int64) {
	defer reset(c)
	b, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer reset(b)
	p.keep(c, true)
	defer p.keep(c, false)
	gone := make(chan struct{}, 2)
	go func() { p.pump(b, c, number, false); gone <- struct{}{} }()
	go func() { p.pump(c, b, number, true); gone <- struct{}{} }()
	<-gone
}

// pump carries one direction until either end closes.
func (p *proxy) pump(to, from net.Conn, number int64, reply bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		switch mode := p.mode.Load(); {
		case mode == hole, mode == forgotten && number < p.since.Load():
		case mode == cut && reply && n > 0:
			_, _ = to.Write(buf[:min(n, 40)])
			time.Sleep(time.Millisecond) // or RST would overtake it
			return
		default:
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
