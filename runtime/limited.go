package runtime

import (
	"context"
	"sync"
	"time"
)

// A limited is a context with a deadline whose timer starts when somebody first waits for
// it: most handlers never do, and a timer for each of them costs more than the rest of
// the request's bookkeeping.
type limited struct {
	context.Context // the request's
	at              time.Time

	mu     sync.Mutex
	timed  context.Context // nil: nobody waited yet
	cancel context.CancelFunc
	over   bool
}

// Deadline is the earlier one of the request's and ours.
func (l *limited) Deadline() (time.Time, bool) {
	if d, ok := l.Context.Deadline(); ok && d.Before(l.at) {
		return d, true
	}
	return l.at, true
}

// Done starts the timer.
func (l *limited) Done() <-chan struct{} { return l.start().Done() }

func (l *limited) start() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		l.timed, l.cancel = context.WithDeadline(l.Context, l.at)
		if l.over {
			l.cancel()
		}
	}
	return l.timed
}

// Err is not nil before Done is closed only if Done is then closed at once.
func (l *limited) Err() error {
	l.mu.Lock()
	timed, over := l.timed, l.over
	l.mu.Unlock()
	switch {
	case timed != nil:
		return timed.Err()
	case over || l.Context.Err() != nil || !time.Now().Before(l.at):
		return l.start().Err()
	}
	return nil
}

// Value lets package context find the context that is cancelled, so that contexts made
// of this one need no goroutine to watch it.
func (l *limited) Value(key any) any {
	l.mu.Lock()
	timed := l.timed
	l.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return l.Context.Value(key)
}

// end cancels it.
func (l *limited) end() {
	l.mu.Lock()
	l.over = true
	cancel := l.cancel
	l.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}
