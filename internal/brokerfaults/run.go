//go:build unix

package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

const (
	keys      = 64
	workers   = 32
	patience  = 3 * time.Minute // for one message to be confirmed, and for nothing to arrive
	dontHurry = 100 * time.Millisecond
)

// A scene is one fault's stage: a server, what stands before it, who publishes and who
// consumes.
type scene struct {
	peer   *peer
	server server
	proxy  *proxy
	fault  *fault
	ctx    context.Context
	run    string // tells this run's addresses from others'

	end  func() error // ends the consumer
	sent atomic.Int64 // attempts to publish
	seen atomic.Int64 // handlings

	mu        sync.Mutex
	confirmed int
	first     map[string]bool // ids that were handled or are dead letters
	newest    map[string]int  // by key
	twice     int
	disorder  int
	dead      int
	arrived   chan struct{} // a message, now and then
}

// A result is what became of the messages.
type result struct {
	sent, confirmed, received, dead, lost, twice, disorder int
	took                                                   time.Duration
}

func (r *result) broken(*peer) string {
	switch {
	case r.lost > 0:
		return "confirmed messages were lost"
	case r.disorder > 0:
		return "messages of one key overtook each other"
	}
	return ""
}

var runs atomic.Int64

// run publishes n messages, has the fault strike, and reconciles what arrived.
func run(p *peer, s server, f *fault, n int) (*result, error) {
	px, err := newProxy(s.Addr())
	if err != nil {
		return nil, err
	}
	defer px.close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	began := time.Now()
	sc := &scene{peer: p, server: s, proxy: px, fault: f, ctx: ctx, run: fmt.Sprintf("f%d", runs.Add(1)),
		first: map[string]bool{}, newest: map[string]int{}, arrived: make(chan struct{}, 1)}
	undead, err := sc.consume(sc.run+"-dead", broker.ReplayGroup, sc.bury)
	if err != nil {
		return nil, err
	}
	if err := sc.begin(); err != nil {
		return nil, err
	}
	if err := sc.load(n); err != nil {
		return nil, err
	}
	sc.settle()
	if err := sc.end(); err != nil {
		return nil, err
	}
	return sc.result(time.Since(began)), undead()
}

func (s *scene) address() string { return s.run + "/{key}" }

// consume begins a consumer with connections of its own; end drains it and closes them.
func (s *scene) consume(address, group string, h broker.Handler) (end func() error, err error) {
	b, err := s.peer.open(s.proxy.addr())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	up, over := make(chan struct{}), make(chan error, 1)
	sub := broker.Subscription{Address: address, Group: group, Concurrency: workers, Ready: func() { close(up) }}
	policy := broker.Policy{Attempts: 5, Backoff: time.Millisecond, DeadLetter: s.run + "-dead"}
	go func() {
		if group == broker.ReplayGroup {
			over <- b.Subscribe(ctx, sub, h)
		} else {
			over <- broker.Consume(ctx, b, sub, policy, h)
		}
	}()
	end = func() error {
		cancel()
		if err := <-over; err != nil {
			return err
		}
		closing, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		return b.Close(closing)
	}
	select {
	case <-up:
		return end, nil
	case err := <-over:
		cancel()
		return nil, fmt.Errorf("subscribe: %w", err)
	}
}

func (s *scene) begin() (err error) {
	s.end, err = s.consume(s.address(), "workers", s.handle)
	return err
}

// renew ends the consumer and begins another, as a deployment does.
func (s *scene) renew() error {
	if err := s.end(); err != nil {
		return err
	}
	return s.begin()
}

func (s *scene) pause(d time.Duration) { time.Sleep(d) }

func (s *scene) handle(ctx context.Context, m *broker.Message) error {
	if h := s.fault.handle; h != nil {
		if err := h(ctx, s.seen.Add(1)); err != nil {
			return err
		}
	}
	return s.note(m)
}

// note writes down that m arrived. Its body is its number within its key.
func (s *scene) note(m *broker.Message) error {
	n, err := strconv.Atoi(string(m.Body))
	if err != nil {
		return err
	}
	id := m.Key + "/" + string(m.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first[id] {
		s.twice++
		return nil
	}
	s.first[id] = true
	if n < s.newest[m.Key] {
		s.disorder++
	}
	s.newest[m.Key] = max(n, s.newest[m.Key])
	s.tick()
	return nil
}

// bury writes down a dead letter, which has no order.
func (s *scene) bury(_ context.Context, m *broker.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := m.Key + "/" + string(m.Body); !s.first[id] {
		s.first[id] = true
		s.dead++
	}
	s.tick()
	return nil
}

func (s *scene) tick() {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

// load publishes n messages over all keys, each after the one before it was confirmed, and
// has the fault strike when a third is.
func (s *scene) load(n int) error {
	b, err := s.peer.open(s.proxy.addr())
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	struck := make(chan error, 1)
	third := sync.OnceFunc(func() { go func() { struck <- s.strike() }() })
	for k := range keys {
		wg.Go(func() {
			for i := range n / keys {
				if i == n/keys/3 {
					third()
				}
				s.publish(b, strconv.Itoa(k), i)
			}
		})
	}
	wg.Wait()
	third()
	if err := <-struck; err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	return b.Close(ctx)
}

func (s *scene) strike() error {
	if s.fault.strike == nil {
		return nil
	}
	return s.fault.strike(s)
}

// publish tries until the broker confirms: one that was not confirmed may be lost or not.
func (s *scene) publish(b broker.Broker, key string, i int) {
	body := strconv.Itoa(i)
	m := &broker.Message{Address: s.run + "/" + key, Key: key, ID: s.run + "-" + key + "-" + body, Body: []byte(body)}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(dontHurry) {
		ctx, cancel := context.WithTimeout(s.ctx, patience)
		s.sent.Add(1)
		err := b.Publish(ctx, m)
		cancel()
		if err == nil {
			s.mu.Lock()
			s.confirmed++
			s.mu.Unlock()
			return
		}
	}
}

// settle waits until all that was confirmed has arrived, or nothing does any more.
func (s *scene) settle() {
	for {
		s.mu.Lock()
		done := len(s.first) >= s.confirmed
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-s.arrived:
		case <-time.After(patience):
			return
		}
	}
}

func (s *scene) result(took time.Duration) *result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &result{sent: int(s.sent.Load()), confirmed: s.confirmed, received: len(s.first) - s.dead, dead: s.dead,
		lost: max(0, s.confirmed-len(s.first)), twice: s.twice, disorder: s.disorder, took: took}
}
