package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/examples/retail/internal/platform"
)

// certificates are issued for these names: the two instances of users are told apart.
var certificates = []string{"broker", "users-1", "users-2", "orders", "analytics", "storefront"}

// together runs every role in this process.
func together(ctx context.Context, o options, out io.Writer) error {
	p, err := platform.InProcess()
	if err != nil {
		return err
	}
	r := newReport(out)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Ctrl-C sends the customers home; services go when the last one has been helped.
	services, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	errs := make(chan error, len(roles))
	for _, role := range roles[:len(roles)-1] {
		wg.Go(func() {
			if err := programs[role](services, p, o, r); err != nil {
				errs <- fmt.Errorf("%s: %w", role, err)
				cancel() // nobody should wait for what will not come
			}
		})
	}
	err = runStorefront(ctx, p, o, r)
	if err == nil {
		r.settle(5 * time.Second) // analytics may still be at it
	}
	stop()
	wg.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	return r.print()
}

// alone runs one role, or writes the certificates that separate processes need.
func alone(ctx context.Context, o options, out io.Writer) error {
	if o.state == "" {
		return fmt.Errorf("--role %s needs --state, the folder in which processes find each other", o.role)
	}
	if o.role == "certs" {
		return platform.Prepare(o.state, certificates...)
	}
	if o.attached {
		ctx = attached(os.Stdin)
	}
	r := newReport(out)
	if err := programs[o.role](ctx, platform.In(o.state), o, r); err != nil {
		return err
	}
	return r.print()
}

// split starts a process for each role and stops the services when the storefront has
// ended.
func split(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "concordat-retail-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := platform.Prepare(dir, certificates...); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	command := func(ctx context.Context, role string, more ...string) *exec.Cmd {
		args := append([]string{"--role", role, "--state", dir, "--for", o.lasts.String(), fmt.Sprintf("--calm=%v", o.calm)}, more...)
		c := exec.CommandContext(ctx, exe, args...)
		c.Stdout, c.Stderr = out, os.Stderr
		c.WaitDelay = 15 * time.Second
		return c
	}
	var stops []func()
	defer func() { // in the order of who depends on whom: the broker last
		for _, stop := range slices.Backward(stops) {
			stop()
		}
	}()
	for _, role := range roles[:len(roles)-1] {
		stop, err := service(command(context.WithoutCancel(ctx), role, "--attached"), role)
		if err != nil {
			return err
		}
		stops = append(stops, stop)
	}
	front := command(ctx, "storefront")
	front.Cancel = func() error { return front.Process.Signal(os.Interrupt) }
	err = front.Run()
	if sentHome := ctx.Err() != nil && front.ProcessState != nil && front.ProcessState.Success(); err != nil && !sentHome {
		return fmt.Errorf("storefront: %w", err)
	}
	time.Sleep(time.Second) // for what is on its way to analytics
	return nil
}

// service starts a role that lives until its standard input ends: a terminal's Ctrl-C
// reaches every process at once, and services must outlive the customers.
func service(c *exec.Cmd, role string) (stop func(), err error) {
	leash, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return func() {
		if err := errors.Join(leash.Close(), c.Wait()); err != nil {
			fmt.Fprintf(os.Stderr, "retail: %s: %v\n", role, err)
		}
	}, nil
}

// attached returns a context that is done when standard input ends, and not on Ctrl-C.
func attached(in io.Reader) context.Context {
	signal.Ignore(os.Interrupt)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, in) // however it ends, it has ended
		cancel()
	}()
	return ctx
}
