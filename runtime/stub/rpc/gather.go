package rpc

import (
	"io"
	goruntime "runtime"
	"sync"
)

// maxGathered is how many bytes of a request that streams may wait to be sent.
const maxGathered = 32 << 10

// A gatherer is the body of a request that streams. connect-go hands over message by
// message, and HTTP/2 makes a frame of what it reads at a time. Small messages in frames
// of their own cost more than they weigh; and of those under way when a server answers
// early, net/http's refuses each one, and gives the connection up, with all calls on it,
// at ten thousand. So what comes while the connection is busy goes along in one.
type gatherer struct {
	from io.ReadCloser

	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	err     error // of from, or of Close; what waits is still read before it
}

func gather(from io.ReadCloser) *gatherer {
	g := &gatherer{from: from}
	g.changed.L = &g.mu
	go g.fill()
	return g
}

// fill takes what comes until there is an error.
func (g *gatherer) fill() {
	chunk := make([]byte, 4<<10)
	for {
		n, err := g.from.Read(chunk)
		if !g.take(chunk[:n], err) {
			return
		}
	}
}

func (g *gatherer) take(p []byte, err error) (more bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) > maxGathered && g.err == nil {
		g.changed.Wait()
	}
	if g.err != nil {
		return false
	}
	g.waiting, g.err = append(g.waiting, p...), err
	g.changed.Broadcast()
	return err == nil
}

// Read returns what waits, and waits for something.
func (g *gatherer) Read(p []byte) (int, error) {
	goruntime.Gosched() // whoever sends goes on, and may send more
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) == 0 && g.err == nil {
		g.changed.Wait()
	}
	if len(g.waiting) == 0 {
		return 0, g.err
	}
	n := copy(p, g.waiting)
	g.waiting = g.waiting[:copy(g.waiting, g.waiting[n:])]
	g.changed.Broadcast()
	return n, nil
}

// Close ends the stream: sending to it fails from now on.
func (g *gatherer) Close() error {
	g.mu.Lock()
	if g.err == nil {
		g.err = io.ErrClosedPipe
	}
	g.waiting = nil
	g.changed.Broadcast()
	g.mu.Unlock()
	return g.from.Close()
}
