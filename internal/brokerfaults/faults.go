//go:build unix

package main

import (
	"context"
	"errors"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// A fault is something that happens while messages flow.
type fault struct {
	name  string
	needs func(*peer) bool // nil: nothing
	// strike runs beside the load, when a third of it is done.
	strike func(*scene) error
	// handle, if set, is what the consumer does with the n-th message that it sees.
	handle func(ctx context.Context, n int64) error
}

// errPoison is what a handler says of a message that it can never handle.
var errPoison = broker.Permanent(errors.New("poison"))

var faults = []*fault{
	{name: "none"},
	{name: "kill -9 and restart", needs: func(p *peer) bool { return p.mortal == "" }, strike: func(s *scene) error { s.server.Kill(); return s.server.Begin() }},
	{name: "connections cut", strike: func(s *scene) error {
		for range 5 {
			s.proxy.cut()
			s.pause(200 * time.Millisecond)
		}
		return nil
	}},
	{name: "connections closed by the broker", strike: func(s *scene) error {
		if d, ok := s.server.(disconnecter); ok {
			return d.Disconnect()
		}
		return nil
	}},
	{name: "network swallows everything, 8 s", strike: func(s *scene) error {
		end := s.proxy.swallow()
		s.pause(8 * time.Second)
		end()
		return nil
	}},
	{name: "slow consumer", handle: func(ctx context.Context, n int64) error {
		if n%500 == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		return nil
	}},
	{name: "poison, one of 100", handle: func(_ context.Context, n int64) error {
		if n%100 == 0 {
			return errPoison
		}
		return nil
	}},
	{name: "failures, one of 50", handle: func(_ context.Context, n int64) error {
		if n%50 == 0 {
			return errors.New("not now")
		}
		return nil
	}},
	{name: "consumers end and begin, 10 times", strike: func(s *scene) error {
		for range 10 {
			s.pause(100 * time.Millisecond)
			if err := s.renew(); err != nil {
				return err
			}
		}
		return nil
	}},
}
