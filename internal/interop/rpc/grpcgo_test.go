package rpc_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/concordat-dev/concordat/internal/interop/rpc/echo"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

const echoPath = "/concordat.interop.v1.Echo/"

// unaryHandler is what grpc-go's generator would emit for one method.
func unaryHandler[In, Out any](name string, f func(context.Context, *In) (*Out, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		return f(ctx, in)
	}}
}

// grpcService is Echo for grpc-go.
var grpcService = grpc.ServiceDesc{
	ServiceName: "concordat.interop.v1.Echo", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		unaryHandler("Say", func(ctx context.Context, in *echo.Phrase) (*echo.Phrase, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			_ = grpc.SetHeader(ctx, metadata.Pairs("x-reply", strings.Join(md.Get("x-interop"), ",")))
			_ = grpc.SetTrailer(ctx, metadata.Pairs("x-trailer", strings.Join(md.Get("x-interop"), ","), "x-trailer-bin", strings.Join(md.Get("x-interop-bin"), ",")))
			return in, nil
		}),
		unaryHandler("Fail", func(_ context.Context, in *echo.Failure) (*echo.Phrase, error) {
			var details []protoadapt.MessageV1
			for _, d := range in.GetDetails() {
				details = append(details, protoadapt.MessageV1Of(&echo.Phrase{Text: d}))
			}
			details = append(details, protoadapt.MessageV1Of(&echo.Number{Value: int64(len(in.GetDetails()))}))
			s, err := status.New(codes.Code(in.GetCode()), in.GetMessage()).WithDetails(details...)
			if err != nil {
				return nil, err
			}
			return nil, s.Err()
		}),
		unaryHandler("Wait", func(ctx context.Context, _ *echo.Phrase) (*echo.Phrase, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}),
	},
	Streams: []grpc.StreamDesc{
		{StreamName: "Count", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			in := new(echo.CountRequest)
			if err := s.RecvMsg(in); err != nil {
				return err
			}
			for n := int64(1); in.GetLast() == 0 || n <= in.GetLast(); n++ {
				if err := s.SendMsg(&echo.Number{Value: n}); err != nil {
					return err
				}
			}
			return nil
		}},
		{StreamName: "Sum", ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			sum := &echo.Number{}
			for {
				n := new(echo.Number)
				switch err := s.RecvMsg(n); err {
				case nil:
					sum.Value += n.GetValue()
				case io.EOF:
					return s.SendMsg(sum)
				default:
					return err
				}
			}
		}},
		{StreamName: "Chat", ClientStreams: true, ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			for {
				m := new(echo.Phrase)
				if err := s.RecvMsg(m); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(m); err != nil {
					return err
				}
			}
		}},
	},
}

func TestGRPCGoServer(t *testing.T) {
	f := write(t)
	config, err := f.tls.Server("h2")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	s.RegisterService(&grpcService, nil)
	go func() { _ = s.Serve(ln) }()
	t.Cleanup(s.Stop)
	try(t, "https://"+ln.Addr().String(), true, concordat.WithTLS(f.tls))
	try(t, "https://"+ln.Addr().String(), true, concordat.WithTLS(f.tls), concordat.WithInterceptors(rpc.Speak(rpc.GRPC, rpc.Gzip())))
}

func TestGRPCGoClient(t *testing.T) {
	f, ended := write(t), make(chan string, 8)
	addr := serve(t, service{ended}, concordat.WithTLS(f.tls))
	config, err := f.tls.Client("localhost", "h2")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	bin, err := base64.RawStdEncoding.DecodeString("AAH+/w")
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-interop", "hello", "x-interop-bin", string(bin))
	for _, opts := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
		var header, trailer metadata.MD
		in, out := &echo.Phrase{Text: strings.Repeat("ü", 50_000)}, new(echo.Phrase)
		err := conn.Invoke(ctx, echoPath+"Say", in, out, append(opts, grpc.Header(&header), grpc.Trailer(&trailer))...)
		if err != nil || out.GetText() != in.GetText() || header.Get("x-reply")[0] != "hello" || trailer.Get("x-trailer-bin")[0] != string(bin) {
			t.Errorf("Say: %v, %v, %v", err, header, trailer)
		}
	}
	err = conn.Invoke(ctx, echoPath+"Fail", &echo.Failure{Code: 5, Message: "kein Käse", Details: []string{"a", "b"}}, new(echo.Phrase))
	if s := status.Convert(err); s.Code() != codes.NotFound || s.Message() != "kein Käse" || len(s.Details()) != 3 {
		t.Errorf("Fail: %v", err)
	}
	short, done := context.WithTimeout(ctx, 200*time.Millisecond)
	defer done()
	if err := conn.Invoke(short, echoPath+"Wait", &echo.Phrase{}, new(echo.Phrase)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("Wait: %v", err)
	}
	grpcGoStreams(ctx, t, conn)
	endedBy(t, ended)
}

func grpcGoStreams(ctx context.Context, t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chat, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, echoPath+"Chat")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		out := new(echo.Phrase)
		if err := chat.SendMsg(&echo.Phrase{Text: text}); err != nil {
			t.Fatal(err)
		}
		if err := chat.RecvMsg(out); err != nil || out.GetText() != text {
			t.Errorf("Chat: %v, %v", out, err)
		}
	}
	if err := chat.CloseSend(); err != nil || chat.RecvMsg(new(echo.Phrase)) != io.EOF {
		t.Errorf("the end of Chat: %v", err)
	}
	count, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, echoPath+"Count")
	if err != nil {
		t.Fatal(err)
	}
	if err := count.SendMsg(&echo.CountRequest{}); err != nil {
		t.Fatal(err)
	}
	if err := count.RecvMsg(new(echo.Number)); err != nil {
		t.Errorf("Count: %v", err)
	}
	cancel()
	for err == nil {
		err = count.RecvMsg(new(echo.Number))
	}
	if status.Code(err) != codes.Canceled {
		t.Errorf("Count, given up: %v", err)
	}
}

// grpc-go's servers break connections off that are pinged more often than every five
// minutes, by default, while nothing is sent over them.
func TestQuietStreamsOfGRPCGoLast(t *testing.T) {
	if testing.Short() {
		t.Skip("stays quiet for 25 s")
	}
	t.Parallel()
	f := write(t)
	config, err := f.tls.Server("h2")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	s.RegisterService(&grpcService, nil)
	go func() { _ = s.Serve(ln) }()
	t.Cleanup(s.Stop)
	conn, err := concordat.NewConn("https://"+ln.Addr().String(), concordat.WithTLS(f.tls), concordat.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	_, err = echo.NewEchoClient(conn).Wait(ctx, &echo.Phrase{})
	if e, ok := errors.AsType[*concordat.Error](err); !ok || e.Code != concordat.DeadlineExceeded {
		t.Errorf("after 25 s of quiet: %v, want the deadline", err)
	}
}
