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

// before is how long there is calm.
const before = 2 * time.Second

// A fault is what happens to three processes, or one of them, and under which load.
type fault struct {
	name     string
	signal   syscall.Signal
	path     string
	between  time.Duration // one call and the next
	patience time.Duration // the deadline of each
	answered float64       // least share of the calls
	most     float64       // attempts per call
}

// Each process takes overloadRate / 3 calls per second, and gets 1.2 times of that.
const overloadRate = 3 * workers * int(time.Second/work)

const tick, patience = 10 * time.Millisecond, 250 * time.Millisecond

var faults = []fault{
	{"none", 0, "/", tick, patience, 1, 1},
	{"SIGSTOP, then SIGCONT", syscall.SIGSTOP, "/", tick, patience, 1, 1.01},
	{"SIGKILL", syscall.SIGKILL, "/", tick, patience, 1, 1.02},
	{"120 % load", 0, "/work", time.Second * 10 / 12 / time.Duration(overloadRate), time.Second, 0.8, 1.2},
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
	case r.answered() < f.answered:
		return fmt.Sprintf("%d lost, the first: %v", r.lost, r.first)
	case r.attempts > f.most:
		return fmt.Sprintf("more than %.2f attempts per call", f.most)
	}
	return ""
}

// answered is the share of the calls that were.
func (r *result) answered() float64 { return 1 - float64(r.lost)/float64(max(1, r.calls)) }

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
	calm := load(conn, fault{path: f.path, between: tick, patience: time.Second}, before)
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
	r := load(conn, f, length)
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
func load(conn *concordat.Conn, f fault, length time.Duration) *result {
	r := new(result)
	var mu sync.Mutex
	var calls sync.WaitGroup
	start := time.Now()
	for n := 0; time.Duration(n)*f.between < length; n++ {
		time.Sleep(time.Until(start.Add(time.Duration(n) * f.between)))
		r.calls++
		calls.Go(func() {
			begun := time.Now()
			err := call(conn, f)
			took := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			r.slowest = max(r.slowest, took)
			if err != nil || took > f.patience*2/5 {
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
func call(conn *concordat.Conn, f fault) error {
	ctx, cancel := context.WithTimeout(context.Background(), f.patience)
	defer cancel()
	_, err := conn.Invoke(ctx, &concordat.Call{Spec: &spec}, nil, func(ctx context.Context, _ any) (any, error) {
		return nil, conn.Try(ctx, &spec, func(ctx context.Context, a *concordat.Attempt) error {
			req, err := http.NewRequestWithContext(ctx, "GET", a.Base.String()+f.path, nil)
			if err != nil {
				return err
			}
			resp, err := a.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return &concordat.Error{Code: concordat.CodeOf(resp.StatusCode), Status: resp.StatusCode}
			}
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	})
	return err
}
