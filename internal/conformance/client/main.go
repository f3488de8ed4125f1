// Command client is the client that the conformance runner tests: it makes the calls that
// the runner asks for by generated code, as any program would.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	v1 "github.com/concordat-dev/concordat/internal/conformance/gen/connectrpc/conformance/v1"
	"github.com/concordat-dev/concordat/internal/conformance/wire"
)

// atOnce is how many calls run at a time. Most of them wait.
const atOnce = 64

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance client:", err)
		os.Exit(1)
	}
}

// run makes calls until the runner has no more.
func run() error {
	var writing sync.Mutex
	var calls sync.WaitGroup
	defer calls.Wait()
	room, conns := make(chan struct{}, atOnce), conns{}
	for {
		asked := new(v1.ClientCompatRequest)
		switch err := wire.Read(os.Stdin, asked); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		room <- struct{}{}
		calls.Go(func() {
			defer func() { <-room }()
			answer := &v1.ClientCompatResponse{TestName: asked.GetTestName()}
			if result, err := conns.call(context.Background(), asked); err != nil {
				answer.Result = &v1.ClientCompatResponse_Error{Error: &v1.ClientErrorResult{Message: err.Error()}}
			} else {
				answer.Result = &v1.ClientCompatResponse_Response{Response: result}
			}
			writing.Lock()
			defer writing.Unlock()
			if err := wire.Write(os.Stdout, answer); err != nil {
				fmt.Fprintln(os.Stderr, "conformance client:", err)
				os.Exit(1)
			}
		})
	}
}
