package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed says that a broker was closed before the call.
var ErrClosed = errors.New("the broker is closed")

// A Life is how long a broker's subscriptions live: each until its own context is done or
// the broker is closed, and the broker is closed when they have ended. Every broker has
// one; the zero Life has begun.
type Life struct {
	mu     sync.Mutex
	ended  chan struct{}
	closed bool
	live   sync.WaitGroup
}

// Enter begins a subscription. Its context ends with ctx and with the broker; leave must
// be called when the last handler has ended. After Close it fails with ErrClosed.
func (l *Life) Enter(ctx context.Context) (_ context.Context, leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, nil, ErrClosed
	}
	l.live.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	ended := l.end()
	go func() {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); l.live.Done() }, nil
}

// end is called with the lock held.
func (l *Life) end() chan struct{} {
	if l.ended == nil {
		l.ended = make(chan struct{})
	}
	return l.ended
}

// Ended is closed when Close begins.
func (l *Life) Ended() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end()
}

// Err returns ErrClosed once Close has begun.
func (l *Life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	return nil
}

// Close ends every subscription and waits for their handlers until ctx is done. It may be
// called more than once.
func (l *Life) Close(ctx context.Context) error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.end())
	}
	l.mu.Unlock()
	done := make(chan struct{})
	go func() { l.live.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("handlers are still running: %w", ctx.Err())
	}
}
