// Package testpb holds messages with everything that is awkward about Protobuf, which
// protoc-gen-go generated, for tests of the codec. `buf generate` in this folder makes
// them again.
//
// It imports google.golang.org/protobuf.
package testpb
