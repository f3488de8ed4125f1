// Command concordat compiles contracts between services into Go. Run it with --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/concordat-dev/concordat/cmd/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Dir: ".", Getenv: os.Getenv,
		ErrTTY:  term.IsTerminal(int(os.Stderr.Fd())),
		Version: cli.Version(),
	}))
}
