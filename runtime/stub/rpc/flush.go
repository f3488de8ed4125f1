package rpc

import (
	"net/http"
	"sync"
)

// maxBatch is how many bytes of a stream may wait to be written.
const maxBatch = 64 << 10

// coalesced lets h, which streams, go on while what it sent before is being written: what
// it sends meanwhile is written at once. A stream that sends one message now and then
// sends each as before, without delay.
func coalesced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := &batcher{ResponseWriter: w}
		b.changed.L = &b.mu
		defer b.drain()
		h.ServeHTTP(b, r)
	})
}

// A batcher is a ResponseWriter whose Flush returns before the bytes are written. The
// headers, and all until the first Flush, are written by the handler's own goroutine,
// since the map of headers is its.
type batcher struct {
	http.ResponseWriter
	begun bool // the first Flush has been

	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	spare   []byte // the buffer not in use
	writing bool   // a goroutine writes
	err     error  // of the last write
}

// Unwrap lets http.ResponseController find what it needs.
func (b *batcher) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// Write takes p. The error may be that of an earlier write.
func (b *batcher) Write(p []byte) (int, error) {
	if !b.begun {
		return b.ResponseWriter.Write(p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) > maxBatch && b.writing {
		b.changed.Wait()
	}
	if b.err != nil {
		return 0, b.err
	}
	b.waiting = append(b.waiting, p...)
	return len(p), nil
}

// Flush has what was taken written soon.
func (b *batcher) Flush() {
	if !b.begun {
		b.begun = true
		b.flush()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.writing && len(b.waiting) > 0 {
		b.writing = true
		go b.write()
	}
}

func (b *batcher) flush() {
	if f, ok := b.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// write writes until nothing waits.
func (b *batcher) write() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) > 0 && b.err == nil {
		batch := b.waiting
		b.waiting, b.spare = b.spare[:0], nil
		b.mu.Unlock()
		_, err := b.ResponseWriter.Write(batch)
		b.flush()
		b.mu.Lock()
		if b.err = err; cap(batch) <= 2*maxBatch { // one large message is no reason to keep as much
			b.spare = batch
		}
		b.changed.Broadcast()
	}
	b.writing = false
	b.changed.Broadcast()
}

// drain returns when all is written, or cannot be.
func (b *batcher) drain() {
	b.Flush()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.writing {
		b.changed.Wait()
	}
}
