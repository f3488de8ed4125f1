// Package grpcengine carries gRPC by grpc-go, in place of connect-go over net/http: for
// services whose messages are small and many, and for those who need what grpc-go brings,
// such as channelz. Generated code, options, errors, interceptors and statistics are the
// same, and so are endpoints, retries, deadlines, credentials and certificates: grpc-go's
// own name resolution, balancing and retries are off.
//
//	conn, err := concordat.NewConn("dns:orders:9443", grpcengine.With(), concordat.WithTLS(…))
//	srv := concordat.NewServer(concordat.WithAddr(":8443"), grpcengine.Serve(":9443"), concordat.WithTLS(…))
//
// A server keeps answering REST, gRPC, gRPC-Web and Connect at its own address; grpc-go
// serves gRPC alone at another, since it has HTTP/2 of its own, which cannot share a port
// with net/http's. Whatever the address, handlers are the same.
//
// [Registrar] is for services that were written for grpc-go, whichever engine serves them.
//
// It imports runtime, runtime/auth, runtime/codec/protobuf, runtime/policy/deadline, runtime/stub/rpc, grpc-go and protobuf-go.
package grpcengine
