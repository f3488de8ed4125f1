package protobuf

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract"
)

var update = flag.Bool("update", false, "write the goldens")

// shop are samples of every syntax.
var shop = []string{
	"testdata/shop/v1/legacy.proto", // proto2
	"testdata/shop/v1/money.proto",  // edition 2023
	"testdata/shop/v1/orders.proto", // proto3
	"testdata/shop/v1/stock.proto",  // edition 2024
}

func mustParse(t testing.TB, files, roots []string) *contract.Contract {
	t.Helper()
	c, l := Parse(t.Context(), files, roots, os.ReadFile)
	if c == nil || l.HasErrors() {
		t.Fatal(show(l))
	}
	return c
}

func dump(t testing.TB, c *contract.Contract) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := contract.Dump(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDump(t *testing.T) {
	got := dump(t, mustParse(t, shop, nil))
	const golden = "testdata/shop.golden"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the dump differs from %s, see -update:\n%s", golden, got)
	}
}

// TestFromDescriptors holds that the two ways in agree on everything but the paths of
// files: these samples hold no tab, so that even columns agree.
func TestFromDescriptors(t *testing.T) {
	c := mustParse(t, shop, nil)
	again, l := FromDescriptors(c.Descriptors, c.Files)
	if again == nil || len(l) != 0 {
		t.Fatal(show(l))
	}
	want := strings.ReplaceAll(string(dump(t, c)), "testdata/shop/", "shop/")
	if got := string(dump(t, again)); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestOperations(t *testing.T) {
	c := mustParse(t, shop, nil)
	if c.Name != "shop.v1" || c.Format != contract.Protobuf || c.Source != shop[0] || len(c.Services) != 2 {
		t.Fatalf("%s, %v, %s, %d services", c.Name, c.Format, c.Source, len(c.Services))
	}
	orders := c.Services[0]
	if orders.Name != "shop.v1.Orders" || orders.Doc.Summary != "Orders takes orders." {
		t.Errorf("service %q, %+v", orders.Name, orders.Doc)
	}
	type want struct {
		name       string
		kind       contract.Kind
		idempotent bool
		deprecated string
		method     string
	}
	var got []want
	for _, s := range c.Services {
		for _, o := range s.Operations {
			got = append(got, want{o.Name, o.Kind, o.Idempotent, o.Doc.Deprecated, o.Wire.(*contract.GRPC).Method})
		}
	}
	wants := []want{
		{"Place", contract.Unary, true, "", "/shop.v1.Orders/Place"},
		{"Watch", contract.ServerStream, false, "", "/shop.v1.Orders/Watch"},
		{"Upload", contract.ClientStream, false, "", "/shop.v1.Orders/Upload"},
		{"Talk", contract.Bidi, false, "deprecated", "/shop.v1.Orders/Talk"},
		{"GetLevel", contract.Unary, true, "", "/shop.v1.Stock/GetLevel"},
	}
	if !reflect.DeepEqual(got, wants) {
		t.Errorf("got %v", got)
	}
	place := orders.Operations[0]
	if place.Doc.Summary != "Place an order." || place.Doc.Detail != "It is charged at once." {
		t.Errorf("doc %+v", place.Doc)
	}
	if at := place.Span; at.File != "testdata/shop/v1/orders.proto" || at.Line == 0 || at.Col != 7 || at.EndCol != 12 || at.Path != "shop.v1.Orders.Place" {
		t.Errorf("span %+v", at)
	}
	if r, ok := place.In.Bodies[0].Schema.(*contract.Ref); !ok || r.Type.Name != "shop.v1.PlaceRequest" || r.Type.Schema == nil {
		t.Errorf("in %v", place.In.Bodies[0].Schema)
	}
}

func TestTypes(t *testing.T) {
	c := mustParse(t, shop, nil)
	types := map[string]*contract.Type{}
	for _, typ := range c.Types {
		if types[typ.Name] != nil {
			t.Errorf("%s is listed twice", typ.Name)
		}
		types[typ.Name] = typ
	}
	if typ := types["google.protobuf.Timestamp"]; typ == nil {
		t.Error("a type that is referred to is not listed")
	}
	for name, want := range map[string]contract.Field{
		"shop.v1.Receipt.number":            {Number: 1, Required: true, Schema: &contract.Scalar{Kind: contract.String}},
		"shop.v1.Receipt.copies":            {Number: 2, Default: new("1"), Schema: &contract.Scalar{Kind: contract.Int32}},
		"shop.v1.Receipt.kind":              {Number: 3, Default: new(`"REFUND"`), Schema: &contract.Ref{Type: types["shop.v1.Receipt.Kind"]}},
		"shop.v1.Receipt.rate":              {Number: 4, Default: new(`"Infinity"`), Schema: &contract.Scalar{Kind: contract.Float64}},
		"shop.v1.Receipt.seal":              {Number: 5, Default: new(`"AW9r"`), Schema: &contract.Scalar{Kind: contract.Bytes}},
		"shop.v1.Receipt.line":              {Number: 6, Schema: &contract.List{Elem: &contract.Ref{Type: types["shop.v1.Receipt.Line"]}}},
		"shop.v1.Order.totals":              {Number: 3, Schema: &contract.Map{Key: &contract.Scalar{Kind: contract.String}, Value: &contract.Ref{Type: types["shop.v1.Money"]}}},
		"shop.v1.Order.customer":            {Number: 2, Schema: &contract.Scalar{Kind: contract.String}},
		"shop.v1.Order.parts":               {Number: 6, Schema: &contract.List{Elem: &contract.Ref{Type: types["shop.v1.Order"]}}},
		"shop.v1.Order.pickup":              {Number: 8, OneOf: "address", Schema: &contract.Ref{Type: types["shop.v1.Order.Pickup"]}},
		"shop.v1.Order.fax":                 {Number: 9, Doc: contract.Doc{Deprecated: "deprecated"}, Schema: &contract.Scalar{Kind: contract.String}},
		"shop.v1.Money.units":               {Number: 2, Schema: &contract.Scalar{Kind: contract.Int64}},
		"google.protobuf.Timestamp.seconds": {Number: 1, Schema: &contract.Scalar{Kind: contract.Int64}},
	} {
		i := strings.LastIndexByte(name, '.')
		o, _ := types[name[:i]].Schema.(*contract.Object)
		n := slices.IndexFunc(o.Fields, func(f *contract.Field) bool { return f.Span.Path == name })
		if n < 0 {
			t.Errorf("there is no %s", name)
			continue
		}
		got := *o.Fields[n]
		want.Name, want.Span = name[i+1:], got.Span
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	if e := types["shop.v1.Receipt.Kind"].Schema.(*contract.Enum); e.Open || e.Values[1].Name != "REFUND" || e.Values[1].JSON != "2" {
		t.Errorf("Kind is %+v", e)
	}
	if e := types["shop.v1.Unit"].Schema.(*contract.Enum); !e.Open {
		t.Error("Unit is closed")
	}
}

func TestScalars(t *testing.T) {
	c, l := Parse(t.Context(), []string{"a.proto"}, nil, reader(head3+`message M {
		double f1 = 1; float f2 = 2; int32 f3 = 3; int64 f4 = 4; uint32 f5 = 5; uint64 f6 = 6; sint32 f7 = 7; sint64 f8 = 8;
		fixed32 f9 = 9; fixed64 f10 = 10; sfixed32 f11 = 11; sfixed64 f12 = 12; bool f13 = 13; string f14 = 14; bytes f15 = 15; }`))
	if c == nil {
		t.Fatal(show(l))
	}
	var got []string
	for _, f := range c.Types[0].Schema.(*contract.Object).Fields {
		s := f.Schema.(*contract.Scalar)
		got = append(got, strings.TrimSuffix(s.Kind.String()+"/"+s.Format, "/"))
	}
	want := "float64 float32 int32 int64 uint32 uint64 int32/sint32 int64/sint64 uint32/fixed32 uint64/fixed64 int32/sfixed32 int64/sfixed64 bool string bytes"
	if strings.Join(got, " ") != want {
		t.Errorf("got %v", got)
	}
}

// TestDescriptors holds what generators get: every file after those that it imports,
// comments of the files asked for, options readable.
func TestDescriptors(t *testing.T) {
	c := mustParse(t, []string{"testdata/shop/v1/orders.proto"}, nil)
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(c.Descriptors, &set); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range set.File {
		for _, d := range f.GetDependency() {
			if !seen[d] {
				t.Errorf("%s comes before %s", f.GetName(), d)
			}
		}
		seen[f.GetName()] = true
		asked := slices.Contains(c.Files, f.GetName())
		if got := len(f.GetSourceCodeInfo().GetLocation()) > 0; got != asked {
			t.Errorf("%s: source info %v", f.GetName(), got)
		}
		if asked && f.GetOptions().GetGoPackage() != "example.com/shop/gen/orders;orders" {
			t.Errorf("%s: options %v", f.GetName(), f.GetOptions())
		}
	}
	if !slices.Equal(c.Files, []string{"shop/v1/orders.proto"}) || !seen["google/protobuf/timestamp.proto"] {
		t.Errorf("files %v of %v", c.Files, seen)
	}
	if again := mustParse(t, []string{"testdata/shop/v1/orders.proto"}, nil); !bytes.Equal(c.Descriptors, again.Descriptors) {
		t.Error("the same source has other descriptors")
	}
}

// TestLatePackage: protoc takes the package from wherever it stands.
func TestLatePackage(t *testing.T) {
	c, l := Parse(t.Context(), []string{"a.proto"}, nil, reader("syntax = \"proto3\";\nmessage M {}\npackage late;\nservice S { rpc P(M) returns (M); }\n"))
	if c == nil || c.Name != "late" || c.Services[0].Name != "late.S" {
		t.Fatalf("%v\n%s", c, show(l))
	}
}

func TestNoServices(t *testing.T) {
	c, l := Parse(t.Context(), []string{"a.proto"}, nil, reader("syntax = \"proto3\";\nmessage M {}\n"))
	if c == nil || c.Name != "a" || len(c.Services) != 0 || len(c.Types) != 1 {
		t.Fatal(show(l))
	}
}
