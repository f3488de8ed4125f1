package generator_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/generator"
	"github.com/concordat-dev/concordat/parser"
)

const tagged = `openapi: 3.1.0
info: {title: Tagged, version: "1"}
servers: [{url: https://api.example.com}]
security: [{key: []}]
paths:
  /cats:
    get:
      operationId: listCats
      tags: [cats, pets]
      parameters: [{$ref: '#/components/parameters/sort'}, {name: mood, in: query, schema: {enum: [calm, wild]}}]
      responses:
        "200":
          description: cats
          content: {application/json: {schema: {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Cat'}}, last: {oneOf: [{$ref: '#/components/schemas/Cat'}, {type: string}]}}}}}
          links:
            owner: {operationId: getOwner, parameters: {id: $response.body#/data/0/id}}
            again: {operationId: putCat}
        default: {$ref: '#/components/responses/problem'}
    put:
      operationId: putCat
      tags: [cats]
      security: [{}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Cat'}}, application/xml: {schema: {$ref: '#/components/schemas/Cat'}}}}
      responses: {"200": {description: ok, content: {application/json: {schema: {oneOf: [{type: object, required: [kind], properties: {kind: {const: a}, n: {type: integer}}}, {type: object, required: [kind], properties: {kind: {const: b}}}]}}}}}
  /owners/{id}:
    get:
      operationId: getOwner
      tags: [Owner accounts]
      parameters: [{name: id, in: path, required: true, schema: {type: string}}, {$ref: '#/components/parameters/sort'}]
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Owner'}}}}
        default: {$ref: '#/components/responses/problem'}
  /time:
    get:
      operationId: time
      tags: [Zürich/time]
      responses: {"200": {description: t, content: {application/json: {schema: {type: object, additionalProperties: {$ref: '#/components/schemas/Mood'}}}}}}
  /health:
    get:
      operationId: health
      responses: {"204": {description: well}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  parameters:
    sort: {name: sort, in: query, schema: {type: string, enum: [up, down]}}
  responses:
    problem: {description: failed, content: {application/problem+json: {schema: {type: object, properties: {code: {type: string}, at: {type: object, properties: {line: {type: integer}}}}}}}}
  schemas:
    Mood: {type: string, enum: [good, bad]}
    Cat: {type: object, required: [id], properties: {id: {type: string}, mood: {$ref: '#/components/schemas/Mood'}, owner: {$ref: '#/components/schemas/Owner'}, toy: {$ref: '#/components/schemas/Toy'}}}
    Owner: {type: object, properties: {cats: {type: array, items: {$ref: '#/components/schemas/Cat'}}, Client: {$ref: '#/components/schemas/Client'}}}
    Client: {type: object, properties: {name: {type: string}}}
    Toy: {oneOf: [{type: string}, {type: integer}]}
`

// parseText reads a document that a test spells out.
func parseText(t *testing.T, name, text string) *contract.Contract {
	t.Helper()
	c, diags := parser.Parse(context.Background(), []string{name}, parser.Options{Read: func(string) ([]byte, error) { return []byte(text), nil }})
	if c == nil || diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

// A package for each tag, over one that they share, compiles, is vetted, and its tables
// hold.
func TestSplitIntoPackages(t *testing.T) {
	c := parseText(t, "tagged.yaml", tagged)
	files, diags := generator.Generate(t.Context(), c, generator.Options{ImportPath: modulePath + "/tagged", Split: generator.SplitPackages})
	var codes, names []string
	for _, d := range diags {
		codes = append(codes, d.Code)
	}
	if !slices.Contains(codes, "link-across-packages") || diags.HasErrors() {
		t.Errorf("findings: %v", codes)
	}
	m := newModule(t)
	text := m.add(t, "tagged", files)
	for _, f := range files {
		names = append(names, f.Name)
	}
	want := []string{
		"tagged.concordat.go", "tagged_types.concordat.go", "tagged_codec.concordat.go", "tagged_concordat_test.go", "taggedtest/tagged.concordat.go",
		"cats/cats.concordat.go", "cats/cats_types.concordat.go", "cats/cats_codec.concordat.go", "cats/cats_concordat_test.go", "cats/catstest/cats.concordat.go",
		"owneraccounts/owneraccounts.concordat.go", "owneraccounts/owneraccounts_types.concordat.go", "owneraccounts/owneraccounts_concordat_test.go", "owneraccounts/owneraccountstest/owneraccounts.concordat.go",
		"zrichtime/zrichtime.concordat.go", "zrichtime/zrichtime_types.concordat.go", "zrichtime/zrichtime_concordat_test.go", "zrichtime/zrichtimetest/zrichtime.concordat.go",
	}
	if !slices.Equal(names, want) {
		t.Errorf("files\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	for file, lines := range map[string][]string{
		"tagged.concordat.go":       {"var Key = &stub.Scheme{", "Health(ctx context.Context", `const ServerURL = `},
		"tagged_types.concordat.go": {"type Cat struct", "type ListCatsSort string", "isListCatsResponseBodyLast", "type ListCatsDefault struct"},
		"cats/cats.concordat.go": {"from tagged.yaml#cats. DO NOT EDIT.", "type Cats interface {", "func NewClient(conn *concordat.Conn) *Client",
			`Name: "tagged.Tagged/ListCats"`, "&tagged.TaggedXML", "{{Scheme: tagged.Key}}", "func ListCatsAgain("},
		"cats/cats_types.concordat.go": {"*tagged.ListCatsSort", "[]tagged.Cat", "type ListCatsMood string", "type PutCatResponseBodyA struct"},
	} {
		for _, line := range lines {
			if !strings.Contains(text[file], line) {
				t.Errorf("%s does not say %q:\n%s", file, line, text[file])
			}
		}
	}
	m.run(t, "vet", "./...")
	m.run(t, "test", "./...")
}

// What has no tags, or is no OpenAPI, is one package, and there is a finding that says so.
func TestSplitWithoutTags(t *testing.T) {
	for _, c := range []*contract.Contract{document(nil, get("one", "/one", str())), {Name: "events", Format: contract.AsyncAPI, Services: []*contract.Service{{Name: "Events"}}}} {
		files, diags := generator.Generate(t.Context(), c, generator.Options{Split: generator.SplitPackages})
		if !slices.ContainsFunc(files, func(f generator.File) bool { return !strings.Contains(f.Name, "/") }) || len(diags) != 1 || diags[0].Code != "split-without-tags" {
			t.Errorf("%s: %d files, %v", c.Name, len(files), diags)
		}
	}
}

// Real documents, each tag a package. The largest take minutes to compile: see large.
func TestSplitCorpus(t *testing.T) {
	corpus(t)
	m := newModule(t)
	for _, name := range corpusNames {
		if !strings.HasPrefix(name, "openapi/") || large[name] && (testing.Short() || os.Getenv("CONCORDAT_COMPILE_ALL") == "") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c := parse(t, name)
			dir := "s/" + strings.NewReplacer("-", "", ".", "", "_", "").Replace(name)
			files, diags := generator.Generate(t.Context(), c, generator.Options{ImportPath: modulePath + "/" + dir, Source: name, Split: generator.SplitPackages})
			if diags.HasErrors() {
				t.Error(diags)
			}
			m.add(t, dir, files)
			if got, want := methods(files), operations(c); got != want {
				t.Errorf("%d methods for %d operations", got, want)
			}
			folders := map[string]bool{}
			longest := 0
			for _, f := range files {
				if folder, _, ok := strings.Cut(f.Name, "/"); ok {
					folders[folder] = true
				}
				if longest = max(longest, len(f.Content)); len(f.Content) > 1<<20 {
					t.Errorf("%s has %d bytes", f.Name, len(f.Content))
				}
			}
			t.Logf("%d folders, %d files, the longest has %d KiB", len(folders), len(files), longest>>10)
		})
	}
	m.run(t, "vet", "./...")
	m.run(t, "test", "./...")
}
