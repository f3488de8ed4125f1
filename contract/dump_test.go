package contract

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// TestDump holds one of everything against its golden.
func TestDump(t *testing.T) {
	var b bytes.Buffer
	if err := Dump(&b, everything()); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "dump.golden")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("dump differs from %s (run with -update to see how):\n%s", golden, got)
	}
}

// TestDumpEmpty shows that a contract of nothing is one line and no panic.
func TestDumpEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := Dump(&b, &Contract{}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != "contract\n" {
		t.Errorf("got %q", got)
	}
}

// TestDumpReturnsTheWritersError shows that a full disk is not silent.
func TestDumpReturnsTheWritersError(t *testing.T) {
	full := errors.New("full")
	if err := Dump(failing{full}, &Contract{}); !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func at(line int, path string) Span {
	return Span{File: "shop.yaml", Line: line, Col: 3, EndLine: line, EndCol: 9, Path: path}
}

// everything returns a contract that holds every kind of line that Dump prints.
func everything() *Contract {
	item := &Type{Name: "Item", Span: at(60, "#/components/schemas/Item"), GoType: "example.com/shop.Item", Doc: Doc{Summary: "What is \"sold\""}}
	item.Schema = &Object{Closed: true, Rules: Rules{MinLen: new(1)}, Fields: []*Field{
		{Name: "id", Required: true, ReadOnly: true, Number: 1, Schema: &Scalar{Kind: UUID}, Span: at(61, "#/components/schemas/Item/properties/id")},
		{Name: "price", Nullable: true, Default: new("0"), Schema: &Scalar{Kind: Decimal, Rules: Rules{Min: "0", Max: "10", ExclusiveMax: true, MultipleOf: "0.01"}}},
		{Name: "parts", Schema: &List{Elem: &Ref{item}, Rules: Rules{MaxLen: new(9), Unique: true}}},
		{Name: "pair", Schema: &List{Prefix: []Schema{&Scalar{Kind: String}, &Scalar{Kind: Bool}}}},
		{Name: "holes", Schema: &Map{Value: &List{Elem: &Scalar{Kind: Int32}, NullElem: true}, NullValue: true}},
		{Name: "row", Schema: &List{Prefix: []Schema{&Scalar{Kind: String}}, Elem: &Scalar{Kind: Bool}}},
		{Name: "state", WriteOnly: true, Schema: &Enum{Base: String, Open: true, Nullable: true, Values: []EnumValue{
			{Name: "New", JSON: `"new"`, Doc: Doc{Summary: "Not yet sold"}}, {JSON: `"sold"`}}}},
		{Name: "mail address", Schema: &Scalar{Kind: String, Format: "email", Rules: Rules{Pattern: "^.+@", CEL: []CEL{{Expr: "this != ''"}}}}},
		{Name: "kind", Schema: &Scalar{Kind: String, Const: new(`"item"`)}},
		{Name: "labels", Schema: &Map{Value: &Object{Fields: []*Field{{Name: "text", Schema: &Scalar{Kind: String}}}}}},
		{Name: "either", Schema: &Union{Tag: "kind", Variants: []*Variant{
			{Name: "item", Tags: []string{"item"}, Schema: &Ref{item}},
			{Schema: &Object{Extra: &Scalar{Kind: Integer}, NullExtra: true, Pattern: []*Pattern{{Regexp: "^x-", Schema: &Any{}}}}}}}},
		{Name: "free", Schema: &Any{Reason: "not expressible"}, Doc: Doc{Deprecated: "use labels"}},
	}}
	key := &Scheme{Name: "key", Kind: "apiKey", In: "header", Param: "X-Key", Span: at(50, "#/components/securitySchemes/key")}
	login := &Scheme{Name: "login", Kind: "oauth2", Flows: []*Flow{{Kind: "clientCredentials", TokenURL: "https://a.example/token", Scopes: []string{"read", "write"}}}}
	server := &Server{Name: "main", URL: "https://{region}.shop.example", Protocol: "https", Span: at(5, "#/servers/0"),
		Vars:     []*Variable{{Name: "region", Default: "eu", Enum: []string{"eu", "us"}, Span: at(6, "")}},
		Bindings: []*Binding{{Protocol: "mqtt", On: "server", Values: []Value{{Key: "lastWill.qos", Text: "2"}}}}}
	body := &Message{Name: "Item", Doc: Doc{Summary: "One item"}, Span: at(31, "#/x"), Key: &Location{In: "payload", Pointer: "/id"},
		Bodies: []*Body{{Media: "application/json", Required: true, Nullable: true, Schema: &Ref{item}, Span: at(32, "")},
			{Media: "multipart/form-data", Schema: &Object{}, Encoding: []*Encoding{{Field: "f", Media: "image/png", Style: "form", Explode: true}}}},
		Headers: []*Field{{Name: "trace", Schema: &Scalar{Kind: String}}}}
	get := &Operation{Name: "getItem", Kind: Unary, Idempotent: true, Tags: []string{"items"}, Span: at(10, "#/paths/~1items~1{id}/get"),
		Doc:      Doc{Summary: "One item", Detail: "Long.\nProse.", Deprecated: "deprecated"},
		Security: [][]Requirement{{{Scheme: key}, {Scheme: login, Scopes: []string{"read"}}}, {}},
		Wire: &HTTP{Method: "GET", Path: "/items/{id}", Params: []*Param{{In: "path", Style: "simple", Explode: true, AllowReserved: true,
			Field: Field{Name: "id", Required: true, Schema: &Scalar{Kind: UUID}, Span: at(12, "")}}}},
		In:       body,
		Out:      []*Success{{Status: "200", Body: body, Span: at(14, "")}, {Status: "204"}},
		Failures: []*Failure{{Status: "404", Doc: Doc{Summary: "None such"}, Span: at(16, "")}}}
	rpc := &Operation{Name: "Get", Kind: ServerStream, Wire: &GRPC{Method: "/shop.v1.Items/Get", In: "shop.v1.GetRequest", Out: "shop.v1.Item"}}
	asked := &Operation{Name: "ask", Kind: Request, Incoming: true, Wire: &Channel{Name: "ask", Address: "items/{id}", Servers: []*Server{server}, Span: Span{File: "other.yaml", Line: 1, Col: 1},
		Params:   []*Param{{In: "address", Field: Field{Name: "id", Required: true, Schema: &Scalar{Kind: String}}, Location: &Location{In: "payload", Pointer: "/id"}}},
		Bindings: []*Binding{{Protocol: "kafka", On: "message", Values: []Value{{Key: "key", Schema: &Scalar{Kind: String}}}}, {On: "operation", Values: []Value{{Key: "deadLetter", Text: "dead"}}}},
		Reply:    &Reply{Address: &Location{In: "header", Pointer: "/replyTo"}, Channel: &Channel{Name: "answer"}, Message: &Message{Bodies: []*Body{{}}}}},
		In: &Message{OneOf: []*Message{{Name: "A", Correlation: &Location{In: "header", Pointer: "/id"}}, {Name: "B"}}}}
	return &Contract{Name: "shop", Title: "The Shop", Version: "1.0", Format: OpenAPI, Source: "shop.yaml", Doc: Doc{Summary: "Sells"},
		Servers: []*Server{server}, Security: []*Scheme{key, login}, Descriptors: []byte{1}, Files: []string{"shop.proto"},
		Services: []*Service{{Name: "Shop", Doc: Doc{Summary: "All of it"}, Operations: []*Operation{get, rpc, asked}, Span: at(1, "#")}},
		Types:    []*Type{item}}
}
