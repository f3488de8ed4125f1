package rpc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

func TestForeignClient(t *testing.T) {
	w := start(t, &orders{
		place: func(_ context.Context, in *text) (*text, error) {
			if in.Value == "" {
				return nil, concordat.Errorf(concordat.InvalidArgument, "empty").With(str("value"))
			}
			return in, nil
		},
		watch: count,
	})
	for name, opts := range map[string][]connect.ClientOption{
		"connect": nil, "grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()},
		"json": {connect.WithProtoJSON()}, "gzip": {connect.WithSendGzip()},
	} {
		client := connect.NewClient[text, text](w.plain, w.base+place.Route, opts...)
		out, err := client.CallUnary(t.Context(), connect.NewRequest(str(strings.Repeat("x", 2000))))
		if err != nil || len(out.Msg.Value) != 2000 {
			t.Errorf("%s: %v", name, err)
		}
		_, err = client.CallUnary(t.Context(), connect.NewRequest(str("")))
		ce, ok := errors.AsType[*connect.Error](err)
		if !ok || ce.Code() != connect.CodeInvalidArgument || ce.Message() != "empty" || len(ce.Details()) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v, err := ce.Details()[0].Value(); err != nil || v.(*text).Value != "value" {
			t.Errorf("%s: %v %v", name, v, err)
		}
		stream, err := connect.NewClient[number, number](w.plain, w.base+watch.Route, opts...).CallServerStream(t.Context(), connect.NewRequest(num(3)))
		if err != nil {
			t.Fatal(name, err)
		}
		n := 0
		for stream.Receive() {
			n++
		}
		if stream.Err() != nil || n != 3 {
			t.Errorf("%s: %d messages, %v", name, n, stream.Err())
		}
		stream.Close()
	}
}

func TestRawGRPC(t *testing.T) {
	w := start(t, &orders{place: func(_ context.Context, in *text) (*text, error) {
		if in.Value == "" {
			return nil, concordat.Errorf(concordat.NotFound, "no ü")
		}
		return in, nil
	}})
	post := func(m proto.Message) (*http.Response, []byte) {
		body, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body)))
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.base+place.Route, bytes.NewReader(append(frame, body...)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/grpc+proto"}, "Te": {"trailers"}, "Grpc-Timeout": {"5S"}}
		resp, err := w.plain.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, data
	}
	resp, data := post(str("hello"))
	var got text
	if len(data) < 5 || data[0] != 0 || proto.Unmarshal(data[5:], &got) != nil || got.Value != "hello" {
		t.Fatalf("% x", data)
	}
	if resp.ProtoMajor != 2 || resp.StatusCode != 200 || resp.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("%s %d %v", resp.Proto, resp.StatusCode, resp.Trailer)
	}
	resp, _ = post(str(""))
	if resp.StatusCode != 200 || resp.Trailer.Get("Grpc-Status")+resp.Header.Get("Grpc-Status") != "5" ||
		resp.Trailer.Get("Grpc-Message")+resp.Header.Get("Grpc-Message") != "no %C3%BC" {
		t.Errorf("%v %v", resp.Header, resp.Trailer)
	}
}

func TestForeignServer(t *testing.T) {
	mux := http.NewServeMux()
	var meta string
	mux.Handle("/api"+place.Route, http.StripPrefix("/api", connect.NewUnaryHandler(place.Route,
		func(_ context.Context, req *connect.Request[text]) (*connect.Response[text], error) {
			if meta = req.Header().Get("X-Who"); req.Msg.Value == "" {
				err := connect.NewError(connect.CodeAborted, errors.New("again"))
				for _, m := range []proto.Message{str("first"), num(2)} {
					d, derr := connect.NewErrorDetail(m)
					if derr != nil {
						return nil, derr
					}
					err.AddDetail(d)
				}
				return nil, err
			}
			return connect.NewResponse(req.Msg), nil
		})))
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	p.SetHTTP1(true)
	server := &http.Server{Handler: mux, Protocols: p}
	l := listen(t)
	go server.Serve(l)
	defer server.Close()
	conn, err := concordat.NewConn("http://"+l.Addr().String()+"/api", quiet, concordat.WithInterceptors(
		func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
			call.SetMeta("X-Who", "me")
			return next(ctx, in)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if out, err := rpc.Unary(t.Context(), conn, &place, str("x")); err != nil || out.Value != "x" || meta != "me" {
		t.Errorf("%v %v %q", out, err, meta)
	}
	_, err = rpc.Unary(t.Context(), conn, &place, str(""))
	if d, ok := concordat.Detail[text](err); codeOf(err) != concordat.Aborted || !ok || d.Value != "first" {
		t.Errorf("%v with %v", err, d)
	}
}

func TestNotGRPC(t *testing.T) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusForbidden) })}
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	server.Protocols = p
	l := listen(t)
	go server.Serve(l)
	defer server.Close()
	conn, err := concordat.NewConn("http://"+l.Addr().String(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := rpc.Unary(t.Context(), conn, &place, str("x")); codeOf(err) != concordat.PermissionDenied {
		t.Errorf("got %v", err)
	}
}

func TestInterceptedStream(t *testing.T) {
	double := func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		out, err := next(ctx, in)
		seq, ok := out.(iter.Seq2[*number, error])
		if !ok {
			return out, err
		}
		return iter.Seq2[*number, error](func(yield func(*number, error) bool) {
			for n, err := range seq {
				if !yield(num(2*n.GetValue()), err) {
					return
				}
			}
		}), err
	}
	w := start(t, &orders{watch: count}, concordat.WithInterceptors(double))
	var got []int64
	for n, err := range rpc.ServerStream(t.Context(), w.conn, &watch, num(3)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n.Value)
	}
	if fmt.Sprint(got) != "[0 2 4]" {
		t.Error(got)
	}
	wrong := func(context.Context, *concordat.Call, any, concordat.Next) (any, error) { return 7, nil }
	w = start(t, &orders{watch: count}, concordat.WithInterceptors(wrong))
	for _, err := range rpc.ServerStream(t.Context(), w.conn, &watch, num(3)) {
		if codeOf(err) != concordat.Internal {
			t.Error(err)
		}
	}
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
