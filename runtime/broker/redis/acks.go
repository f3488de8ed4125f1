package redis

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	ackEvery = 3 * time.Millisecond
	ackBatch = 128
)

// acks tell the server of many messages at a time that they were handled.
type acks struct {
	client redis.UniversalClient
	group  string
	warn   func(error)

	mu    sync.Mutex
	due   map[string][]string // ids by stream
	n     int
	armed bool
	wg    sync.WaitGroup
}

// done acknowledges an entry, soon.
func (a *acks) done(stream, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.due == nil {
		a.due = map[string][]string{}
	}
	a.due[stream] = append(a.due[stream], id)
	a.n++
	if !a.armed {
		a.armed = true
		a.wg.Go(a.soon)
	}
}

func (a *acks) soon() {
	a.mu.Lock()
	full := a.n >= ackBatch
	a.mu.Unlock()
	if !full {
		time.Sleep(ackEvery)
	}
	a.flush(context.Background())
}

// flush tells what is due, and again where the server did not answer: until it does, or for
// as long as it may take.
func (a *acks) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	a.mu.Lock()
	due := a.due
	a.due, a.n, a.armed = nil, 0, false
	a.mu.Unlock()
	for n := 0; len(due) > 0; n++ {
		err := a.tell(ctx, due)
		switch {
		case err == nil:
			return
		case !passing(err) || !pause(ctx, backoff(n)):
			a.warn(err)
			return
		}
	}
}

// tell acknowledges ids, which does no harm the second time.
func (a *acks) tell(ctx context.Context, due map[string][]string) error {
	pipe := a.client.Pipeline()
	for stream, ids := range due {
		pipe.XAck(ctx, stream, a.group, ids...)
	}
	_, err := pipe.Exec(ctx)
	return err
}

// end tells all that is left.
func (a *acks) end() {
	a.wg.Wait()
	a.flush(context.Background())
}
