// Package healthpb holds the messages of gRPC's health service, generated from
// health.proto. The service itself is in package rpc, under gRPC's name.
//
// It imports protobuf-go.
package healthpb
