//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// The load: a call every ten milliseconds, each with a quarter of a second.
const (
	between  = 10 * time.Millisecond
	patience = 250 * time.Millisecond
	before   = 2 * time.Second // of calm
)

// A fault is what happens to one of three processes.
type fault struct {
	name   string
	signal syscall.Signal
	most   float64 // attempts per call
}

var faults = []fault{
	{"none", 0, 1},
	{"SIGSTOP, then SIGCONT", syscall.SIGSTOP, 1.01},
	{"SIGKILL", syscall.SIGKILL, 1.02},
}

// A result is what became of the calls after the fault.
type result struct {
	calls, lost int
	first       error // of the lost
	attempts    float64
	slowest     time.Duration
	felt        time.Duration // until the last call that was lost or took a tenth of a second
}

// broken says which promise is, or "".
func (r *result) broken(f fault) string {
	switch {
	case r.lost > 0:
		return fmt.Sprintf("%d lost, the first: %v", r.lost, r.first)
	case r.attempts > f.most:
		return fmt.Sprintf("more than %.2f attempts per call", f.most)
	}
	return ""
}

// processes starts n backends; stop ends them, and no others.
func processes(n int) (addrs []string, all []*exec.Cmd, stop func(), err error) {
	stop = func() {
		for _, p := range all {
			_ = p.Process.Kill() // a stopped process can be killed, too
			_ = p.Wait()
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, nil, stop, err
	}
	for range n {
		p := exec.Command(exe)
		p.Env = append(os.Environ(), backendVariable+"=1")
		out, err := p.StdoutPipe()
		if err != nil {
			return nil, nil, stop, err
		}
		if err := p.Start(); err != nil {
			return nil, nil, stop, err
		}
		all = append(all, p)
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			return nil, nil, stop, err
		}
		addrs = append(addrs, strings.TrimSpace(line))
	}
	return addrs, all, stop, nil
}

// run makes calls, lets the fault happen, and goes on for so long.
func run(f fault, length time.Duration) (*result, error) {
	addrs, all, stop, err := processes(3)
	defer stop()
	if err != nil {
		return nil, err
	}
	conn, err := concordat.NewConn("static:"+strings.Join(addrs, ","), concordat.WithPlaintext(), concordat.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	calm := load(conn, before)
	if calm.lost > 0 {
		return nil, fmt.Errorf("before the fault: %w", calm.first)
	}
	had := retries(conn)
	if f.signal != 0 {
		if err := all[1].Process.Signal(f.signal); err != nil {
			return nil, err
		}
	}
	if f.signal == syscall.SIGSTOP {
		again := time.AfterFunc(length*2/3, func() { _ = all[1].Process.Signal(syscall.SIGCONT) })
		defer again.Stop()
	}
	r := load(conn, length)
	r.attempts = 1 + float64(retries(conn)-had)/float64(r.calls)
	return r, nil
}

func retries(c *concordat.Conn) (n int64) {
	for _, o := range c.Stats() {
		n += o.Retries
	}
	return n
}

// load makes a call now and then for so long, without waiting for the ones before.
func load(conn *concordat.Conn, length time.Duration) *result {
	r := new(result)
	var mu sync.Mutex
	var calls sync.WaitGroup
	start := time.Now()
	for n := 0; time.Duration(n)*between < length; n++ {
		time.Sleep(time.Until(start.Add(time.Duration(n) * between)))
		r.calls++
		calls.Go(func() {
			begun := time.Now()
			err := call(conn)
			took := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			r.slowest = max(r.slowest, took)
			if err != nil || took > patience*2/5 {
				r.felt = max(r.felt, time.Since(start))
			}
			if err != nil {
				if r.lost++; r.first == nil {
					r.first = err
				}
			}
		})
	}
	calls.Wait()
	return r
}

var spec = concordat.Spec{Name: "faults.Things/Get", Route: "GET /", Idempotent: true}

// call makes one call, as generated code does.
func call(conn *concordat.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := conn.Invoke(ctx, &concordat.Call{Spec: &spec}, nil, func(ctx context.Context, _ any) (any, error) {
		return nil, conn.Try(ctx, &spec, func(ctx context.Context, a *concordat.Attempt) error {
			req, err := http.NewRequestWithContext(ctx, "GET", a.Base.String()+"/", nil)
			if err != nil {
				return err
			}
			resp, err := a.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	})
	return err
}
