//go:build unix

package main

import (
	"io"
	"net"
	"sync"
)

// A proxy stands between programs and a broker, and can cut connections, or let them hang
// as a network does that swallows packets.
type proxy struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	conns map[net.Conn]bool
	hole  chan struct{} // not nil: nothing passes until it is closed
}

func newProxy(to string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, to: to, conns: map[net.Conn]bool{}}
	go p.accept()
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(c)
	}
}

func (p *proxy) serve(c net.Conn) {
	up, err := net.Dial("tcp", p.to)
	if err != nil {
		c.Close()
		return
	}
	p.mu.Lock()
	p.conns[c], p.conns[up] = true, true
	p.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(up, c) })
	wg.Go(func() { p.copy(c, up) })
	wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	delete(p.conns, up)
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	_, _ = io.Copy(&gate{p, to}, from) // that it ends is all that matters
}

// A gate lets nothing pass while there is a hole.
type gate struct {
	*proxy
	to net.Conn
}

func (g *gate) Write(b []byte) (int, error) {
	g.mu.Lock()
	hole := g.hole
	g.mu.Unlock()
	if hole != nil {
		<-hole
		return 0, io.ErrClosedPipe // what was swallowed does not come back
	}
	return g.to.Write(b)
}

// cut closes every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset, not a goodbye
		}
		c.Close()
	}
}

// swallow lets connections hang until the function that it returns is called.
func (p *proxy) swallow() (end func()) {
	hole := make(chan struct{})
	p.mu.Lock()
	p.hole = hole
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		p.hole = nil
		p.mu.Unlock()
		close(hole)
	}
}

func (p *proxy) close() {
	p.listener.Close()
	p.cut()
}
