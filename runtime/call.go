package runtime

import (
	"context"
	"net/http"

	"github.com/concordat-dev/concordat/runtime/auth"
)

// A Spec is what the contract says of one operation. Generated code holds one for each
// operation, and its address identifies the operation: do not copy it.
type Spec struct {
	Name       string // "users.Users/GetCustomer"
	Kind       Kind
	Route      string // "GET /customers/{id}", "/acme.orders.v1.Orders/Place", "customers/{id}/activity"
	Idempotent bool   // safe to repeat: what retries go by
	// Safe says that calls change nothing (idempotency_level NO_SIDE_EFFECTS), so that
	// Connect may make them by GET.
	Safe bool

	Security auth.Requirements // who may call; none: everybody, or whom WithRPCSecurity says
}

// A Kind says how many messages flow which way.
type Kind uint8

// The kinds of operations.
const (
	Unary        Kind = iota // one request, one reply
	ServerStream             // one request, many replies
	ClientStream             // many requests, one reply
	Bidi                     // many of both, independently
	Send                     // the contract's application sends the message
	Receive                  // the contract's application receives the message
	Request                  // a message that is answered by a message
)

var kindNames = [...]string{"unary", "server stream", "client stream", "bidi stream", "send", "receive", "request"}

// String returns the name in lower case: "server stream".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown kind"
}

// Streams reports whether more than one message flows in some direction.
func (k Kind) Streams() bool { return k == ServerStream || k == ClientStream || k == Bidi }

// A Side says from where a call is seen.
type Side uint8

// The sides.
const (
	Outgoing Side = iota // client, publisher
	Incoming             // server, subscriber
)

// String returns "client" or "server", as the labels of statistics have it.
func (s Side) String() string {
	if s == Incoming {
		return "server"
	}
	return "client"
}

// Meta is what travels beside a message: HTTP headers, gRPC metadata, message headers.
// Keys are canonical, as http.Header keeps them.
type Meta = http.Header

// A Call is one invocation, seen from either side. It belongs to the call: nobody keeps
// it, and only its interceptors, its handler (see [CallOf]) and its stub write to it, one
// after the other.
type Call struct {
	*Spec
	Side Side
	Meta Meta   // nil when there is none; outgoing: written before next is called
	Peer string // the other side's address; outgoing: known once the call was sent

	// ReplyMeta is what travels beside the reply: headers, also those of an answer by a
	// message. Outgoing: what the last attempt brought, a failure included, known when
	// next has returned, and of streams with their first message. Incoming: what handler
	// and interceptors want to be sent, before the first message of a stream is; see
	// SetReply. What the contract declares, and what the protocol needs, wins over it.
	ReplyMeta Meta
	// ReplyTrailer is what follows the last message in gRPC and its kin, which alone
	// have it. A failure of a unary call brings it with ReplyMeta.
	ReplyTrailer Meta

	// Raw writes the reply of a REST operation in place of the stub; see [Call.ReplyWith].
	Raw func(w http.ResponseWriter, r *http.Request)

	scope   scope
	counted counted
	// end is there when Stream was called, so the call ends when its stream does.
	end func(error)
}

// SetMeta sets one entry of Meta, which it makes when there is none.
func (c *Call) SetMeta(key, value string) {
	put(&c.Meta, key, value)
}

// SetReply sets one entry of ReplyMeta, which it makes when there is none. It does
// nothing to no call at all, so that a handler can be tested without one.
func (c *Call) SetReply(key, value string) {
	if c != nil {
		put(&c.ReplyMeta, key, value)
	}
}

// SetReplyTrailer is SetReply for ReplyTrailer.
func (c *Call) SetReplyTrailer(key, value string) {
	if c != nil {
		put(&c.ReplyTrailer, key, value)
	}
}

func put(m *Meta, key, value string) {
	if *m == nil {
		*m = make(Meta, 2)
	}
	m.Set(key, value)
}

// Stream says that the call goes on after its last Next has returned, as a stream does
// that is opened and read by whoever ranges over it. The call counts as in flight until
// end is called, with the error that ended the stream or nil. Stubs call it, programs
// need not; end may be called more than once, and only the first counts.
func (c *Call) Stream() (end func(error)) {
	if c.end == nil {
		c.end = c.counted.once()
	}
	return c.end
}

// Next runs the rest of a call. in and out are what the contract's operation takes and
// gives: pointers to its Go types, or for the streaming sides iter.Seq2[*T, error].
type Next func(ctx context.Context, in any) (out any, err error)

// An Interceptor surrounds every call, stream and message on either side. It sees typed
// values, may change ctx, in, out and call.Meta, may answer without calling next, and
// may call next more than once only for operations that are idempotent. The first one
// given is the outermost.
type Interceptor func(ctx context.Context, call *Call, in any, next Next) (out any, err error)

// run calls last within the interceptors. It allocates once per interceptor, and not at
// all without any.
func run(ctx context.Context, all []Interceptor, call *Call, in any, last Next) (any, error) {
	if len(all) == 0 {
		return last(ctx, in)
	}
	rest := all[1:]
	return all[0](ctx, call, in, func(ctx context.Context, in any) (any, error) {
		return run(ctx, rest, call, in, last)
	})
}
