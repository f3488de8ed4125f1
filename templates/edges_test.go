package templates

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/templates/golang"
)

// kinds are all kinds of tables that name a Go type, with that type.
func kinds() []struct {
	kind string
	of   golang.Ref
} {
	return []struct {
		kind string
		of   golang.Ref
	}{
		{"String", local("string")}, {"Bool", local("bool")}, {"Int32", local("int32")}, {"Int64", local("int64")},
		{"Uint32", local("uint32")}, {"Uint64", local("uint64")}, {"Float32", local("float32")}, {"Float64", local("float64")},
		{"Number", imported("encoding/json", "Number")}, {"Time", imported("time", "Time")}, {"Date", imported(concordatPath, "Date")},
		{"UUID", imported(concordatPath, "UUID")}, {"Bytes", prefixed("[]", "byte")}, {"Raw", imported("encoding/json", "RawMessage")},
		{"Slice", prefixed("[]", "string")}, {"Map", prefixed("map[string]", "string")},
	}
}

// edges is a package with what is rare: every kind and rule, parts of a service in
// another unit, forms, styles, a fake whose fields would collide.
func edges() *golang.Package {
	get, onGet := getCustomer(), deleteCustomer()
	get.Name, get.Var, get.On = "Get", "get", "OnGetFunc"
	onGet.Name, onGet.Var, onGet.Apart = "OnGet", "onGet", true
	upload := uploadMethod()
	svc := usersService()
	svc.Name, svc.Fake = "Edges", &golang.Fake{Name: "Edges", Doc: []string{"Edges implements edges.Edges with its fields."}}
	svc.Methods = []*golang.Method{get, onGet, upload}
	empty := usersService()
	empty.Name, empty.Client, empty.New, empty.Register, empty.Methods, empty.Fake = "Nothing", "NothingClient", "NewNothingClient", "RegisterNothing", nil, nil
	problem := object("problemTable", "Problem")
	all, allTable := everything()
	u := &golang.Unit{Stem: "edges", Services: []*golang.Service{svc, empty}, Types: []golang.Decl{
		customer(), &golang.Struct{Name: "Problem"}, all, form(),
		&golang.Named{Name: "Old", Type: local("Everything"), Alias: true, Doc: []string{"Deprecated: use Everything."}},
		&golang.Named{Name: "Tags", Type: prefixed("[]", "string")},
		&golang.Enum{Name: "Level", Type: local("int64"), Values: []*golang.EnumValue{{Name: "Level1", Value: "1"}}},
		request("GetCustomerRequest"), request("DeleteCustomerRequest"),
		&golang.Struct{Name: "UploadRequest", Fields: []*golang.Field{{Name: "Filter", Type: golang.Ref{Prefix: "map[string]", Name: "string"}}, {Name: "Body", Type: local("Form")}, {Name: "BodyStream", Type: imported("io", "Reader")}}},
		&golang.Union{Name: "Party", Marker: "isParty", Variants: []golang.Ref{local("Customer")}},
	}, Tables: []*golang.Table{customerTable(), problem, allTable, formTable(),
		{Var: "tagsTable", Kind: "Slice", Of: new(local("Tags")), Methods: true, Elem: std("StringTable"), Rules: &golang.Rule{MinLen: "1"}},
		{Var: "levelTable", Kind: "EnumInt", Of: new(local("Level")), EnumInt: []int64{1, -2}, Open: true},
	}}
	return &golang.Package{Path: "example.com/shop/edges", Name: "edges", FakePath: "example.com/shop/edges/edgestest", FakeName: "edgestest",
		Doc: []string{"Package edges holds what is rare."}, Source: "edges.yaml", Version: "v0.1.0",
		Units: []*golang.Unit{u, {Stem: "edges_more", Parts: []*golang.Part{{Service: svc, Methods: []*golang.Method{onGet}}}}},
	}
}

func everything() (*golang.Struct, *golang.Table) {
	s := &golang.Struct{Name: "Everything", Doc: []string{"Everything has a field of every kind."}}
	t := object("everythingTable", "Everything")
	for _, k := range kinds() {
		name := "V" + k.kind
		s.Fields = append(s.Fields, &golang.Field{Name: name, Type: golang.Ref{Prefix: "[]" + k.of.Prefix, Pkg: k.of.Pkg, Name: k.of.Name}, Tag: `json:"` + name + `,omitzero"`})
		elem := &golang.Table{Kind: k.kind, Of: new(k.of)}
		switch k.kind {
		case "Slice":
			elem.Elem = std("StringTable")
		case "Map":
			elem.Elem, elem.MapOf = std("StringTable"), new(local("string"))
		}
		t.Fields = append(t.Fields, &golang.TableField{Name: name, Kind: "Slice", Owner: s.Name, GoField: name, Table: &golang.Table{Kind: "Slice", Elem: elem}})
	}
	s.Fields = append(s.Fields,
		&golang.Field{Name: "Opt", Type: golang.Ref{Pkg: concordatPath, Name: "Opt", Args: []golang.Ref{local("int32")}}, Tag: `json:"opt,omitzero"`},
		&golang.Field{Name: "Nullable", Type: prefixed("[]*", "int64"), Tag: `json:"nullable,omitzero"`},
		&golang.Field{Name: "Text", Type: local("string"), Tag: `json:"text"`})
	t.Required = 1
	t.Fields = append(t.Fields,
		&golang.TableField{Name: "opt", Kind: "Int32", Owner: s.Name, GoField: "Opt", Flags: []string{"Null", "Maybe"}, Rules: &golang.Rule{Min: "-1", Max: "7", Multiple: "2"}},
		&golang.TableField{Name: "nullable", Kind: "Slice", Owner: s.Name, GoField: "Nullable", Table: &golang.Table{Kind: "Slice", Elem: std("Int64Table"), ElemFlags: []string{"Null", "Ptr"}}, Rules: &golang.Rule{MinLen: "1", Unique: true}},
		&golang.TableField{Name: "text", Kind: "String", Owner: s.Name, GoField: "Text", Flags: []string{"Req", "WriteOnly"}, Rules: &golang.Rule{Format: "email", Pattern: "^`", Const: `"a"`}},
	)
	return s, t
}

func form() *golang.Struct {
	return &golang.Struct{Name: "Form", Fields: []*golang.Field{
		{Name: "Weight", Type: prefixed("*", "float64"), Tag: `json:"weight,omitzero"`},
		{Name: "File", Type: imported("io", "Reader"), Tag: `json:"file"`},
		{Name: "Files", Type: golang.Ref{Prefix: "[]", Pkg: "io", Name: "Reader"}, Tag: `json:"files,omitzero"`},
	}}
}

func formTable() *golang.Table {
	t := object("formTable", "Form")
	t.Methods, t.Required = false, 1
	t.Fields = []*golang.TableField{
		{Name: "weight", Kind: "Float64", Owner: "Form", GoField: "Weight", Flags: []string{"Ptr"}, Rules: &golang.Rule{FMin: "0", FMinExcl: true, FMax: "9.5", FMaxExcl: true, FMultiple: "0.5"}},
		{Name: "file", Kind: "Reader", Owner: "Form", GoField: "File", Flags: []string{"Req"}},
		{Name: "files", Kind: "Slice", Owner: "Form", GoField: "Files", Table: &golang.Table{Kind: "Slice", Elem: &golang.Table{Kind: "Reader", Of: new(imported("io", "Reader"))}}},
	}
	return t
}

func uploadMethod() *golang.Method {
	return &golang.Method{Name: "Upload", Var: "upload", Sig: golang.Exec, In: local("UploadRequest"), Op: &golang.Op{
		Name: "edges.Edges/Upload", Kind: "Unary", Route: "POST /files",
		Params: []*golang.Param{{Place: "Query", Style: "DeepObject", Explode: true, Reserved: true, Field: &golang.TableField{
			Name: "filter", Kind: "Map", Owner: "UploadRequest", GoField: "Filter", Table: std("StringMapTable")}}},
		Bodies: []*golang.Body{
			{Media: "multipart/form-data", Field: &golang.TableField{Kind: "Object", Table: use("formTable"), Owner: "UploadRequest", GoField: "Body"},
				Form: []*golang.FormField{{Name: "weight", Media: "text/plain"}, {Name: "files", Style: "Form", Explode: true}}},
			{Media: "application/octet-stream", Field: &golang.TableField{Kind: "Reader", Owner: "UploadRequest", GoField: "BodyStream"}},
		},
		Replies: []*golang.Reply{{Status: 2}, {Failure: true, Media: "application/json", Body: &golang.TableField{Kind: "Raw", Table: std("RawTable")}}},
	}}
}

func emitted(t *testing.T, p *golang.Package) map[string]string {
	t.Helper()
	files, err := Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Name] = string(f.Content)
	}
	return out
}

func TestPackageCommentStandsOnceInEachPackage(t *testing.T) {
	p := edges()
	p.Units[1].Services = []*golang.Service{usersService()}
	counts := map[string]int{}
	for name, content := range emitted(t, p) {
		if !strings.HasPrefix(content, "// Code generated by concordat v0.1.0 from edges.yaml. DO NOT EDIT.\n\n") {
			t.Errorf("%s begins with %.80q", name, content)
		}
		counts["edges"] += strings.Count(content, "// Package edges ")
		counts["edgestest"] += strings.Count(content, "// Package edgestest ")
	}
	if counts["edges"] != 1 || counts["edgestest"] != 1 {
		t.Error(counts)
	}
}

func TestPartsOfAServiceStandInTheirUnit(t *testing.T) {
	files := emitted(t, edges())
	home, part := files["edges.concordat.go"], files["edges_more.concordat.go"]
	for _, want := range []string{"func (c *Client) OnGet(", "onGet = stub.Op["} {
		if strings.Contains(home, want) || !strings.Contains(part, want) {
			t.Errorf("%s is not only in the part", want)
		}
	}
	for _, want := range []string{"type Client struct", "stub.HandleExec(s, &onGet, impl.OnGet)", "OnGet(ctx context.Context, in *DeleteCustomerRequest) error"} {
		if !strings.Contains(home, want) || strings.Contains(part, want+"\n") {
			t.Errorf("%s is not only in the service's file", want)
		}
	}
	if !strings.Contains(files["edges_more_concordat_test.go"], "Check(&onGet)") || strings.Contains(files["edges_concordat_test.go"], "Check(&onGet)") {
		t.Error("the operation of a part is not checked in its unit")
	}
}

func TestFakeFieldsDoNotCollideWithMethods(t *testing.T) {
	fake := emitted(t, edges())["edgestest/edges.concordat.go"]
	if !strings.Contains(fake, "	OnGetFunc func(") || !strings.Contains(fake, "return f.OnGetFunc(ctx, in)") {
		t.Error(fake)
	}
}

func TestUnprintableNamesTheFile(t *testing.T) {
	p := users()
	p.Units[0].Types = append(p.Units[0].Types, &golang.Named{Name: "not Go", Type: local("{")})
	if _, err := Emit(p); err == nil || !strings.Contains(err.Error(), "users_types.concordat.go") {
		t.Errorf("error %v", err)
	}
}

func TestEmptyPackageHasNoFiles(t *testing.T) {
	if files := emitted(t, &golang.Package{Path: "x", Name: "x", Units: []*golang.Unit{{Stem: "x"}}}); len(files) != 0 {
		t.Error(files)
	}
}

func TestKeysAreJSON(t *testing.T) {
	for in, want := range map[string]string{
		"a": `,"a":`, `q"`: `,"q\"":`, `b\`: `,"b\\":`, "<&>": `,"<&>":`, "ü": `,"ü":`, "\n": `,"\n":`, "\x01": `,"\u0001":`, "\u2028": ",\"\u2028\":", "": `,"":`,
	} {
		if got := key(in); got != want {
			t.Errorf("key(%q) = %s, want %s", in, got, want)
		}
	}
}
