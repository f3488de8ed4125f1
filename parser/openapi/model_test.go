package openapi_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/openapi"
)

func shop(t *testing.T) (*contract.Contract, diag.List) {
	t.Helper()
	return openapi.Parse(t.Context(), "testdata/shop.yaml", os.ReadFile)
}

// outline writes an operation in the shorthand of this test.
func outline(op *contract.Operation) string {
	var b strings.Builder
	h := op.Wire.(*contract.HTTP)
	fmt.Fprintf(&b, "%s %s %s%s %s %v\n", op.Name, h.Method, h.Path, when(op.Idempotent, " idempotent"), op.Doc, op.Tags)
	for _, p := range h.Params {
		fmt.Fprintf(&b, "  %s %s %s%s%s%s %s %s %q\n", p.In, p.Name, p.Style, when(p.Explode, " explode"), when(p.AllowReserved, " reserved"),
			when(p.Required, " required"), p.Media, kind(p.Schema), p.Doc.Detail+p.Doc.Deprecated)
	}
	if op.In != nil {
		fmt.Fprintf(&b, "  in %q%s\n", op.In.Doc.Detail, bodies(op.In))
	}
	for _, o := range op.Out {
		fmt.Fprintf(&b, "  out %s %q%s\n", o.Status, o.Doc.Detail, bodies(o.Body))
	}
	for _, f := range op.Failures {
		fmt.Fprintf(&b, "  fail %s %q%s\n", f.Status, f.Doc.Detail, bodies(f.Body))
	}
	for _, s := range h.Servers {
		fmt.Fprintf(&b, "  server %s\n", s.URL)
	}
	for _, any := range op.Security {
		b.WriteString("  security")
		for _, q := range any {
			fmt.Fprintf(&b, " %s%v", q.Scheme.Name, q.Scopes)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func when(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

func kind(s contract.Schema) string {
	if r, ok := s.(*contract.Ref); ok {
		return "@" + r.Type.Name
	}
	if s, ok := s.(*contract.Scalar); ok {
		return s.Kind.String()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", s), "*contract.")
}

func bodies(m *contract.Message) string {
	if m == nil {
		return ""
	}
	var b strings.Builder
	for _, body := range m.Bodies {
		fmt.Fprintf(&b, "; %s %s%s%s", body.Media, kind(body.Schema), when(body.Required, "!"), when(body.Nullable, "?"))
		for _, e := range body.Encoding {
			fmt.Fprintf(&b, " %s=%s%s%s%d", e.Field, e.Media, e.Style, when(e.Explode, "*"), len(e.Headers))
		}
	}
	for _, f := range m.Headers {
		fmt.Fprintf(&b, "; %s:%s%s", f.Name, kind(f.Schema), when(f.Required, "!"))
	}
	return b.String()
}

func TestOperations(t *testing.T) {
	c, _ := shop(t)
	want := `listItems GET /items idempotent {Lists items All of them. } [items]
  header X-Trace simple  string ""
  query limit form explode  integer "Of the operation"
  query filter deepObject explode  Object ""
  query ids pipeDelimited  List ""
  query query form explode reserved application/json @Item ""
  cookie session form explode  string "deprecated"
  out 200 "Some items"; application/json List!; application/xml string!; X-Total:integer!
  fail 4XX "A problem"; application/json @Problem!
  fail default "Anything else"
  security key[]
  security login[read write] key[]
postItems POST /items {  } []
  header X-Trace simple  string ""
  query limit form explode  integer "Of the path"
  in "What to add"; application/json @Item!; application/vnd.shop+json @Item!; multipart/form-data Object! photo=image/png*1 tags=form0; application/octet-stream <nil>!
  out 201 "Added"; application/problem+json Object!?
  out 202 "Later"
deleteItem DELETE /items/{itemId} idempotent {  } []
  path itemId simple required  uuid ""
  out 204 "Gone"
  security key[]
  security login[read write] key[]
photo GET /items/{itemId}/photo idempotent {  deprecated} []
  path itemId matrix required  uuid ""
  header X-Version simple  string ""
  in ""; text/plain string
  out 302 "Elsewhere"; Location:uri
  server https://photos.example.com
  security
  security cert[]
`
	var got strings.Builder
	for _, op := range c.Services[0].Operations {
		got.WriteString(outline(op))
	}
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	complete(t, c)
}

func TestContract(t *testing.T) {
	c, diags := shop(t)
	if c.Name != "shop" || c.Title != "Shop" || c.Version != "1.0" || c.Format != contract.OpenAPI || c.Doc.Detail != "A shop for tests." {
		t.Errorf("%q %q %q %v %v", c.Name, c.Title, c.Version, c.Format, c.Doc)
	}
	var types []string
	for _, typ := range c.Types {
		types = append(types, typ.Name)
	}
	if got := strings.Join(types, " "); got != "Problem Item Person Company Company_vat" {
		t.Errorf("types %s", got)
	}
	s := c.Servers[0]
	if s.Protocol != "https" || s.Vars[0].Name != "region" || s.Vars[0].Default != "eu" || len(s.Vars[0].Enum) != 2 {
		t.Errorf("server %+v %+v", s, s.Vars[0])
	}
	var schemes []string
	for _, s := range c.Security {
		schemes = append(schemes, strings.Join(strings.Fields(fmt.Sprint(s.Name, " ", s.Kind, " ", s.In, " ", s.Param, " ", s.HTTP, " ", s.Format, " ", s.DiscoveryURL)), " "))
	}
	want := "key apiKey header X-Key|login oauth2|cert mutualTLS|token http bearer JWT|oidc openIdConnect https://example.com/.well-known"
	if got := strings.Join(schemes, "|"); got != want {
		t.Errorf("schemes\n%s\nwant\n%s", got, want)
	}
	if f := c.Security[1].Flows[0]; f.Kind != "clientCredentials" || strings.Join(f.Scopes, " ") != "read write" || f.TokenURL == "" {
		t.Errorf("flow %+v", f)
	}
	wantDiags := "68:11 remark ignored-header\n"
	if got := show(diags.Sorted()); got != wantDiags {
		t.Errorf("got\n%swant\n%s", got, wantDiags)
	}
}

func TestSamePointersForSharedParts(t *testing.T) {
	c, _ := shop(t)
	ops := c.Services[0].Operations
	if a, b := ops[0].Wire.(*contract.HTTP).Params[0], ops[1].Wire.(*contract.HTTP).Params[0]; a != b {
		t.Error("a shared parameter is two")
	}
}

func TestTwiceTheSame(t *testing.T) {
	a, _ := shop(t)
	b, _ := shop(t)
	for i, op := range a.Services[0].Operations {
		if x, y := outline(op), outline(b.Services[0].Operations[i]); x != y {
			t.Errorf("%s\n%s", x, y)
		}
	}
}

func TestNames(t *testing.T) {
	c, diags := parse(t, `
openapi: 3.0.3
info: {title: A, version: 1}
paths:
  /: {get: {responses: {200: {description: x}}}}
  /pets/{petId}/toys: {get: {parameters: [{name: petId, in: path, required: true, schema: {type: string}}], responses: {200: {description: x}}}}
  /a: {get: {operationId: same, responses: {200: {description: x}}}}
  /b: {get: {operationId: same, responses: {200: {description: x}}}}
  /c-d: {get: {responses: {200: {description: x}}}}
  /c/d: {get: {responses: {200: {description: x}}}}
`)
	var got []string
	for _, op := range c.Services[0].Operations {
		got = append(got, op.Name)
	}
	if s := strings.Join(got, " "); s != "getRoot getPetsPetIdToys same getB getCD getCD2" || show(diags) != "8:27 error duplicate-operation\n" {
		t.Errorf("%s\n%s", s, show(diags))
	}
}

func TestFiles(t *testing.T) {
	f := files{
		"api/root.yaml": "openapi: 3.1.0\ninfo: {title: Files, version: '1'}\npaths:\n  /a: {$ref: 'paths/a.yaml'}\n  /b: {$ref: 'paths/all.json#/b'}\n",
		"api/paths/a.yaml": "get:\n  operationId: a\n  parameters: [{$ref: '../params.yaml#/Limit'}]\n  responses:\n    '200':\n      description: x\n" +
			"      content: {application/json: {schema: {$ref: '../../schemas/pet.yaml'}}}\n",
		"api/paths/all.json": `{"b": {"get": {"operationId": "b", "responses": {"200": {"description": "x", "content": {"application/json": {"schema": {"$ref": "../../schemas/all.yaml#/definitions/Owner"}}}}}}}}`,
		"api/params.yaml":    "Limit: {name: limit, in: query, schema: {type: integer}}\n",
		"schemas/pet.yaml":   "type: object\nproperties:\n  owner: {$ref: 'all.yaml#/definitions/Owner'}\n  next: {$ref: '#'}\n",
		"schemas/all.yaml":   "definitions:\n  Owner: {type: object, properties: {pet: {$ref: 'pet.yaml'}}}\n",
	}
	c, diags := openapi.Parse(t.Context(), "api/root.yaml", f.read)
	if len(diags) > 0 {
		t.Fatalf("%s%s", show(diags), diags[0].Message)
	}
	var got []string
	for _, typ := range c.Types {
		got = append(got, typ.Name+" "+typ.Span.File)
	}
	if s := strings.Join(got, ", "); s != "pet schemas/pet.yaml, Owner schemas/all.yaml" {
		t.Error(s)
	}
	a := c.Services[0].Operations[0]
	if p := a.Wire.(*contract.HTTP).Params[0]; p.Name != "limit" || p.Span.File != "api/params.yaml" {
		t.Errorf("%+v", p)
	}
	pet := c.Types[0].Schema.(*contract.Object)
	if pet.Fields[1].Schema.(*contract.Ref).Type != c.Types[0] || pet.Fields[0].Schema.(*contract.Ref).Type != c.Types[1] {
		t.Error("the schemas are not tied together")
	}
}
