package rpc_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// Streams that would never end do not hold up a shutdown, in any protocol, and their
// clients are told to open them again.
func TestDrainEndsStreams(t *testing.T) {
	for name, opts := range map[string][]concordat.ConnOption{
		"grpc":         nil,
		"connect 1.1":  {concordat.WithHTTP(concordat.HTTP1), concordat.WithInterceptors(rpc.Speak(rpc.Connect))},
		"grpc-web 1.1": {concordat.WithHTTP(concordat.HTTP1), concordat.WithInterceptors(rpc.Speak(rpc.GRPCWeb))},
	} {
		t.Run(name, func(t *testing.T) {
			s := concordat.NewServer(concordat.WithPlaintext(), quiet, concordat.WithDrain(100*time.Millisecond))
			causes := make(chan error, 2)
			rpc.HandleServerStream(s, &watch, func(ctx context.Context, _ *number) iter.Seq2[*number, error] {
				return func(yield func(*number, error) bool) {
					yield(num(1), nil)
					<-ctx.Done()
					causes <- context.Cause(ctx)
				}
			})
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx) }()
			<-s.Ready()
			conn, err := concordat.NewConn("http://"+s.Addr(), append(opts, quiet)...)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			var got error
			for _, err := range rpc.ServerStream(t.Context(), conn, &watch, num(1)) {
				if err == nil {
					stop()
				}
				got = err
			}
			if codeOf(got) != concordat.Unavailable || concordat.ErrorOf(got).Message != concordat.ErrDraining.Message {
				t.Errorf("the client is told %v", got)
			}
			if err := <-causes; !errors.Is(err, concordat.ErrDraining) {
				t.Errorf("the handler's context ended by %v", err)
			}
			if err := <-ended; err != nil {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}

// A client that does not read does not keep the handler of a stream.
func TestStalledReader(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet, concordat.WithWriteTimeout(20*time.Millisecond))
	ended := make(chan struct{})
	rpc.HandleServerStream(s, &watch, func(ctx context.Context, _ *number) iter.Seq2[*number, error] {
		return func(yield func(*number, error) bool) {
			defer close(ended)
			for yield(num(1<<60), nil) {
			}
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	run := make(chan error, 1)
	go func() { run <- s.Run(ctx) }()
	<-s.Ready()
	defer func() { stop(); <-run }()
	conn, err := concordat.NewConn("http://"+s.Addr(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, err := range rpc.ServerStream(t.Context(), conn, &watch, num(1)) {
		if err != nil {
			t.Fatal(err)
		}
		<-ended // and nothing more is read
		break
	}
}
