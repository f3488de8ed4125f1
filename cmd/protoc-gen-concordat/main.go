// Command protoc-gen-concordat generates services for protoc and buf, beside the messages
// of protoc-gen-go:
//
//	protoc --go_out=. --concordat_out=. --concordat_opt=module=example.com/shop orders.proto
//
// Its parameters are protoc-gen-go's module, paths and M, and messages=true, which
// generates the messages, too.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"

	"github.com/concordat-dev/concordat/cmd/internal/plugin"
)

func main() {
	info, _ := debug.ReadBuildInfo()
	version := plugin.Version(info, "github.com/concordat-dev/concordat")
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("protoc-gen-concordat", version)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := plugin.Run(ctx, os.Stdin, os.Stdout, os.Stderr, version); err != nil {
		fmt.Fprintln(os.Stderr, "protoc-gen-concordat:", err)
		os.Exit(1)
	}
}
