package stub

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// maxPooled is the largest buffer that is kept: a list of a hundred objects has some
// 90 KB, and growing to that anew costs more than encoding it. What is idle, the pool
// gives back by itself.
const maxPooled = 1 << 20

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 1024)} }}

// A buffer is pooled memory that is shared by whoever sends it: a transport may still
// read a request's body when the reply is there.
type buffer struct {
	b    []byte
	uses atomic.Int32
}

// newBuffer returns an empty buffer with one user.
func newBuffer() *buffer {
	b := buffers.Get().(*buffer)
	b.b = b.b[:0]
	b.uses.Store(1)
	return b
}

// release says that one user is done.
func (b *buffer) release() {
	if b.uses.Add(-1) == 0 && cap(b.b) <= maxPooled {
		buffers.Put(b)
	}
}

// reader returns a body that releases the buffer when it is closed.
func (b *buffer) reader() io.ReadCloser {
	b.uses.Add(1)
	return &bufferReader{from: b}
}

type bufferReader struct {
	from *buffer
	mu   sync.Mutex // Close may come while Read runs, from another goroutine of the transport
	at   int
	done bool
}

func (r *bufferReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return 0, errors.New("stub: read of a closed request body")
	}
	if r.at == len(r.from.b) {
		return 0, io.EOF
	}
	n := copy(p, r.from.b[r.at:])
	r.at += n
	return n, nil
}

func (r *bufferReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		r.done = true
		r.from.release()
	}
	return nil
}

// maxHint bounds how much memory a Content-Length alone can claim.
const maxHint = 1 << 20

// readAll appends what r holds. size is how much that probably is, or below 0.
func readAll(b []byte, r io.Reader, size int64) ([]byte, error) {
	if size = min(size, maxHint) + 1; size > int64(cap(b)-len(b)) {
		b = append(make([]byte, 0, int64(len(b))+size), b...)
	}
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}
