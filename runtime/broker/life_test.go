package broker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Life
		if l.Err() != nil {
			t.Fatal("a new life has ended")
		}
		ctx, leave, err := l.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithCancel(t.Context())
		closed := make(chan error)
		go func() { closed <- l.Close(impatient) }()
		synctest.Wait()
		if ctx.Err() == nil || l.Err() == nil {
			t.Error("the subscription outlives the broker")
		}
		select {
		case <-l.Ended():
		default:
			t.Error("nobody is told of the end")
		}
		cancel()
		if err := <-closed; !errors.Is(err, context.Canceled) {
			t.Errorf("Close does not wait: %v", err)
		}
		if _, _, err := l.Enter(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("entered after the end: %v", err)
		}
		leave()
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLeaveEndsOnlyItself(t *testing.T) {
	var l Life
	one, leave, err := l.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, leaveOther, err := l.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if one.Err() == nil || other.Err() != nil {
		t.Error("leaving ends the wrong one")
	}
	leaveOther()
}
