package contract

// A Schema is *Scalar, *List, *Map, *Object, *Enum, *Union, *Ref or *Any.
type Schema interface{ schema() }

// A Type is a schema with a name of its own.
type Type struct {
	Name   string // as the source spells it
	Doc    Doc
	Schema Schema
	GoType string // x-go-type: the Go type that the author wants, "example.com/money.Amount"
	XML    *XML   // how values of the type look as XML; nil where the contract says nothing
	Span   Span
}

// A Ref stands for a named type. It is the only edge that may close a cycle.
type Ref struct{ Type *Type }

// A Scalar is a single value.
type Scalar struct {
	Kind   ScalarKind
	Format string  // as written, kept where Kind cannot carry it: "email", "hostname"
	Const  *string // the one value allowed, as JSON
	Rules  Rules

	// Content is the schema of the JSON that the text holds (contentSchema); nil where the
	// contract says nothing of it.
	Content Schema
}

// ScalarKind is what a Scalar holds.
type ScalarKind uint8

// The scalar kinds. Integer and Number carry no width: an Integer fits 64 bits unless
// its rules say more, a Number is a float64. Decimal and BigInt are exact.
const (
	String ScalarKind = iota + 1
	Bool
	Int32
	Int64
	Uint32
	Uint64
	Integer
	Float32
	Float64
	Number
	Decimal
	Bytes    // base64 text in JSON
	Binary   // raw bytes, outside JSON
	DateTime // RFC 3339
	Date     // RFC 3339 full-date
	Time     // RFC 3339 full-time
	Duration // RFC 3339 appendix A, ISO 8601
	UUID     // RFC 9562
	URI      // RFC 3986
	IP       // IPv4 or IPv6 text
	Null     // only null
)

// A List is an ordered collection. Prefix holds the schemas of leading positions; Elem
// is nil where no further elements are allowed.
type List struct {
	Elem     Schema
	Prefix   []Schema
	Rules    Rules
	NullElem bool // elements may be null

	// PrefixNames are what the source calls the positions; NullPrefix says which may be
	// null. Both are as long as Prefix, or nil.
	PrefixNames []string
	NullPrefix  []bool
	ElemXML     *XML // how elements look as XML; nil where the contract says nothing
}

// A Map has keys that the contract does not name.
type Map struct {
	Key   Schema // nil: any string
	Value Schema
	Rules Rules

	NullValue bool // values may be null
}

// An Object has named fields.
type Object struct {
	Fields  []*Field   // in source order
	Extra   Schema     // of properties that Fields does not name; nil where there is no schema for them
	Closed  bool       // other properties are refused
	Pattern []*Pattern // of properties by the form of their name
	Rules   Rules      // MinLen and MaxLen count properties

	NullExtra bool // the properties of Extra may be null
}

// A Pattern gives a schema to the properties whose name matches Regexp.
type Pattern struct {
	Regexp string
	Schema Schema
	Null   bool // they may be null
	Span   Span
}

// A Field is a named part of an Object, a header, or the value of a Param.
type Field struct {
	Name      string
	Doc       Doc
	Schema    Schema
	Required  bool
	Nullable  bool
	ReadOnly  bool
	WriteOnly bool
	Default   *string // as JSON
	XML       *XML    // as XML; nil where the contract says nothing
	GoName    string  // x-go-name: what the author calls it in Go; "" for a name made of Name
	Number    int     // Protobuf only
	OneOf     string  // Protobuf only: the oneof that the field belongs to
	Span      Span
}

// An Enum is a closed or open set of values.
type Enum struct {
	Base     ScalarKind // String, Integer, Number, Bool
	Values   []EnumValue
	Open     bool // readers must accept others (x-extensible-enum, proto3)
	Nullable bool // null is one of the values
	Also     *Assertion
}

// An EnumValue is one member.
type EnumValue struct {
	Name string // where the source gives one: x-enum-varnames, Protobuf; else ""
	JSON string // the value as JSON text: `"paid"`, `3`
	Doc  Doc
	Span Span
}

// A Union is one of several schemas.
type Union struct {
	Tag      string // the property that tells variants apart; "": the first that fits
	Variants []*Variant
	Also     *Assertion
	Span     Span
}

// A Variant is one alternative of a Union.
type Variant struct {
	Name   string   // where the source gives one
	Tags   []string // values of the discriminator that select it
	Schema Schema
	Span   Span
}

// Any is a value of any shape. Reason says why it has none, where the contract gave one
// that the model cannot hold: then a diagnostic was raised, too.
type Any struct {
	Reason string
	Const  *string // the one value allowed, a list or an object, as JSON
	Also   *Assertion
}

// An Assertion is what a contract says of a value that the model has no place for, to be
// checked of its JSON: not, if and then, dependencies, contains, names of properties.
type Assertion struct {
	Schema string // JSON Schema 2020-12 that refers to nothing but its own $defs; patterns are RE2's
	Span   Span
}

// Rules are what a validator checks; the zero Rules check nothing. Numbers are decimal
// text, so that none loses a digit.
type Rules struct {
	Min, Max, MultipleOf       string // decimal; "" means none
	ExclusiveMin, ExclusiveMax bool
	MinLen, MaxLen             *int   // code points of a string, items of a list, entries of a map
	Pattern                    string // ECMA-262 regular expression that RE2 compiles, too
	Unique                     bool
	CEL                        []CEL      // protovalidate
	Also                       *Assertion // nil: nothing more
}

// A CEL is a rule in the Common Expression Language.
type CEL struct{ ID, Message, Expr string }

// IsZero says whether there is nothing to check.
func (r *Rules) IsZero() bool {
	return r.Min == "" && r.Max == "" && r.MultipleOf == "" && r.MinLen == nil && r.MaxLen == nil &&
		r.Pattern == "" && !r.Unique && len(r.CEL) == 0 && r.Also == nil
}

func (*HTTP) wire()    {}
func (*GRPC) wire()    {}
func (*Channel) wire() {}

func (*Scalar) schema() {}
func (*List) schema()   {}
func (*Map) schema()    {}
func (*Object) schema() {}
func (*Enum) schema()   {}
func (*Union) schema()  {}
func (*Ref) schema()    {}
func (*Any) schema()    {}

// Resolve follows references until it meets a schema that is none. It returns nil for a
// reference that leads only to itself.
func Resolve(s Schema) Schema {
	for range 100 {
		r, ok := s.(*Ref)
		if !ok {
			return s
		}
		s = r.Type.Schema
	}
	return nil
}
