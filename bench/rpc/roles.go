package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/concordat-dev/concordat/bench/rpc/bench"
)

// A usage is what a process has taken so far.
type usage struct {
	CPU    time.Duration // user and system
	Allocs uint64
	Bytes  uint64
}

func used() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.Mallocs, m.TotalAlloc}
}

func (u usage) minus(o usage) usage {
	return usage{u.CPU - o.CPU, u.Allocs - o.Allocs, u.Bytes - o.Bytes}
}

// A task is what the driver asks a client to do.
type task struct {
	Lines      int // of each message
	Calls      int
	Concurrent int
	Stream     bool // one call that is answered by as many messages
}

// A result is what a client did.
type result struct {
	Usage    usage
	P50, P99 time.Duration // of calls
}

// serveRole serves until its input ends, and tells for each line what it has used.
func serveRole(side string, secure bool) error {
	s, err := sideOf(side)
	if err != nil {
		return err
	}
	addr, err := s.serve(secure)
	if err != nil {
		return err
	}
	fmt.Println(addr)
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for in.Scan() {
		if err := out.Encode(used()); err != nil {
			return err
		}
	}
	return in.Err()
}

// clientRole does what it is told until its input ends.
func clientRole(side, addr string, secure bool) error {
	s, err := sideOf(side)
	if err != nil {
		return err
	}
	c, err := s.dial(addr, secure)
	if err != nil {
		return err
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var t task
		if err := in.Decode(&t); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r, err := t.run(c)
		if err != nil {
			return err
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}

func (t task) run(c caller) (result, error) {
	if t.Stream {
		return t.feed(c)
	}
	in := order(t.Lines)
	took := make([]time.Duration, t.Calls)
	var next atomic.Int64
	var failure atomic.Pointer[error]
	before := used()
	var all sync.WaitGroup
	for range t.Concurrent {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= t.Calls {
					return
				}
				begun := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				out, err := c.place(ctx, in)
				cancel()
				took[i] = time.Since(begun)
				if err == nil && len(out.Lines) != t.Lines {
					err = fmt.Errorf("%d lines, not %d", len(out.Lines), t.Lines)
				}
				if err != nil {
					failure.Store(&err)
					return
				}
			}
		})
	}
	all.Wait()
	r := result{Usage: used().minus(before)}
	if err := failure.Load(); err != nil {
		return r, *err
	}
	slices.Sort(took)
	r.P50, r.P99 = took[len(took)/2], took[len(took)*99/100]
	return r, nil
}

func (t task) feed(c caller) (result, error) {
	before := used()
	n, err := c.feed(context.Background(), &bench.Amount{Number: int64(t.Calls), Lines: int32(t.Lines)})
	if err == nil && n != t.Calls {
		err = fmt.Errorf("%d messages, not %d", n, t.Calls)
	}
	return result{Usage: used().minus(before)}, err
}

// order has 82 bytes with one line, and some 49 more for each further.
func order(lines int) *bench.Order {
	o := &bench.Order{Id: "ord-0000000042", Customer: "customer-0017", Cents: 1299, Paid: true}
	for i := range lines {
		o.Lines = append(o.Lines, &bench.Line{Sku: "sku-00-0001-7", Name: "A mug, blue, of stoneware", Quantity: int32(1 + i%5), Cents: 1299})
	}
	return o
}
