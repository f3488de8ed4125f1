//go:build unix

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"google.golang.org/protobuf/types/known/wrapperspb"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// A wire is how calls travel.
type wire string

// The wires.
const (
	http1  wire = "HTTP/1"
	http2  wire = "HTTP/2"
	unary  wire = "gRPC"
	stream wire = "stream" // of gRPC: one call gets three messages
)

// number tells calls apart.
var number atomic.Int64

var wires = []wire{http1, http2, unary, stream}

// rest are the wires of REST.
var rest = []wire{http1, http2}

var (
	getSpec    = concordat.Spec{Name: "faults.Things/Get", Route: "GET /", Idempotent: true}
	workSpec   = concordat.Spec{Name: "faults.Things/Work", Route: "GET /work", Idempotent: true}
	onceSpec   = concordat.Spec{Name: "faults.Things/Once", Route: "POST /once"}
	unarySpec  = rpc.Method[text, text]{Spec: concordat.Spec{Name: "faults.Things/Unary", Route: "/faults.Things/Unary", Idempotent: true}}
	streamSpec = rpc.Method[text, text]{Spec: concordat.Spec{Name: "faults.Things/Stream", Route: "/faults.Things/Stream", Kind: concordat.ServerStream, Idempotent: true}}
)

type text = wrapperspb.StringValue

func (w wire) options() []concordat.ConnOption {
	switch w {
	case http1:
		return []concordat.ConnOption{concordat.WithHTTP(concordat.HTTP1)}
	case http2:
		return []concordat.ConnOption{concordat.WithHTTP(concordat.HTTP2)}
	}
	return nil
}

// messages are how many a stream has.
const messages = 3

// call makes one call, as generated code does.
func (w wire) call(ctx context.Context, conn *concordat.Conn, path string) error {
	switch w {
	case unary:
		_, err := rpc.Unary(ctx, conn, &unarySpec, wrapperspb.String("hello"))
		return err
	case stream:
		n := 0
		for _, err := range rpc.ServerStream(ctx, conn, &streamSpec, wrapperspb.String("hello")) {
			if err != nil {
				return err
			}
			n++
		}
		if n != messages {
			return fmt.Errorf("%d messages of %d", n, messages)
		}
		return nil
	}
	method, spec := http.MethodGet, &getSpec
	switch {
	case path == "/work":
		spec = &workSpec
	case strings.HasPrefix(path, "/once"):
		method, spec = http.MethodPost, &onceSpec
	}
	return get(ctx, conn, spec, method, cmp.Or(path, "/"))
}

// get makes one call by REST.
func get(ctx context.Context, conn *concordat.Conn, spec *concordat.Spec, method, path string) error {
	call := concordat.Call{Spec: spec}
	_, err := conn.Invoke(ctx, &call, nil, func(ctx context.Context, _ any) (any, error) {
		id := number.Add(1)
		return nil, conn.Try(ctx, spec, func(ctx context.Context, a *concordat.Attempt) error {
			req, err := http.NewRequestWithContext(ctx, method, a.Base.String()+path, nil)
			if err != nil {
				return err
			}
			call.Peer = a.Endpoint.Addr
			req.Header.Set("Call", fmt.Sprint(id))
			resp, err := a.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return &concordat.Error{Code: concordat.CodeOf(resp.StatusCode), Status: resp.StatusCode}
			}
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	})
	return err
}
