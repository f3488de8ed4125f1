package amqp

import (
	"net"
	"sync"
)

// A flusher is a connection whose writes return at once and travel together: what is
// written while the network is busy goes out as one packet. Its buffer is bounded by those
// who write: the publisher by what is unconfirmed, subscriptions by what is unacknowledged.
type flusher struct {
	net.Conn

	mu      sync.Mutex
	wake    *sync.Cond
	pending []byte
	err     error // of a write; the connection is over
	readErr error
}

func newFlusher(c net.Conn) *flusher {
	f := &flusher{Conn: c}
	f.wake = sync.NewCond(&f.mu)
	go f.run()
	return f
}

func (f *flusher) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	f.pending = append(f.pending, p...)
	f.wake.Signal()
	return len(p), nil
}

// keepBuffer is the largest buffer that is used again.
const keepBuffer = 256 << 10

// run writes what is pending until the connection is over.
func (f *flusher) run() {
	var spare []byte
	for {
		f.mu.Lock()
		for len(f.pending) == 0 && f.err == nil {
			f.wake.Wait()
		}
		if f.err != nil {
			f.mu.Unlock()
			return
		}
		out := f.pending
		f.pending = spare[:0]
		f.mu.Unlock()
		_, err := f.Conn.Write(out)
		if spare = out; cap(out) > keepBuffer {
			spare = nil
		}
		if err != nil {
			f.fail(err)
		}
	}
}

// fail ends the writing; the reader learns of it by the connection that closes.
func (f *flusher) fail(err error) {
	f.mu.Lock()
	if f.err == nil {
		f.err = err
	}
	f.wake.Signal()
	f.mu.Unlock()
	_ = f.Conn.Close() // it is broken already
}

// Read keeps the error, since the library passes on only its text.
func (f *flusher) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if err != nil {
		f.mu.Lock()
		f.readErr = err
		f.mu.Unlock()
	}
	return n, err
}

// reason is why the connection ended, as far as the network knows.
func (f *flusher) reason() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readErr != nil {
		return f.readErr
	}
	return f.err
}

// Close ends the connection; what is pending is not sent.
func (f *flusher) Close() error {
	err := f.Conn.Close()
	f.fail(net.ErrClosed)
	return err
}
