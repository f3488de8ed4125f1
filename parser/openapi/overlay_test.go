package openapi_test

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/openapi"
)

const base = `openapi: 3.0.3
info: {title: Base, version: '1'}
servers: [{url: 'https://old.example'}]
paths:
  /a:
    get:
      operationId: getA
      tags: [one]
      parameters: [{name: q, in: query, schema: {type: string}}]
      responses: {200: {description: x}}
    delete: {operationId: dropA, x-internal: true, responses: {204: {description: x}}}
  /internal: {get: {operationId: hidden, x-internal: true, responses: {200: {description: x}}}}
components:
  schemas:
    Pet: {type: object, required: [id], properties: {id: {type: string}, secret: {type: string}}}
`

// TestOverlays applies overlays and shows what became of the document.
func TestOverlays(t *testing.T) {
	for _, c := range []struct{ name, actions, want, diags string }{
		{"update", "- target: $.info\n  update: {title: New, description: Better}\n", "New; getA dropA hidden; Pet=Object id:string secret:string", ""},
		{"remove operations by an extension", "- target: $.paths.*[?@.x-internal == true]\n  remove: true\n", "Base; getA; Pet=Object id:string secret:string", ""},
		{"remove a property", "- target: $.components.schemas.Pet.properties.secret\n  remove: true\n", "Base; getA dropA hidden; Pet=Object id:string", ""},
		{"merge deep, add to lists", "- target: $.components.schemas.Pet\n  update: {required: [age], properties: {age: {type: integer}, id: {format: uuid}}}\n",
			"Base; getA dropA hidden; Pet=Object id:uuid secret:string age:integer", ""},
		{"append an item", "- target: $.paths['/a'].get.parameters\n  update: {name: page, in: query, schema: {type: integer}}\n- target: $.paths['/a'].get.tags\n  update: two\n",
			"Base; getA(q page)[one two] dropA hidden; Pet=Object id:string secret:string", ""},
		{"replace a scalar", "- target: $.paths['/a'].get.operationId\n  update: fetchA\n", "Base; fetchA dropA hidden; Pet=Object id:string secret:string", ""},
		{"references are the document's", "- target: $.components.schemas\n  update: {Owner: {type: object, properties: {pet: {$ref: '#/components/schemas/Pet'}}}}\n",
			"Base; getA dropA hidden; Pet=Object id:string secret:string; Owner=Object pet:@Pet", ""},
		{"copy", "- target: $.components.schemas\n  update: {Copy: {}}\n- target: $.components.schemas.Copy\n  copy: $.components.schemas.Pet\n",
			"Base; getA dropA hidden; Pet=Object id:string secret:string; Copy=Object id:string secret:string", ""},
		{"nothing there", "- target: $.paths['/b']\n  remove: true\n", "Base; getA dropA hidden; Pet=Object id:string secret:string", "o.yaml 4:11 warning overlay-unused"},
		{"no path", "- target: paths./a\n  remove: true\n", "Base; getA dropA hidden; Pet=Object id:string secret:string", "o.yaml 4:11 error overlay-target"},
		{"faults", "- {}\n- target: $.info\n- target: $\n  remove: true\n- 7\n- target: 7\n- target: $.info\n  copy: $.paths.*\n- target: $.info\n  udpate: {}\n",
			"Base; getA dropA hidden; Pet=Object id:string secret:string",
			"o.yaml 4:3 error missing-field|o.yaml 5:3 warning missing-field|o.yaml 6:11 error overlay-target|o.yaml 8:3 error wrong-kind|o.yaml 9:11 error wrong-kind|o.yaml 11:9 error overlay-target|o.yaml 12:3 warning missing-field|o.yaml 13:3 warning unknown-field"},
		{"findings about what was written", "- target: $.components.schemas.Pet.properties\n  update: {id: {type: strin}}\n", "Base; getA dropA hidden; Pet=Object id:Any secret:string", "o.yaml 5:23 error unknown-type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := files{"a.yaml": base, "o.yaml": "overlay: 1.0.0\ninfo: {title: O, version: '1'}\nactions:\n" + c.actions}
			got, diags := overlaid(t, f, "o.yaml")
			if got != c.want || diags != c.diags {
				t.Errorf("got  %s\n%s\nwant %s\n%s", got, diags, c.want, c.diags)
			}
		})
	}
}

func overlaid(t *testing.T, f files, overlays ...string) (string, string) {
	t.Helper()
	c, diags := openapi.ParseWith(t.Context(), "a.yaml", openapi.Options{Read: f.read, Overlays: overlays})
	var ops []string
	for _, op := range c.Services[0].Operations {
		text := op.Name
		if params := op.Wire.(*contract.HTTP).Params; len(params) > 1 {
			var names []string
			for _, p := range params {
				names = append(names, p.Name)
			}
			text += "(" + strings.Join(names, " ") + ")[" + strings.Join(op.Tags, " ") + "]"
		}
		ops = append(ops, text)
	}
	var places []string
	for _, d := range diags.Sorted() {
		places = append(places, d.Span.File+" "+strings.TrimSpace(show(diags[:0:0])+show(append(diags[:0:0], d))))
	}
	return c.Title + "; " + strings.Join(ops, " ") + "; " + kinds(c), strings.Join(places, "|")
}

func TestSeveralOverlays(t *testing.T) {
	f := files{"a.yaml": base,
		"1.yaml": "overlay: 1.1.0\ninfo: {title: O, version: '1'}\nactions: [{target: $.info, update: {title: First}}]\n",
		"2.json": `{"overlay": "1.0.0", "info": {"title": "O", "version": "1"}, "actions": [{"target": "$.info[?@ == 'First']", "update": "Second"}]}`}
	if got, diags := overlaid(t, f, "1.yaml", "2.json"); !strings.HasPrefix(got, "Second;") || diags != "" {
		t.Error(got, diags)
	}
	f["3.yaml"] = "overlay: 2.0.0\ninfo: {title: O, version: '1'}\n"
	_, diags := overlaid(t, f, "3.yaml", "4.yaml")
	if diags != "3.yaml 1:1 error missing-field|3.yaml 1:10 error unsupported-version|4.yaml 1:1 error missing-file" {
		t.Error(diags)
	}
	if f["a.yaml"] != base {
		t.Error("the source changed")
	}
}

// TestOverlayOnSwagger: an overlay changes the document as it is written.
func TestOverlayOnSwagger(t *testing.T) {
	f := files{"a.yaml": "swagger: '2.0'\ninfo: {title: A, version: '1'}\npaths: {/a: {get: {operationId: a, responses: {200: {description: x}}}}}\n",
		"o.yaml": "overlay: 1.0.0\ninfo: {title: O, version: '1'}\nactions:\n- target: $.paths['/a'].get\n  update: {parameters: [{name: q, in: query, type: array, items: {type: integer}}, {name: r, in: query, type: string}]}\n"}
	if got, diags := overlaid(t, f, "o.yaml"); got != "A; a(q r)[]; " || diags != "" {
		t.Error(got, diags)
	}
}
