//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"
)

// Each process takes overloadRate / 3 calls per second, and gets 1.2 times of that.
const overloadRate = 3 * workers * int(time.Second/work)

// nothing does nothing.
func nothing(context.Context, *stage) error { return nil }

// faults are all there are.
func faults() []*fault {
	all := []*fault{
		{name: "none", promise: promise{answered: 1, attempts: 1}, strike: nothing},
		{name: "kill -9", promise: promise{answered: 1, attempts: 1.02}, strike: func(_ context.Context, s *stage) error { return s.all[1].Process.Signal(syscall.SIGKILL) }},
		{name: "SIGSTOP, then SIGCONT", promise: promise{answered: 1, attempts: 1.01, streams: 0.98}, strike: pause},
		{name: "rolling restart of all", promise: promise{answered: 1, attempts: 1.1}, least: 12 * time.Second, strike: roll},
		{name: "120 % load", promise: promise{answered: 0.8, attempts: 1.2}, over: []wire{http1}, path: "/work",
			between: time.Second * 10 / 12 / time.Duration(overloadRate), patience: time.Second, strike: nothing},
		{name: "total failure", promise: promise{failing: true, attempts: 1.2, cause: "connection refused"}, least: 8 * time.Second, strike: func(_ context.Context, s *stage) error {
			for _, p := range s.all {
				p.stop()
			}
			return nil
		}},
	}
	all = append(all, networkFaults()...)
	all = append(all, registryFaults()...)
	return append(all, tlsFaults()...)
}

// pause stops a process for two thirds of the time.
func pause(ctx context.Context, s *stage) error {
	p := s.all[1].Process
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	s.pass(ctx, 2./3)
	return p.Signal(syscall.SIGCONT)
}

// roll ends the processes in turn, as deployments do, and starts them again.
func roll(ctx context.Context, s *stage) error {
	for i, p := range s.all {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		_ = p.Wait()
		if !sleep(ctx, 600*time.Millisecond) {
			return errors.New("the calls were over before all were restarted")
		}
		if err := s.again(i); err != nil {
			return err
		}
		if !s.pass(ctx, 0.1) {
			return errors.New("the calls were over before all were restarted")
		}
	}
	return nil
}

// twice asks the processes whether a call that must not be repeated was.
func twice(s *stage, r *result) error {
	sent, again := 0, 0
	for _, p := range s.all {
		resp, err := http.Get("http://" + p.addr + "/twice")
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		var n, m int
		if _, err := fmt.Sscan(string(body), &n, &m); err != nil {
			return err
		}
		sent, again = sent+n, again+m
	}
	r.note = fmt.Sprintf("%d arrived, none twice", sent)
	if again > 0 {
		return fmt.Errorf("%d calls that are not idempotent arrived more than once at one process", again)
	}
	if made := int64(r.calls) + int64(before/tick); int64(sent) > made {
		return fmt.Errorf("%d calls that are not idempotent arrived %d times", made, sent)
	}
	return nil
}
