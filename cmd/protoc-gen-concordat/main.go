// Command protoc-gen-concordat generates services for protoc and buf, beside the messages
// of protoc-gen-go:
//
//	protoc --go_out=. --concordat_out=. --concordat_opt=module=example.com/shop orders.proto
//
// or under buf, in buf.gen.yaml:
//
//	version: v2
//	plugins:
//	  - {local: protoc-gen-go, out: gen, opt: paths=source_relative}
//	  - {local: protoc-gen-concordat, out: gen, opt: paths=source_relative}
//
// Its parameters are those of protoc-gen-go, which mean the same and must be given to both,
//
//	module=PATH               what is taken off the names of output
//	paths=source_relative     output lies beside its source; paths=import is the default
//	MFILE=PATH[;NAME]         Go package of a file, in place of its go_package
//	default_api_level=LEVEL   API_OPEN, API_HYBRID or API_OPAQUE (with messages=true)
//	apilevelMFILE=LEVEL       the same for one file
//
// and two of its own:
//
//	messages=true             generate the messages, too, in place of protoc-gen-go
//	source=FOLDER             what the header of generated files puts before the source's name
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
