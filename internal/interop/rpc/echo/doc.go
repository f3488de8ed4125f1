// Package echo is generated from echo.proto, which clients and servers of other makes
// speak, too.
//
// It imports runtime, runtime/stub, runtime/stub/rpc and protobuf-go.
package echo
