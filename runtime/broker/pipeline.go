package broker

import (
	"context"
	"errors"
	"sync"
)

// An AsyncPublisher is a broker that takes messages one after the other without waiting for
// each to be confirmed, and keeps their order.
type AsyncPublisher interface {
	// PublishAsync hands m over and returns at once, or when there is room for it, or when
	// ctx is done. wait returns what Publish would have; it must be called, and once.
	PublishAsync(ctx context.Context, m *Message) (wait func(context.Context) error, err error)
}

// A Pipeline publishes many messages without waiting for each to be confirmed. Those of one
// key keep their order. It is safe for concurrent use.
type Pipeline struct {
	b     Broker
	async AsyncPublisher
	lanes *Lanes
	room  chan struct{}
	wg    sync.WaitGroup

	mu     sync.Mutex
	failed []error
	lost   int
}

// DefaultPipeline is how many messages are on their way at a time, unless said.
const DefaultPipeline = 256

// NewPipeline publishes by b with up to limit messages on their way; 0 is DefaultPipeline.
func NewPipeline(b Broker, limit int) *Pipeline {
	if limit <= 0 {
		limit = DefaultPipeline
	}
	p := &Pipeline{b: b, lanes: NewLanes(limit), room: make(chan struct{}, limit)}
	p.async, _ = b.(AsyncPublisher)
	return p
}

// Publish hands m over, which must not be changed until Flush has returned. It waits while
// as many as allowed are on their way. Whether m was confirmed, within ctx, says Flush.
func (p *Pipeline) Publish(ctx context.Context, m *Message) error {
	if p.async == nil {
		if !p.lanes.Go(ctx, m.Key, func() { p.note(p.b.Publish(ctx, m)) }) {
			return ctx.Err()
		}
		return nil
	}
	select {
	case p.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	wait, err := p.async.PublishAsync(ctx, m)
	if err != nil {
		<-p.room
		return err
	}
	p.wg.Go(func() {
		p.note(wait(ctx))
		<-p.room
	})
	return nil
}

// maxPipelineErrors is how many errors Flush tells in full.
const maxPipelineErrors = 10

func (p *Pipeline) note(err error) {
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost++; len(p.failed) < maxPipelineErrors {
		p.failed = append(p.failed, err)
	}
}

// Flush waits until every message is confirmed or has failed, and returns how many failed
// since the last Flush, and why: the first ten, joined. Publish must not run meanwhile.
func (p *Pipeline) Flush() (failed int, err error) {
	p.lanes.Wait()
	p.wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	failed, err = p.lost, errors.Join(p.failed...)
	p.lost, p.failed = 0, nil
	return failed, err
}
