package runtime

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"
)

// maxWaiting is how many bytes may wait to be written to a connection.
const maxWaiting = 64 << 10

// closing is how long a connection that is closed may take to write what waits.
const closing = time.Second

// A batched is a connection of HTTP/2 that writes behind: net/http writes each frame by
// itself, and each of those would be a system call here, and another one for the other
// side to read it. What is written while the goroutine that does it has not got round to
// it goes along. Until it is switched on, it is the connection itself.
type batched struct {
	net.Conn
	on atomic.Bool

	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	spare   []byte // the buffer not in use
	writing bool   // a goroutine writes
	closed  bool
	err     error // of the last write
}

func newBatched(c net.Conn, on bool) *batched {
	b := &batched{Conn: c}
	b.changed.L = &b.mu
	b.on.Store(on)
	return b
}

// Write takes p. The error may be that of an earlier write.
func (b *batched) Write(p []byte) (int, error) {
	if !b.on.Load() {
		return b.Conn.Write(p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) > maxWaiting && b.err == nil && !b.closed {
		b.changed.Wait()
	}
	switch {
	case b.err != nil:
		return 0, b.err
	case b.closed:
		return 0, net.ErrClosed
	}
	b.waiting = append(b.waiting, p...)
	if !b.writing {
		b.writing = true
		go b.write()
	}
	return len(p), nil
}

// write writes until nothing waits.
func (b *batched) write() {
	goruntime.Gosched() // whoever wrote goes on, and may write more
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) > 0 && b.err == nil {
		batch := b.waiting
		b.waiting, b.spare = b.spare[:0], nil
		b.mu.Unlock()
		_, err := b.Conn.Write(batch)
		b.mu.Lock()
		if b.err = err; cap(batch) <= 2*maxWaiting {
			b.spare = batch
		}
		b.changed.Broadcast()
	}
	b.writing = false
	b.changed.Broadcast()
	if b.closed {
		_ = b.Conn.Close()
	}
}

// drain returns when all is written, or cannot be.
func (b *batched) drain() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.writing {
		b.changed.Wait()
	}
	return b.err
}

// Close closes the connection once all is written, or cannot be within a second. It does
// not wait for that.
func (b *batched) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return net.ErrClosed
	}
	b.closed = true
	b.changed.Broadcast()
	if !b.writing {
		return b.Conn.Close()
	}
	now := time.Now()
	_ = b.Conn.SetReadDeadline(now)
	return b.Conn.SetWriteDeadline(now.Add(closing))
}

// SetWriteDeadline does so, unless the connection is being closed.
func (b *batched) SetWriteDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return net.ErrClosed
	}
	return b.Conn.SetWriteDeadline(t)
}

// SetDeadline does so, unless the connection is being closed.
func (b *batched) SetDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return net.ErrClosed
	}
	return b.Conn.SetDeadline(t)
}

// CloseWrite closes the writing side, where the connection can.
func (b *batched) CloseWrite() error {
	if err := b.drain(); err != nil {
		return err
	}
	if c, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// ReadFrom lets the system send files by itself.
func (b *batched) ReadFrom(r io.Reader) (int64, error) {
	if err := b.drain(); err != nil {
		return 0, err
	}
	return io.Copy(b.Conn, r)
}

// A batchedListener accepts connections that can be switched on.
type batchedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l batchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newBatched(c, false), nil
}

type batchedKey struct{}

// withBatched lets the first request of a connection find it.
func withBatched(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if b, ok := c.(*batched); ok {
		return context.WithValue(ctx, batchedKey{}, b)
	}
	return ctx
}

// batch switches the connection of r on where it is HTTP/2.
func batch(r *http.Request) {
	if r.ProtoMajor != 2 {
		return
	}
	if b, ok := r.Context().Value(batchedKey{}).(*batched); ok && !b.on.Load() {
		b.on.Store(true)
	}
}
