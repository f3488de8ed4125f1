package main

import (
	"context"
	"fmt"
	"iter"
	"net"
	"os"
	"strconv"
	"sync"

	v1 "github.com/concordat-dev/concordat/internal/conformance/gen/connectrpc/conformance/v1"
	concordat "github.com/concordat-dev/concordat/runtime"
	grpcengine "github.com/concordat-dev/concordat/runtime/engine/grpc"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// conns are connections by what they differ in.
type conns struct{ all sync.Map }

// engineVariable is the environment's word for the second engine.
const engineVariable = "CONCORDAT_GRPC_ENGINE"

// A kind is what connections differ in.
type kind struct {
	addr            string
	http            v1.HTTPVersion
	protocol        v1.Protocol
	codec           v1.Codec
	compression     v1.Compression
	get             bool
	limit           uint32
	root, cert, key string
}

func kindOf(asked *v1.ClientCompatRequest) kind {
	return kind{
		addr: net.JoinHostPort(asked.GetHost(), strconv.Itoa(int(asked.GetPort()))),
		http: asked.GetHttpVersion(), protocol: asked.GetProtocol(), codec: asked.GetCodec(), compression: asked.GetCompression(),
		get: asked.GetUseGetHttpMethod(), limit: asked.GetMessageReceiveLimit(),
		root: string(asked.GetServerTlsCert()), cert: string(asked.GetClientTlsCreds().GetCert()), key: string(asked.GetClientTlsCreds().GetKey()),
	}
}

// get returns a connection of the kind.
func (c *conns) get(k kind) (*concordat.Conn, error) {
	if have, ok := c.all.Load(k); ok {
		return have.(*concordat.Conn), nil
	}
	made, err := k.connect()
	if err != nil {
		return nil, err
	}
	have, _ := c.all.LoadOrStore(k, made)
	return have.(*concordat.Conn), nil
}

func (k kind) connect() (*concordat.Conn, error) {
	speak, err := k.speak()
	if err != nil {
		return nil, err
	}
	target, opts := "http://"+k.addr, []concordat.ConnOption{concordat.WithInterceptors(speak, beside), concordat.WithTimeout(0)}
	switch k.http {
	case v1.HTTPVersion_HTTP_VERSION_1:
		opts = append(opts, concordat.WithHTTP(concordat.HTTP1))
	case v1.HTTPVersion_HTTP_VERSION_2:
		opts = append(opts, concordat.WithHTTP(concordat.HTTP2))
	default:
		return nil, fmt.Errorf("%v is not spoken here", k.http)
	}
	if k.limit > 0 {
		opts = append(opts, concordat.WithMaxBody(int64(k.limit)))
	}
	if k.root != "" {
		target = "https://" + k.addr
		config := tlsconf.RootsPEM([]byte(k.root))
		if k.cert != "" {
			config = tlsconf.MutualPEM([]byte(k.cert), []byte(k.key), []byte(k.root))
		}
		opts = append(opts, concordat.WithTLS(config))
	}
	if os.Getenv(engineVariable) != "" {
		opts = append(opts, grpcengine.With())
	}
	return concordat.NewConn(target, opts...)
}

// speak is how the connection's calls speak.
func (k kind) speak() (concordat.Interceptor, error) {
	var how []rpc.Manner
	switch k.codec {
	case v1.Codec_CODEC_PROTO:
	case v1.Codec_CODEC_JSON:
		how = append(how, rpc.JSON())
	default:
		return nil, fmt.Errorf("%v is not spoken here", k.codec)
	}
	switch k.compression {
	case v1.Compression_COMPRESSION_IDENTITY, v1.Compression_COMPRESSION_UNSPECIFIED:
	case v1.Compression_COMPRESSION_GZIP:
		how = append(how, rpc.GzipAll())
	default:
		return nil, fmt.Errorf("%v is not spoken here", k.compression)
	}
	if k.get {
		how = append(how, rpc.Get())
	}
	switch k.protocol {
	case v1.Protocol_PROTOCOL_CONNECT:
		return rpc.Speak(rpc.Connect, how...), nil
	case v1.Protocol_PROTOCOL_GRPC:
		return rpc.Speak(rpc.GRPC, how...), nil
	case v1.Protocol_PROTOCOL_GRPC_WEB:
		return rpc.Speak(rpc.GRPCWeb, how...), nil
	}
	return nil, fmt.Errorf("%v is not spoken here", k.protocol)
}

// Sides are the headers of a call, both ways.
type sides struct{ sent, received, trailers concordat.Meta }

type sidesKey struct{}

// beside sends what the call's sides hold, and notes what came back.
func beside(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
	s := ctx.Value(sidesKey{}).(*sides)
	for k, all := range s.sent {
		for _, v := range all {
			if call.Meta == nil {
				call.Meta = concordat.Meta{}
			}
			call.Meta.Add(k, v)
		}
	}
	out, err := next(ctx, in)
	s.note(call)
	switch seq := out.(type) {
	case iter.Seq2[*v1.ServerStreamResponse, error]:
		return noting(seq, s, call), err
	case iter.Seq2[*v1.BidiStreamResponse, error]:
		return noting(seq, s, call), err
	}
	return out, err
}

func (s *sides) note(call *concordat.Call) {
	s.received, s.trailers = call.ReplyMeta, call.ReplyTrailer
}

// noting is seq, and notes what came with each message and at the end.
func noting[M any](seq iter.Seq2[*M, error], s *sides, call *concordat.Call) iter.Seq2[*M, error] {
	return func(yield func(*M, error) bool) {
		for m, err := range seq {
			s.note(call)
			if !yield(m, err) {
				return
			}
		}
		s.note(call)
	}
}
