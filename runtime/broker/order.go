package broker

import (
	"context"
	"sync"
)

// Lanes run handlers side by side, but those of one key one after the other, in the
// order in which they were given. What waits is bounded by what may run: Go blocks its
// caller, and so the broker, when every slot is taken.
type Lanes struct {
	slots chan struct{}
	wg    sync.WaitGroup

	mu   sync.Mutex
	tail map[string]chan struct{} // closed when the last handler of the key has ended
}

// NewLanes allows n handlers at a time; n below 1 is 1.
func NewLanes(n int) *Lanes {
	return &Lanes{slots: make(chan struct{}, max(1, n)), tail: map[string]chan struct{}{}}
}

// Go runs f as soon as a slot is free and every earlier f of the same key has ended. An
// empty key has no order. It blocks while all slots are taken, and returns false, with f
// not run, when ctx is done first.
func (l *Lanes) Go(ctx context.Context, key string, f func()) bool {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	before, done := l.enter(key)
	l.wg.Go(func() {
		defer func() { l.leave(key, done); <-l.slots }()
		if before != nil {
			<-before
		}
		f()
	})
	return true
}

func (l *Lanes) enter(key string) (before, done chan struct{}) {
	if key == "" {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	before, done = l.tail[key], make(chan struct{})
	l.tail[key] = done
	return before, done
}

func (l *Lanes) leave(key string, done chan struct{}) {
	if done == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	close(done)
	if l.tail[key] == done {
		delete(l.tail, key)
	}
}

// Wait returns when every handler that Go started has ended.
func (l *Lanes) Wait() { l.wg.Wait() }
