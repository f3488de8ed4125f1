package dedup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	randv2 "math/rand/v2"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// How long one waits before asking the store again: at first, and at most.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = time.Second
)

// A handler handles the messages of one subscription.
type handler struct {
	Options
	store Store
	scope string
	next  broker.Handler
	stop  <-chan struct{}
}

func (h *handler) handle(ctx context.Context, m *broker.Message) error {
	if m.ID == "" {
		return h.next(ctx, m)
	}
	c := Claim{Key: key(h.scope, m), Owner: rand.Text()}
	state, err := h.claim(ctx, c)
	switch {
	case err != nil:
		return fmt.Errorf("dedup of message %s: %w", m.ID, err)
	case state == Done:
		h.Log.Debug("a duplicate was acknowledged and not handled", "id", m.ID, "address", m.Address)
		return nil
	}
	return h.run(ctx, c, m)
}

// errEnds gives a message back whose original is still being handled.
var errEnds = errors.New("the subscription ends while another handles this message")

// claim waits until the message is ours or done.
func (h *handler) claim(ctx context.Context, c Claim) (State, error) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		asked, cancel := context.WithTimeout(ctx, h.Lease)
		state, err := h.store.Claim(asked, c, h.Lease)
		cancel()
		if err == nil && state != Busy {
			return state, nil
		}
		if err != nil {
			h.Log.Warn("the store of handled messages cannot be asked; the message waits", "error", err)
		} else {
			err = errEnds
		}
		if !h.sleep(ctx, randv2.N(wait)+wait/2) {
			return state, err
		}
	}
}

// sleep is false when the subscription ends.
func (h *handler) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-h.stop:
	case <-ctx.Done():
	}
	return false
}

// run handles a message that is claimed. One who lost the claim is told by its context.
func (h *handler) run(ctx context.Context, c Claim, m *broker.Message) error {
	mine, lose := context.WithCancelCause(context.WithValue(ctx, claimKey{}, &held{h.store, c, h.Keep}))
	released := false
	renewed := make(chan struct{})
	go func() { defer close(renewed); h.renew(mine, c, lose) }()
	defer func() { // a handler that panics gives its claim back, too
		lose(nil)
		<-renewed
		if !released {
			h.settle(ctx, "given back", func(ctx context.Context) error { return h.store.Release(ctx, c) })
		}
	}()
	if err := h.next(mine, m); err != nil {
		return err
	}
	released = true
	h.settle(ctx, "marked as handled", func(ctx context.Context) error { return h.store.Done(ctx, c, h.Keep) })
	return nil
}

// renew keeps the claim while its message is handled.
func (h *handler) renew(ctx context.Context, c Claim, lose context.CancelCauseFunc) {
	t := time.NewTicker(h.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		err := h.store.Extend(ctx, c, h.Lease)
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, ErrLost):
			h.Log.Error("the claim of a message was lost while it was handled; it may be handled twice")
			lose(err)
			return
		default:
			h.Log.Warn("the claim of a message was not renewed", "error", err)
		}
	}
}

// settle tells the store what became of a message. A handler's effect does not go away
// because the store does: what cannot be told within a lease is reported, and the claim
// runs out by itself.
func (h *handler) settle(ctx context.Context, what string, tell func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.Lease)
	defer cancel()
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := tell(ctx)
		if err == nil {
			return
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
			if !errors.Is(err, ErrLost) {
				continue
			}
		case <-ctx.Done():
		}
		t.Stop()
		h.Log.Error("a message could not be "+what+"; a duplicate of it would be handled", "error", err)
		return
	}
}
