// Package golang is the Go that will be printed, as plain data. The generator fills it
// and has decided everything: names, types, imports by path, order, files. Templates
// print it and decide nothing; a template that wants to ask the contract something
// shows that a field is missing here.
//
// It imports nothing.
package golang

// A Package is one generated Go package and the package with its fakes.
type Package struct {
	Path, Name string   // import path and name: "example.com/shop/users", "users"
	Doc        []string // of the package clause
	Source     string   // of the header: "contracts/users.yaml"
	Version    string   // of the header: concordat's own
	Units      []*Unit
	FakePath   string // import path of the fakes: "example.com/shop/users/userstest"
	FakeName   string // "userstest"

	// Schemes and Security are printed in the first unit.
	Schemes  []*Scheme
	Security []*Security

	// Servers are printed in the first unit, too.
	Servers []*Server

	// Policies is printed in the first unit; nil: there are none.
	Policies *Policies

	// Names are the names of imported packages whose import path does not end in them:
	// "example.com/gen/orders/v1" is "ordersv1". Others need none.
	Names map[string]string
}

// A Unit is what one set of files holds: the whole of a small contract, or the part of a
// large one that belongs to a tag.
type Unit struct {
	Stem     string // of the file names: "users" gives users.concordat.go
	Source   string // of the header; "": the package's
	Services []*Service
	Types    []Decl     // in order of declaration
	Tables   []*Table   // in order of declaration
	XML      *XMLSchema // of the package, in one of its units; nil for none

	// Parts are the methods of large services that this unit prints for another.
	Parts []*Part
}

// A Part is some methods of a service that a unit of its own prints: the client's method
// and the Op. The interface, the client's type and Register stay in the service's unit.
type Part struct {
	Service *Service
	Methods []*Method // their Apart is true
}

// A Decl is a declared type: *Struct, *Named, *Enum or *Union.
type Decl interface{ decl() }

// A Ref is a Go type as it is written: Prefix, then Name of the package with import path
// Pkg ("" for the package itself and for what Go declares), then type arguments. A Ref
// with Func is a function type.
type Ref struct {
	Prefix    string // "*", "[]", "map[string]", "[]*", ...
	Pkg, Name string
	Args      []Ref
}

// A Service is a Go interface and those who implement it.
type Service struct {
	Name        string   // of the interface: "Users"
	Doc         []string // of the interface
	Wire        Wire
	Client      string // name of the client or publisher type: "Client", "Publisher"
	ClientDoc   []string
	New         string // its constructor: "NewClient"
	NewDoc      []string
	Register    string // the server's half: "Register", "Subscribe"
	RegisterDoc []string
	Methods     []*Method
	Fake        *Fake
	Links       []*Link
	Callbacks   []*Callback
}

// Wire is which family of stubs a service uses.
type Wire uint8

// The families.
const (
	REST Wire = iota + 1
	RPC
	Events
)

// A Method is one operation in Go.
type Method struct {
	Name string   // "GetCustomer"
	Var  string   // of its Op: "getCustomer"
	On   string   // field of the fake: "" is "On" and Name, which another method may be called
	Doc  []string // of the interface's method
	Sig  Shape
	In   Ref // without the pointer: GetCustomerRequest
	Out  Ref // without the pointer; zero where nothing comes back
	Op   *Op

	Pages *Pages // nil: the results come in one piece

	// Routes of a method of Protobuf are those that REST calls it by.
	Routes []Route
	// Checked says that what a method of Protobuf is asked is held to protovalidate's rules.
	Checked bool

	// Apart says that the client's method and the Op are printed by the unit whose Parts
	// name this method.
	Apart bool
}

// A Route is one of the routes of google.api.http.
type Route struct{ Method, Path, Body, Reply string }

// Shape is the signature of a method and the stubs that carry it.
type Shape uint8

// The shapes. Call, Exec and Publish differ in what they return; streams are
// iter.Seq2[*T, error].
const (
	Call         Shape = iota + 1 // (ctx, *In) (*Out, error)
	Exec                          // (ctx, *In) error
	ServerStream                  // (ctx, *In) iter.Seq2[*Out, error]
	ClientStream                  // (ctx, iter.Seq2[*In, error]) (*Out, error)
	Bidi                          // (ctx, iter.Seq2[*In, error]) iter.Seq2[*Out, error]
	Publish                       // (ctx, *In) error, a message
	Ask                           // (ctx, *In) (*Out, error), a message and its reply
)

// An Op is the description of one operation that its stub works from.
type Op struct {
	Name       string // "users.Users/GetCustomer"
	Kind       string // constant of the runtime: "Unary", "ServerStream", ...
	Route      string // "GET /customers/{customerId}", "/retail.orders.v1.Orders/GetOrder", "activity.{customerId}"
	Idempotent bool
	Security   string // variable of a Security; "" for none
	Safe       bool   // Protobuf: the method has no side effects
	Params     []*Param
	Bodies     []*Body
	Replies    []*Reply  // REST: successes and failures, in order of their status; Ask: the one reply
	Channel    []Setting // Events: what the contract says for single protocols
	Key        string    // Events: Go field of In that orders messages, "" for none
	DeadLetter string    // Events: address of messages that cannot be handled, "" for none
	Cloud      *Cloud    // of messages that are CloudEvents
	ReplyRoute string    // Ask: address of the replies that the contract names, "" where the asker chooses

	// BodyRequired says that one of several bodies must be there; where there is one field,
	// its own flag says it.
	BodyRequired bool

	// InMedia and OutMedia are the Go fields of In and Out that hold the media type of a
	// body that may have several (stub.Op's HasInMedia and InMediaOff); "" for none.
	InMedia, OutMedia string

	// Status is the Go field of Out that holds the status of the reply (stub.Op's
	// HasStatus and StatusOff); "" for none.
	Status string
}

// A Param is a field of In (or of a reply) that travels outside the body.
type Param struct {
	Place    string // constant of stub: "Path", "Query", "Header", "Cookie", "Address"
	Style    string // constant of stub: "" for the place's default
	Explode  bool
	Reserved bool
	Default  string // JSON; "" for none
	Field    *TableField
}

// A Body is a field of In that is the body in one media type.
type Body struct {
	Media string
	Field *TableField
	Form  []*FormField // multipart and urlencoded: how single fields travel
	XML   *XMLFormat   // of a value that is written as XML
	Avro  *AvroFormat  // of a value that is written by Avro
	Proto *ProtoValue  // of a message of Protobuf
	Items *Ref         // of a stream: the Go type of an item, without the pointer
}

// A FormField overrides how one field of a form travels.
type FormField struct {
	Name, Media string
	Style       string
	Explode     bool
}

// A Reply is one way in which an operation answers.
type Reply struct {
	Status  int // 200; 0 for "default"; 2 to 5 for "2XX" to "5XX"
	Failure bool
	Media   string      // "" where there is no body
	Body    *TableField // what the body is; its GoField is "" where the reply is Out itself or a failure's detail
	Headers []*Param
	XML     *XMLFormat  // of a value that is written as XML
	Avro    *AvroFormat // of a message that is written by Avro
	Proto   *ProtoValue // of a message of Protobuf
	Events  bool        // of a stream: items are whole server-sent events
	End     string      // of a stream: data that ends it; "" for none
	Items   *Ref        // of a stream that is a field of Out: the Go type of its items
}

// A Setting is one value that holds for one protocol.
type Setting struct{ Protocol, Key, Value string }

// A Scheme is a way to authenticate, as a variable: an auth.Scheme.
type Scheme struct {
	Var                                                 string
	Doc                                                 []string
	Name, Kind, In, Param, HTTP, TokenURL, DiscoveryURL string
}

// A Security is what an operation needs of its caller, as a variable: any of all of these.
type Security struct {
	Var string
	Any [][]Requirement
}

// A Requirement is a scheme, by its variable, with scopes.
type Requirement struct {
	Scheme string
	Pkg    string // import path of the package that declares the scheme; "" for this one
	Scopes []string
}

// A Fake is a struct whose fields implement a service.
type Fake struct {
	Name string
	Doc  []string
}

// A Struct is a struct type.
type Struct struct {
	Name    string
	Doc     []string
	Fields  []*Field
	Markers []string // unexported methods that make it a variant: "isPayment"
}

// A Field is a field of a struct.
type Field struct {
	Name    string
	Doc     []string // above it
	Type    Ref
	Tag     string // without back quotes: `json:"id"`
	Comment string // behind it: "1 to 100 characters"
}

// A Named is a type that is defined by another: type Tags []string.
type Named struct {
	Name    string
	Doc     []string
	Type    Ref
	Alias   bool
	Markers []string
}

// An Enum is a named scalar with constants.
type Enum struct {
	Name    string
	Doc     []string
	Type    Ref
	Values  []*EnumValue
	Markers []string
}

// An EnumValue is one constant. Value is Go source.
type EnumValue struct {
	Name  string
	Doc   []string
	Value string
}

// A Union is an interface with one implementation per variant.
type Union struct {
	Name     string
	Doc      []string
	Marker   string // "isPayment"
	Variants []Ref  // without the pointer
}

func (*Struct) decl() {}
func (*Named) decl()  {}
func (*Enum) decl()   {}
func (*Union) decl()  {}

// A Table is a codec.Type. With Var it is declared; without, it is written where it is
// used.
type Table struct {
	Var      string // "customerTable"
	Kind     string // constant of codec: "Object"
	Of       *Ref   // the Go type; nil where the codec never allocates it
	Methods  bool   // Of gets ConcordatTable, MarshalJSON and UnmarshalJSON
	Fields   []*TableField
	Required int
	Extra    *Table
	ExtraOf  string       // Go field that holds the extra properties
	More     []*TableMore // Object: maps of properties whose names have a form
	Names    *Rule        // Map: the form of the names that it takes
	Closed   bool
	Rules    *Rule
	Enum     []string
	EnumInt  []int64
	Open     bool
	Const    string
	Elem     *Table
	// ElemFlags are of Elem: "Null" and "Ptr" where elements are *T, "Null" where nil says it.
	ElemFlags []string
	MapOf     *Ref // Map: the Go type of its values
	Union     *TableUnion
	Lazy      *Ref   // Kind "Lazy": the type that knows its table
	Std       string // a table that codec declares: "StringTable"; nothing else is set then
	Defaults  []TableDefault
	Use       string // a declared table, by its variable; nothing but Pkg is set then
	Pkg       string // import path of the package that declares Use; "" for this one

	// Doc is the comment of a variable that other packages use, too.
	Doc []string
}

// A TableField is a codec.Field, or the codec half of a parameter.
type TableField struct {
	Name    string // on the wire
	Kind    string
	Owner   string // Go struct that holds it
	GoField string // "" for a constant
	Table   *Table // nil for kinds that say everything
	Rules   *Rule
	// Position says that the field is an item of a list, which has no name.
	Position bool
	Flags    []string // constants of codec: "Req", "Null", "Maybe", "Ptr", "ReadOnly", "WriteOnly"
}

// A TableDefault is a codec.Default: what one of Fields is that was absent, as JSON.
type TableDefault struct {
	Field int
	JSON  string
}

// A TableMore is a codec.More: a map and the Go field that holds it.
type TableMore struct {
	Table   *Table
	GoField string
}

// A TableUnion is a codec.UnionType.
type TableUnion struct {
	Of       Ref // the interface
	Tag      string
	Variants []*TableVariant
}

// A TableVariant is a codec.Variant.
type TableVariant struct {
	Of    Ref // without the pointer
	Tags  []string
	Table *Table
}

// A Rule is a codec.Rule. Numbers are Go source, so that none loses a digit; "" is none.
type Rule struct {
	MinLen, MaxLen             string
	Min, Max, Multiple         string
	FMin, FMax, FMultiple      string
	FMinExcl, FMaxExcl, Unique bool
	Pattern, Const, Format     string
	Also                       string // text of a codec.Schema
}
