package broker

import (
	"context"
	"sync"
)

// lanes let one message per key through at a time, in the order in which they came.
type lanes struct {
	mu   sync.Mutex
	last map[string]chan struct{} // closed when the last message in the lane has left
}

// enter waits for the messages before. leave must be called once; an error means that ctx
// ended first and nothing was entered.
func (l *lanes) enter(ctx context.Context, key string) (leave func(), err error) {
	mine := make(chan struct{})
	l.mu.Lock()
	if l.last == nil {
		l.last = map[string]chan struct{}{}
	}
	before := l.last[key]
	l.last[key] = mine
	l.mu.Unlock()
	if before != nil {
		select {
		case <-before:
		case <-ctx.Done():
			// Whoever stands behind still has to wait for those before.
			go func() { <-before; l.leave(key, mine) }()
			return nil, ctx.Err()
		}
	}
	return func() { l.leave(key, mine) }, nil
}

func (l *lanes) leave(key string, mine chan struct{}) {
	l.mu.Lock()
	if l.last[key] == mine {
		delete(l.last, key)
	}
	l.mu.Unlock()
	close(mine)
}
