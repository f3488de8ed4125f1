// Package contract is the one model that every parser fills and everything behind the
// parsers reads. It says what an API promises and nothing of Go: no identifiers, no
// files, and no third-party types. A Contract does not change once a parser has
// returned it.
//
// It imports only the standard library.
package contract

// A Contract is one document of promises, with everything that it refers to.
type Contract struct {
	Name     string // stem of the contract, as the source spells it: "users", "retail.orders.v1"
	Title    string // for people; may be empty
	Version  string // of the contract, as written
	Format   Format
	Source   string // the file that was asked for, as it was given
	Doc      Doc
	Servers  []*Server
	Services []*Service
	Types    []*Type // named types, in source order
	Security []*Scheme

	// Descriptors is the serialized google.protobuf.FileDescriptorSet of a Protobuf
	// contract, imports included, in topological order; nil for the other formats.
	Descriptors []byte
	Files       []string // Protobuf only: the files that were asked for, of those in Descriptors
	Span        Span
}

// Format is the language that a contract was written in.
type Format uint8

// The formats.
const (
	Protobuf Format = iota + 1
	OpenAPI
	AsyncAPI
)

// A Span is where something was written. Lines and columns count from 1, columns in
// bytes; the end is exclusive. The zero Span is "nowhere".
type Span struct {
	File                       string
	Line, Col, EndLine, EndCol int

	// Path is the stable name of the thing, which a review compares across versions:
	// "#/paths/~1pets/get" in a document, "acme.v1.Pets.Get" in Protobuf.
	Path string
}

// Doc is prose as written. Deprecated holds the reason, or a single "deprecated" where
// none is given; it is empty while the thing is in use.
type Doc struct{ Summary, Detail, Deprecated string }

// A Server is where a contract says that it is served. URL may hold {variables}.
type Server struct {
	Name     string
	URL      string
	Protocol string // "https", "mqtt", "nats", ...
	Doc      Doc
	Vars     []*Variable
	Bindings []*Binding
	Span     Span
}

// A Variable is a part of a server's URL that is filled in at run time.
type Variable struct {
	Name, Default string
	Enum          []string
	Doc           Doc
	Span          Span
}

// A Service is a group of operations that one program implements.
type Service struct {
	Name       string // "Users"; for Protobuf the full name, "retail.orders.v1.Orders"
	Role       string // "", or "webhooks" or "callbacks": what the contract's owner sends to others
	Doc        Doc
	Operations []*Operation
	Span       Span
}

// An Operation is one thing that can be asked, sent or received.
type Operation struct {
	Name       string // rpc name, operationId or operation key; made from method and path where absent
	Doc        Doc
	Tags       []string
	Kind       Kind
	Idempotent bool       // safe to repeat: by method (RFC 9110 section 9.2.2), idempotency_level or extension
	Incoming   bool       // of a Request: the contract's application receives and answers it, where it otherwise sends
	In         *Message   // nil: nothing travels that way
	Out        []*Success // empty: nothing comes back
	Failures   []*Failure
	Security   [][]Requirement // any of (all of); an empty inner list allows anonymous calls
	Wire       Wire
	Callbacks  []*Callback
	Pages      *Pages // nil: the operation is not known to give its results in pages
	Span       Span
}

// Kind is the shape of an exchange.
type Kind uint8

// The kinds. Request sends a message and waits for one reply on another address.
const (
	Unary Kind = iota + 1
	ServerStream
	ClientStream
	Bidi
	Send
	Receive
	Request
)

// A Message is a body and what travels beside it.
type Message struct {
	Name        string // "CustomerActivity"; may be empty
	Doc         Doc
	Bodies      []*Body   // alternatives by media type, preferred first; empty: no body
	Headers     []*Field  // of a channel's message; the headers of an HTTP request are Params
	Key         *Location // what orders messages or picks their partition
	Correlation *Location
	Cloud       *CloudEvent // nil: it is no CloudEvent, or its schema describes the whole of one

	// OneOf holds the alternatives where an operation carries one of several messages.
	// Then Bodies has one Body whose Schema is their Union.
	OneOf []*Message
	Span  Span
}

// A Body is one representation of a message.
type Body struct {
	Media    string // "application/json"; "" for Protobuf
	Schema   Schema // nil: opaque bytes
	Required bool
	Nullable bool        // the body may be the JSON text null
	Encoding []*Encoding // of a form's fields
	XML      *XML        // of an inline schema; nil where the contract says nothing

	// Item is the schema of one item where the body is a sequence of them: server-sent
	// events, JSON lines and their like; nil where it is none. Schema stays what the
	// contract says of the whole. Events is set where Item describes whole server-sent
	// events, with their fields data, event, id and retry, and not their data alone.
	Item   Schema
	Events bool
	End    string // data of the event that ends a stream: "[DONE]"; "" for none
	Coding *Coding
	Span   Span
}

// A CloudEvent says that a message is an event of CloudEvents 1.0 whose Bodies describe the
// data alone.
type CloudEvent struct {
	Structured   bool   // attributes and data are one JSON text; else attributes are headers
	Type, Source string // of all such events; "" where the contract does not say
}

// A Coding says that a body is written by a schema language of its own, whatever its media
// type is called; nil where the media type says all.
type Coding struct {
	Language string // "avro" or "protobuf"
	Schema   string // Avro: the schema in JSON, references followed and names full
	Message  string // Protobuf: the full name of the message, in the contract's Descriptors
	Framed   bool   // Avro: the number of the schema in a registry stands before the value
	SchemaID uint32 // of Framed: what is written; 0 where the contract does not say
}

// An Encoding says how one field of a form or multipart body travels.
type Encoding struct {
	Field, Media, Style string
	Explode             bool
	Headers             []*Field
}

// A Location points into a message: "header" or "payload" and a JSON pointer.
type Location struct {
	In, Pointer string
	Span        Span
}

// A Success is one way in which an operation succeeds. Status is "" where the wire has
// none (Protobuf, messages).
type Success struct {
	Status string // "200", "2XX", "default"
	Doc    Doc
	Body   *Message // nil: no body; Headers of a response are Message.Headers
	Links  []*Link
	Span   Span
}

// A Failure is one way in which an operation fails.
type Failure struct {
	Status string // "404", "4XX", "default"
	Doc    Doc
	Body   *Message
	Span   Span
}

// Wire is how an operation touches its wire: *HTTP, *GRPC or *Channel.
type Wire interface{ wire() }

// HTTP is a request of RFC 9110.
type HTTP struct {
	Method  string // upper case
	Path    string // keeps its {parameters}
	Params  []*Param
	Servers []*Server // of this operation alone, where it names some
}

// GRPC is a method called by gRPC, gRPC-Web or Connect.
type GRPC struct {
	Method  string // "/acme.pets.v1.Pets/Get"
	In, Out string // full names of the messages
	Safe    bool   // idempotency_level NO_SIDE_EFFECTS: Connect may call it by GET

	Routes []*Route // REST beside gRPC, of option google.api.http

	// Checked says that In, or a message that it can hold, has rules of protovalidate.
	Checked bool
}

// A Route is a google.api.HttpRule, or one of its additional_bindings: how REST calls a
// method of Protobuf.
type Route struct {
	Method string // upper case; "*" for every method
	Path   string // "/v1/{name=shelves/*/books/*}:archive"
	Body   string // "*", the field of In that is the body, or ""
	Reply  string // the field of Out that is the body of the reply, or "" for all of it
	Span   Span
}

// Channel is an address of a broker.
type Channel struct {
	Name     string // key of the channel in its document
	Address  string // keeps its {parameters}; "" where it is known only at run time
	Params   []*Param
	Reply    *Reply
	Servers  []*Server  // on which the channel exists; empty: all
	Bindings []*Binding // of the channel and its operation, by protocol
	Span     Span
}

// A Reply is where the answer to a Request arrives.
type Reply struct {
	Channel *Channel  // nil where Address alone says it
	Address *Location // where the request carries the address of its reply
	Message *Message
}

// A Binding is what a contract says for one protocol alone: exchange, queue, QoS, group.
// Values keep dotted keys, "exchange.type", and are text as written.
type Binding struct {
	Protocol string // "amqp", "mqtt", "nats", "kafka", ...
	On       string // "server", "channel", "operation" or "message"
	Values   []Value
	Span     Span
}

// A Value is one setting of a Binding.
type Value struct {
	Key, Text string
	Schema    Schema // where the setting is itself a schema, such as Kafka's message key
	Span      Span
}

// A Param is a value that travels outside the body.
type Param struct {
	Field
	In            string // "path", "query", "header", "cookie", "address"
	Style         string // "simple", "form", "label", "matrix", "spaceDelimited", "pipeDelimited", "deepObject"
	Explode       bool
	AllowReserved bool
	Media         string    // where content replaces style: "application/json"
	Location      *Location // AsyncAPI: where in the message the value is found
}

// A Scheme is a way to authenticate.
type Scheme struct {
	Name         string // key in its document
	Kind         string // "apiKey", "http", "oauth2", "openIdConnect", "mutualTLS", "userPassword", "X509", "plain", "scramSha256", ...
	In, Param    string // apiKey: "header", "query", "cookie", "user", "password"
	HTTP, Format string // http: "basic", "bearer", ...; the bearer's format
	DiscoveryURL string // openIdConnect
	Flows        []*Flow
	Doc          Doc
	Span         Span
}

// A Flow is one OAuth 2.0 grant (RFC 6749).
type Flow struct {
	Kind                                   string // "clientCredentials", "authorizationCode", "implicit", "password", "deviceAuthorization"
	AuthorizationURL, TokenURL, RefreshURL string
	Scopes                                 []string
}

// A Requirement names a scheme that a caller must satisfy.
type Requirement struct {
	Scheme *Scheme
	Scopes []string
}
