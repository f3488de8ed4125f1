package openapi_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/openapi"
)

// heads parses files, of which a.yaml is the document, and renders types by name and kind.
func heads(t *testing.T, f files) (string, string) {
	t.Helper()
	c, diags := openapi.Parse(t.Context(), "a.yaml", f.read)
	return kinds(c), show(diags.Sorted())
}

func kinds(c *contract.Contract) string {
	var all []string
	for _, typ := range c.Types {
		text := kind(typ.Schema)
		if o, ok := typ.Schema.(*contract.Object); ok {
			for _, f := range o.Fields {
				text += " " + f.Name + ":" + kind(f.Schema)
			}
		}
		all = append(all, typ.Name+"="+text)
	}
	return strings.Join(all, "; ")
}

const bare = "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n"

func TestIdentities(t *testing.T) {
	for _, c := range []struct {
		name        string
		files       files
		want, diags string
	}{
		{"relative $id below an absolute one", files{"a.yaml": bare +
			"    Root:\n      $id: https://example.com/schemas/root\n      type: object\n      properties: {a: {$ref: 'leaf'}, b: {$ref: '/other/twig'}, c: {$ref: '#/$defs/L'}, d: {$ref: '#here'}}\n" +
			"      $defs:\n        L: {$id: leaf, $anchor: here, type: integer}\n        T: {$id: /other/twig, type: boolean}\n        H: {$anchor: here, type: string}\n"},
			"Root=Object a:@L b:@T c:@L d:@H; L=integer; T=bool; H=string", ""},
		{"pointer into the document from a schema with $id", files{"a.yaml": bare +
			"    A: {$id: 'https://example.com/a', type: object, properties: {b: {$ref: '#/components/schemas/B'}}}\n    B: {type: string}\n"},
			"A=Object b:@B; B=string", ""},
		{"pointer into a schema by its $id", files{"a.yaml": bare +
			"    A: {$id: 'https://example.com/a', $defs: {x: {type: string}}}\n    B: {$ref: 'https://example.com/a#/$defs/x'}\n"},
			"A=Any; B=@x; x=string", ""},
		{"$id of another file that was read", files{"a.yaml": bare +
			"    A: {$ref: 'b.yaml'}\n    B: {$ref: 'urn:b'}\n", "b.yaml": "$id: urn:b\ntitle: Bee\ntype: string\n"},
			"A=@Bee; B=@Bee; Bee=string", ""},
		{"file beside a schema with a relative $id", files{"a.yaml": bare +
			"    A: {$id: a.json, type: object, properties: {b: {$ref: 'b.yaml'}}}\n", "b.yaml": "title: Bee\ntype: string\n"},
			"A=Object b:@Bee; Bee=string", ""},
		{"$self", files{"a.yaml": "openapi: 3.2.0\n$self: https://example.com/api/a.yaml\n" + strings.TrimPrefix(bare, "openapi: 3.1.0\n") +
			"    A: {$ref: 'https://example.com/api/sub/b.yaml#/X'}\n    B: {$ref: 'https://example.com/api/a.yaml#/components/schemas/C'}\n    C: {type: string}\n    D: {$ref: 'sub/b.yaml#/X'}\n",
			"sub/b.yaml": "X: {type: integer}\n"},
			"A=@X; B=@C; C=string; D=@X; X=integer", ""},
		{"outside of $self", files{"a.yaml": "openapi: 3.2.0\n$self: https://example.com/api/a.yaml\n" + strings.TrimPrefix(bare, "openapi: 3.1.0\n") +
			"    A: {$ref: 'https://example.com/other/b.yaml'}\n    B: {$ref: 'https://example.com/api/../../etc/x'}\n"},
			"A=Any; B=Any", "7:15 error remote-reference\n8:15 error remote-reference\n"},
		{"$dynamicRef", files{"a.yaml": bare +
			"    Tree: {$dynamicAnchor: node, type: object, properties: {kids: {type: array, items: {$dynamicRef: '#node'}}, next: {$dynamicRef: '#node'}}}\n"},
			"Tree=Object kids:List next:@Tree", ""},
		{"$dynamicRef to several", files{"a.yaml": bare +
			"    Page: {$id: page, type: object, properties: {item: {$dynamicRef: '#item'}}, $defs: {any: {$dynamicAnchor: item, type: string}}}\n" +
			"    Pets: {$id: pets, $ref: page, $defs: {pet: {$dynamicAnchor: item, type: integer}}}\n"},
			"Page=Object item:@any; Pets=@Page; any=string", "6:57 warning not-checked\n"},
		{"broken names", files{"a.yaml": bare + "    A: {$id: ':', $anchor: 7, $ref: '%zz'}\n    B: {$id: [], $self: 1, $dynamicRef: '#no'}\n"},
			"A=Any; B=Any", "6:37 error missing-file\n7:41 error broken-reference\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, diags := heads(t, c.files)
			if got != c.want || diags != c.diags {
				t.Errorf("got  %s\n%s\nwant %s\n%s", got, diags, c.want, c.diags)
			}
		})
	}
}

// TestRemote holds that other hosts are asked only where that is allowed, that what they
// send cannot read files, and that relative references in it stay on their host.
func TestRemote(t *testing.T) {
	web := files{
		"https://example.com/api/pet.yaml":    "Pet: {type: object, properties: {owner: {$ref: '../people.yaml#/Owner'}, self: {$ref: '#/Pet'}}}\n",
		"https://example.com/people.yaml":     "Owner: {type: object, properties: {a: {$ref: 'file:///etc/passwd'}, b: {$ref: '//other.example/x.yaml'}}}\n",
		"https://other.example/x.yaml":        "type: string\ntitle: X\n",
		"https://example.com/api/broken.yaml": "a: [\n",
	}
	local := files{"a.yaml": bare + "    Pet: {$ref: 'https://example.com/api/pet.yaml#/Pet'}\n    Bad: {$ref: 'https://example.com/api/broken.yaml'}\n    No: {$ref: 'https://example.com/api/none.yaml'}\n"}
	c, diags := openapi.ParseWith(t.Context(), "a.yaml", openapi.Options{Read: local.read, Remote: web.read})
	want := "Pet=@Pet; Bad=Any; No=Any; Pet=Object owner:@Owner self:@Pet; Owner=Object a:Any b:@X; X=string"
	if got := kinds(c); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var places []string
	for _, d := range diags.Sorted() {
		places = append(places, d.Span.File+" "+strings.TrimSpace(show(diag.List{d})))
	}
	wantDiags := "a.yaml 8:16 error missing-file|https://example.com/api/broken.yaml 1:1 error syntax|https://example.com/people.yaml 1:46 error remote-reference"
	if got := strings.Join(places, "|"); got != wantDiags {
		t.Errorf("got  %s\nwant %s", got, wantDiags)
	}
	_, diags = openapi.ParseWith(t.Context(), "a.yaml", openapi.Options{Read: local.read, Remote: func(string) ([]byte, error) { return nil, errors.New("the host is down") }})
	if got := show(diags.Sorted()); got != "6:17 error unreadable-file\n7:17 error unreadable-file\n8:16 error unreadable-file\n" {
		t.Error(got)
	}
	_, diags = openapi.Parse(t.Context(), "a.yaml", local.read)
	if got := show(diags.Sorted()); got != "6:17 error remote-reference\n7:17 error remote-reference\n8:16 error remote-reference\n" {
		t.Error(got)
	}
	if _, err := web.read("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
