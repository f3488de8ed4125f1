package rpc_test

import (
	"net"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	grpcengine "github.com/concordat-dev/concordat/runtime/engine/grpc"
)

// A second is a ConnOption that says which sides of a world use grpc-go.
type second struct {
	concordat.ConnOption
	client, server bool
}

// engines runs f with grpc-go on either side, and on both.
func engines(t *testing.T, f func(t *testing.T, with concordat.ConnOption)) {
	for name, s := range map[string]second{
		"grpc-go":        {ConnOption: grpcengine.With(), client: true, server: true},
		"grpc-go client": {ConnOption: grpcengine.With(), client: true},
		"grpc-go server": {ConnOption: concordat.WithRetries(concordat.DefaultRetries), server: true},
	} {
		t.Run(name, func(t *testing.T) { f(t, s) })
	}
}

// An atSide is the listener of a server's second engine, if it has one.
type atSide struct{ ln net.Listener }

// engineOf finds out what opts say of engines. The interface of options is closed, so a
// second is exchanged for what it holds.
func engineOf(t *testing.T, opts []concordat.ConnOption) (b atSide, _ []concordat.ConnOption) {
	t.Helper()
	var out []concordat.ConnOption
	for _, o := range opts {
		s, ok := o.(second)
		if !ok {
			out = append(out, o)
			continue
		}
		out = append(out, s.ConnOption)
		if s.server {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			b.ln = ln
		}
	}
	return b, out
}

func (b atSide) options() []concordat.ServerOption {
	if b.ln == nil {
		return nil
	}
	return []concordat.ServerOption{grpcengine.ServeListener(b.ln)}
}

func (b atSide) addr(s *concordat.Server) string {
	if b.ln == nil {
		return s.Addr()
	}
	return b.ln.Addr().String()
}
