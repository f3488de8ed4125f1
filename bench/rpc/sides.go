package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/concordat-dev/concordat/bench/rpc/bench"
	concordat "github.com/concordat-dev/concordat/runtime"
	grpcengine "github.com/concordat-dev/concordat/runtime/engine/grpc"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A side is one library, as both client and server.
type side struct {
	serve func(secure bool) (addr string, err error)
	dial  func(addr string, secure bool) (caller, error)
}

// A caller is a client of any side.
type caller struct {
	place func(context.Context, *bench.Order) (*bench.Order, error)
	feed  func(context.Context, *bench.Amount) (int, error)
}

// The sides, in the order of the table.
var sides = []string{"grpc-go", "connect-go", "concordat", "concordat on grpc-go"}

func sideOf(name string) (side, error) {
	switch name {
	case "grpc-go":
		return side{serveGRPC, dialGRPC}, nil
	case "connect-go":
		return side{serveConnect, dialConnect}, nil
	case "concordat":
		return side{func(secure bool) (string, error) { return serveOurs(secure, nil) },
			func(addr string, secure bool) (caller, error) { return dialOurs(addr, secure) }}, nil
	case "concordat on grpc-go":
		return side{func(secure bool) (string, error) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return "", err
			}
			return serveOurs(secure, ln)
		}, func(addr string, secure bool) (caller, error) { return dialOurs(addr, secure, grpcengine.With()) }}, nil
	}
	return side{}, fmt.Errorf("no side %q", name)
}

// orders is what every server answers by.
type orders struct{ bench.Bench }

func (orders) Place(_ context.Context, in *bench.Order) (*bench.Order, error) { return in, nil }

func (orders) Feed(_ context.Context, in *bench.Amount) iter.Seq2[*bench.Order, error] {
	return func(yield func(*bench.Order, error) bool) {
		o := order(int(in.Lines))
		for range in.Number {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func serveOurs(secure bool, second net.Listener) (string, error) {
	opts := []concordat.ServerOption{concordat.WithPlaintext()}
	if secure {
		opts = []concordat.ServerOption{concordat.WithTLS(tlsconf.ServerPEM(certificate(), key()))}
	}
	if second != nil {
		opts = append(opts, grpcengine.ServeListener(second))
	}
	s := concordat.NewServer(append(opts, concordat.WithLogger(slog.New(slog.DiscardHandler)))...)
	bench.RegisterBench(s, orders{})
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	select {
	case err := <-ended:
		return "", err
	case <-s.Ready():
	}
	if second != nil {
		return second.Addr().String(), nil
	}
	return s.Addr(), nil
}

func dialOurs(addr string, secure bool, opts ...concordat.ConnOption) (caller, error) {
	target := "http://" + addr
	if secure {
		target = "https://" + addr
		opts = append(opts, concordat.WithTLS(tlsconf.RootsPEM(root())))
	}
	conn, err := concordat.NewConn(target, opts...)
	if err != nil {
		return caller{}, err
	}
	c := bench.NewBenchClient(conn)
	return caller{c.Place, func(ctx context.Context, in *bench.Amount) (n int, err error) {
		for _, err := range c.Feed(ctx, in) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}}, nil
}

func listen(secure bool) (net.Listener, *tls.Config, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || !secure {
		return ln, nil, err
	}
	config, err := tlsconf.ServerPEM(certificate(), key()).Server("h2")
	return ln, config, err
}

// The description that protoc-gen-go-grpc would write.
var description = grpc.ServiceDesc{
	ServiceName: "concordat.bench.v1.Bench",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Place", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(bench.Order)
		if err := decode(in); err != nil {
			return nil, err
		}
		return orders{}.Place(ctx, in)
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Feed", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
		in := new(bench.Amount)
		if err := s.RecvMsg(in); err != nil {
			return err
		}
		o := order(int(in.Lines))
		for range in.Number {
			if err := s.SendMsg(o); err != nil {
				return err
			}
		}
		return nil
	}}},
}

func serveGRPC(secure bool) (string, error) {
	ln, config, err := listen(secure)
	if err != nil {
		return "", err
	}
	creds := insecure.NewCredentials()
	if secure {
		creds = credentials.NewTLS(config)
	}
	s := grpc.NewServer(grpc.Creds(creds))
	s.RegisterService(&description, nil)
	go func() { _ = s.Serve(ln) }()
	return ln.Addr().String(), nil
}

func dialGRPC(addr string, secure bool) (caller, error) {
	creds := insecure.NewCredentials()
	if secure {
		config, err := tlsconf.RootsPEM(root()).Client("127.0.0.1", "h2")
		if err != nil {
			return caller{}, err
		}
		creds = credentials.NewTLS(config)
	}
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		return caller{}, err
	}
	return caller{func(ctx context.Context, in *bench.Order) (*bench.Order, error) {
		out := new(bench.Order)
		return out, cc.Invoke(ctx, "/concordat.bench.v1.Bench/Place", in, out, grpc.StaticMethod())
	}, func(ctx context.Context, in *bench.Amount) (n int, err error) {
		s, err := cc.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/concordat.bench.v1.Bench/Feed")
		if err != nil {
			return 0, err
		}
		if err := s.SendMsg(in); err != nil {
			return 0, err
		}
		if err := s.CloseSend(); err != nil {
			return 0, err
		}
		for ; n < int(in.Number); n++ {
			if err := s.RecvMsg(new(bench.Order)); err != nil {
				return n, err
			}
		}
		return n, nil
	}}, nil
}

func serveConnect(secure bool) (string, error) {
	ln, config, err := listen(secure)
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.Handle("/concordat.bench.v1.Bench/Place", connect.NewUnaryHandler("/concordat.bench.v1.Bench/Place",
		func(ctx context.Context, in *connect.Request[bench.Order]) (*connect.Response[bench.Order], error) {
			return connect.NewResponse(in.Msg), nil
		}))
	mux.Handle("/concordat.bench.v1.Bench/Feed", connect.NewServerStreamHandler("/concordat.bench.v1.Bench/Feed",
		func(ctx context.Context, in *connect.Request[bench.Amount], s *connect.ServerStream[bench.Order]) error {
			o := order(int(in.Msg.Lines))
			for range in.Msg.Number {
				if err := s.Send(o); err != nil {
					return err
				}
			}
			return nil
		}))
	h := &http.Server{Handler: mux, TLSConfig: config, Protocols: new(http.Protocols)}
	h.Protocols.SetHTTP2(secure)
	h.Protocols.SetUnencryptedHTTP2(!secure)
	go func() {
		if secure {
			_ = h.ServeTLS(ln, "", "")
			return
		}
		_ = h.Serve(ln)
	}()
	return ln.Addr().String(), nil
}

func dialConnect(addr string, secure bool) (caller, error) {
	t, base := &http.Transport{Protocols: new(http.Protocols)}, "http://"+addr
	t.Protocols.SetUnencryptedHTTP2(!secure)
	t.Protocols.SetHTTP2(secure)
	if secure {
		config, err := tlsconf.RootsPEM(root()).Client("127.0.0.1", "h2")
		if err != nil {
			return caller{}, err
		}
		base, t.TLSClientConfig = "https://"+addr, config
	}
	h := &http.Client{Transport: t}
	// Compressed replies are off, as they are for everybody else here.
	plain := []connect.ClientOption{connect.WithGRPC(), connect.WithAcceptCompression("gzip", nil, nil)}
	place := connect.NewClient[bench.Order, bench.Order](h, base+"/concordat.bench.v1.Bench/Place", plain...)
	feed := connect.NewClient[bench.Amount, bench.Order](h, base+"/concordat.bench.v1.Bench/Feed", plain...)
	return caller{func(ctx context.Context, in *bench.Order) (*bench.Order, error) {
		out, err := place.CallUnary(ctx, connect.NewRequest(in))
		if err != nil {
			return nil, err
		}
		return out.Msg, nil
	}, func(ctx context.Context, in *bench.Amount) (n int, err error) {
		s, err := feed.CallServerStream(ctx, connect.NewRequest(in))
		if err != nil {
			return 0, err
		}
		defer s.Close()
		for s.Receive() {
			n++
		}
		return n, s.Err()
	}}, nil
}
