// Package rpc tries gRPC, gRPC-Web and Connect with clients and servers of other makes:
// those of Node, Python and Go, buf, grpcurl and grpc-health-probe. All is in its tests;
// make interop-rpc installs what they need.
//
// It imports nothing.
package rpc
