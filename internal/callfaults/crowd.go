//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// away is how long nobody can be reached, and settled how long after it calls count again.
const away, settled = 3 * time.Second, 2 * time.Second

func blip(ctx context.Context, s *stage) error {
	for _, p := range s.proxies {
		p.set(down)
	}
	sleep(ctx, away)
	for _, p := range s.proxies {
		p.set(forward)
	}
	return nil
}

// afterBlip holds that nearly all calls are answered again soon.
func afterBlip(s *stage, r *result) error {
	var early, late, answered, ok int
	for _, o := range r.outcomes {
		switch {
		case o.at < away+100*time.Millisecond:
		case o.at < away+settled:
			early++
			if o.ok {
				answered++
			}
		default:
			late++
			if o.ok {
				ok++
			}
		}
	}
	r.note = fmt.Sprintf("%.1f %% of the first two seconds after it, %.2f %% then", 100*float64(answered)/float64(max(early, 1)), 100*float64(ok)/float64(max(late, 1)))
	if 100*ok < 99*late {
		return errors.New(r.note)
	}
	return nil
}

// clients are how many reconnect at a time, and uneven by how much more one process may
// get than a fair share.
const clients, uneven = 200, 1.5

// crowd makes clients, breaks all connections off, and lets them call all at once.
func crowd(_ context.Context, s *stage) error {
	all := make([]*concordat.Conn, clients)
	for i := range all {
		c, err := s.dial()
		if err != nil {
			return err
		}
		defer c.Close()
		all[i] = c
	}
	if err := s.every(all); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	for _, p := range s.proxies {
		p.before = p.seen.Load()
		p.breakAll()
	}
	return s.every(all)
}

// every makes one call by each.
func (s *stage) every(all []*concordat.Conn) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			errs[i] = s.wire.call(ctx, c, s.path)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// spread holds that no process got much more than its share.
func spread(s *stage, r *result) error {
	var most, sum int64
	for _, p := range s.proxies {
		n := p.seen.Load() - p.before
		most, sum = max(most, n), sum+n
	}
	share := float64(most) * float64(len(s.proxies)) / float64(sum)
	r.note = fmt.Sprintf("%d new connections, the busiest process has %.2f of a fair share", sum, share)
	if sum < clients {
		return fmt.Errorf("only %d connections: the clients did not reconnect", sum)
	}
	if share > uneven {
		return errors.New(r.note)
	}
	return nil
}

// slow are how many connections to each process send their header byte by byte, and limit
// when the last one must be cut: the server's time for a header, and some.
const slow, limit = 100, 12 * time.Second

// loris holds connections by requests that never end.
func loris(ctx context.Context, s *stage) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, p := range s.all {
		for range slow {
			c, err := net.Dial("tcp", p.addr)
			if err != nil {
				return err
			}
			s.later(func() { c.Close() })
			wg.Go(func() {
				begun := time.Now()
				drip(ctx, c)
				mu.Lock()
				defer mu.Unlock()
				s.held = max(s.held, time.Since(begun))
			})
		}
	}
	wg.Wait()
	return nil
}

// drip sends a byte now and then until it is cut off.
func drip(ctx context.Context, c net.Conn) {
	for _, b := range []byte("GET / HTTP/1.1\r\nHost: things.example\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		var got [1]byte
		if _, err := c.Read(got[:]); err == nil || !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			return
		}
		if ctx.Err() != nil {
			return
		}
	}
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// cutOff holds that the slow ones were put out, and says what that was for the others.
func cutOff(s *stage, r *result) error {
	ratio := float64(r.p99()) / float64(s.calm.p99())
	r.note = fmt.Sprintf("cut after %v, p99 of the others × %.2f", s.held.Round(100*time.Millisecond), ratio)
	if s.held > limit {
		return fmt.Errorf("held for %v", s.held)
	}
	if ratio > 1.2 && !s.soft {
		return errors.New(r.note)
	}
	return nil
}
