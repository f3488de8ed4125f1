// Package runtime is what a program sees of Concordat: connections, servers,
// interceptors and errors. Import it as concordat:
//
//	import concordat "github.com/concordat-dev/concordat/runtime"
//
// A [Conn] reaches a service, a [Server] is one; generated code ties both to the types
// of a contract. Everything that operations have in common happens here, in one order
// for every kind of operation:
//
//	deadline → statistics → interceptors → retry under a budget → pick an endpoint
//	→ per-attempt deadline → transport
//
// Package runtime/policy says why in that order, and where the defaults come from.
//
// It imports runtime/auth, runtime/policy/..., runtime/discovery/..., runtime/tlsconf, runtime/broker,
// runtime/codec, runtime/internal/... and the standard library, so that a service links
// neither Protobuf nor a broker's SDK unless it uses them.
package runtime
