package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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
	services, stop := context.WithCancel(ctx)
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
	start := func(role string) (*exec.Cmd, error) {
		c := exec.CommandContext(ctx, exe, "--role", role, "--state", dir, "--for", o.lasts.String(), fmt.Sprintf("--calm=%v", o.calm))
		c.Stdout, c.Stderr = out, os.Stderr
		c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
		c.WaitDelay = 15 * time.Second
		return c, c.Start()
	}
	var services []*exec.Cmd
	defer func() { // in the order of who depends on whom: the broker last
		for i := len(services) - 1; i >= 0; i-- {
			_ = services[i].Process.Signal(os.Interrupt)
			err := services[i].Wait()
			if err != nil {
				fmt.Fprintf(os.Stderr, "retail: %s: %v\n", roles[i], err)
			}
		}
	}()
	for _, role := range roles[:len(roles)-1] {
		c, err := start(role)
		if err != nil {
			return err
		}
		services = append(services, c)
	}
	front, err := start("storefront")
	if err != nil {
		return err
	}
	if err := front.Wait(); err != nil {
		return fmt.Errorf("storefront: %w", err)
	}
	time.Sleep(time.Second) // for what is on its way to analytics
	return nil
}
