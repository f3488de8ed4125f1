// Command retail runs the retail platform: a user service over REST (two instances, of
// which one misbehaves on purpose), an order service over gRPC, analytics that consumes
// events from NATS, and a storefront whose customers need support. Everything speaks
// mutual TLS, by an authority that is made at start-up.
//
//	go run ./examples/retail                 everything in one process
//	go run ./examples/retail --split         a process for each role
//	go run ./examples/retail --for 0         until Ctrl-C
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

//go:generate go run github.com/concordat-dev/concordat/cmd/concordat generate

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "retail: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	role, state string
	split       bool
	lasts       time.Duration
	calm        bool
	attached    bool
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	f := flag.NewFlagSet("retail", flag.ContinueOnError)
	f.StringVar(&o.role, "role", "all", "what to be: all, certs, "+strings.Join(roles, ", "))
	f.StringVar(&o.state, "state", "", "folder in which separate processes find certificates and each other")
	f.BoolVar(&o.split, "split", false, "start a process for each role")
	f.DurationVar(&o.lasts, "for", 6*time.Second, "how long customers come; 0: until Ctrl-C")
	f.BoolVar(&o.calm, "calm", false, "inject no failures")
	f.BoolVar(&o.attached, "attached", false, "with --role: stop when standard input ends")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case o.split:
		return split(ctx, o, out)
	case o.role == "all":
		return together(ctx, o, out)
	case o.role == "certs" || slices.Contains(roles, o.role):
		return alone(ctx, o, out)
	}
	return fmt.Errorf("there is no role %q; roles are all, certs, %s", o.role, strings.Join(roles, ", "))
}
