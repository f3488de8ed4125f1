package openapi_test

import (
	"strings"
	"testing"
)

// top begins every document of TestFaults: three lines.
const top = "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths:\n"

const ok = "responses: {200: {description: x}}"

func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no version", "info: {title: A, version: '1'}\npaths: {}\n", "1:1 error missing-field"},
		{"swagger", "swagger: '1.2'\npaths: {}\n", "1:10 error unsupported-version"},
		{"version 4", "openapi: 4.0.0\npaths: {}\n", "1:10 error unsupported-version"},
		{"version 3.9", "openapi: 3.9.0\ninfo: {title: A, version: '1'}\npaths: {}\n", "1:10 error unsupported-version"},
		{"version 3", "openapi: '3'\ninfo: {title: A, version: '1'}\npaths: {}\n", "1:10 error unsupported-version"},
		{"no object", "- a\n", "1:1 error wrong-kind"},
		{"text", "hello\n", "1:1 error wrong-kind"},
		{"no info", "openapi: 3.1.0\npaths: {}\n", "1:1 warning missing-field"},
		{"no paths", "openapi: 3.1.0\ninfo: {title: A, version: '1'}\n", "1:1 error missing-field"},
		{"paths are a list", top + "  - a\n", "3:1 error wrong-kind"},
		{"undeclared parameter", top + "  /a/{id}:\n    get: {" + ok + "}\n", "4:3 error undeclared-parameter"},
		{"unused parameter", top + "  /a:\n    get:\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      " + ok + "\n", "6:20 error unused-parameter"},
		{"parameter twice", top + "  /a:\n    get:\n      parameters:\n        - {name: q, in: query, schema: {type: string}}\n        - {name: q, in: query, schema: {type: integer}}\n      " + ok + "\n", "8:11 error duplicate-parameter"},
		{"optional path parameter", top + "  /a/{id}:\n    get:\n      parameters: [{name: id, in: path, schema: {type: string}}]\n      " + ok + "\n", "6:20 warning optional-path-parameter"},
		{"place", top + "  /a:\n    get:\n      parameters: [{name: q, in: body, schema: {type: string}}]\n      " + ok + "\n", "6:34 error unknown-place"},
		{"no name", top + "  /a:\n    get:\n      parameters: [{in: query, schema: {type: string}}]\n      " + ok + "\n", "6:20 error missing-field"},
		{"no schema", top + "  /a:\n    get:\n      parameters: [{in: query, name: q}]\n      " + ok + "\n", "6:20 warning missing-schema"},
		{"schema of Swagger", top + "  /a:\n    get:\n      parameters: [{in: query, name: q, type: string}]\n      " + ok + "\n", "6:20 warning missing-schema\n6:41 warning unknown-field"},
		{"style", top + "  /a:\n    get:\n      parameters: [{in: query, name: q, style: matrix, schema: {type: string}}]\n      " + ok + "\n", "6:48 warning bad-style"},
		{"braces", top + "  /a/{id:\n    get: {" + ok + "}\n", "4:3 error bad-path"},
		{"no slash", top + "  a:\n    get: {" + ok + "}\n", "4:3 warning bad-path"},
		{"same paths", top + "  /a/{x}:\n    get: {parameters: [{$ref: '#/components/parameters/x'}], " + ok + "}\n  /a/{y}:\n    get: {parameters: [{$ref: '#/components/parameters/y'}], " + ok + "}\n" +
			"components: {parameters: {x: {name: x, in: path, required: true, schema: {type: string}}, y: {name: y, in: path, required: true, schema: {type: string}}}}\n", "6:3 error ambiguous-path"},
		{"operationId twice", top + "  /a: {get: {operationId: x, " + ok + "}}\n  /b: {get: {operationId: x, " + ok + "}}\n", "5:27 error duplicate-operation"},
		{"status", top + "  /a: {get: {responses: {200: {description: x}, 20: {description: y}}}}\n", "4:49 error bad-status"},
		{"no responses", top + "  /a:\n    get: {operationId: x}\n", "5:5 warning no-responses"},
		{"security scheme", top + "  /a: {get: {security: [{key: []}], " + ok + "}}\n", "4:26 error unknown-scheme"},
		{"kind of scheme", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: basic}}}\n", "5:42 error unknown-scheme"},
		{"key nowhere", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: apiKey}}}\n", "5:32 error missing-field\n5:32 error missing-field"},
		{"key in the body", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: apiKey, name: k, in: body}}}\n", "5:63 error unknown-value"},
		{"HTTP nothing", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: http}}}\n", "5:32 error missing-field"},
		{"HTTP key", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: http, scheme: X-Key}}}\n", "5:56 warning unknown-value"},
		{"OAuth without flows", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: oauth2}}}\n", "5:32 warning missing-field"},
		{"OAuth without tokens", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: oauth2, flows: {clientCredentials: {scopes: {}}}}}}\n", "5:32 warning missing-field"},
		{"OpenID nowhere", top + "  /a: {get: {" + ok + "}}\ncomponents: {securitySchemes: {k: {type: openIdConnect}}}\n", "5:32 warning missing-field"},
		{"misspelled field", top + "  /a: {get: {operationID: x, " + ok + "}}\n", "4:14 warning unknown-field"},
		{"broken reference", top + "  /a: {get: {responses: {200: {$ref: '#/components/responses/X'}}}}\n", "4:38 error broken-reference"},
		{"missing file", top + "  /a: {get: {responses: {200: {$ref: 'b.yaml'}}}}\n", "4:38 error missing-file"},
		{"remote", top + "  /a: {get: {responses: {200: {$ref: 'https://example.com/b.yaml'}}}}\n", "4:38 error remote-reference"},
		{"broken path item", top + "  /a: {$ref: '#/components/pathItems/X'}\n", "4:14 error broken-reference"},
		{"circle of responses", top + "  /a: {get: {responses: {200: {$ref: '#/components/responses/X'}}}}\ncomponents: {responses: {X: {$ref: '#/components/responses/X'}}}\n",
			"4:38 error reference-loop\n5:36 error reference-loop"},
		{"circle of schemas", top + "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {X: {$ref: '#/components/schemas/X'}}}\n", "5:24 error reference-loop"},
		{"type", top + "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {X: {type: strng}}}\n", "5:34 error unknown-type"},
		{"pattern", top + "  /a: {get: {" + ok + "}}\ncomponents: {schemas: {X: {type: string, pattern: '(?=a)'}}}\n", "5:51 warning pattern-unsupported"},
		{"duplicate key", top + "  /a: {get: {" + ok + "}}\n  /a: {put: {" + ok + "}}\n", "5:3 error duplicate-key"},
		{"syntax", top + "  /a: {get: [}\n", "4:3 error syntax"},
		{"media type", top + "  /a: {get: {responses: {200: {description: x, content: {json: {schema: {type: string}}}}}}}\n", "4:58 warning bad-media-type"},
		{"no content", top + "  /a: {post: {requestBody: {}, " + ok + "}}\n", "4:15 warning missing-field"},
		{"whole query", strings.Replace(top, "3.1", "3.2", 1) + "  /a: {get: {parameters: [{name: q, in: querystring, content: {text/plain: {}}}], " + ok + "}}\n", "4:27 warning not-generated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, diags := parse(t, c.text)
			if got := strings.TrimSpace(show(diags.Sorted())); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
				for _, d := range diags {
					t.Log(d.Message)
				}
			}
			for _, d := range diags {
				if d.Message == "" || d.Span.File != "a.yaml" {
					t.Errorf("%+v", d)
				}
			}
		})
	}
}

// TestSecondOpinion holds what only kin-openapi finds: a warning, and the contract whole.
func TestSecondOpinion(t *testing.T) {
	c, diags := parse(t, top+"  /a:\n    get: {"+ok+"}\n  /b:\n    get: {"+ok+"}\ncomponents:\n  securitySchemes:\n    k: {type: oauth2, flows: {implicit: {scopes: {}}}}\n")
	if got := show(diags); got != "10:5 warning second-opinion\n" || len(c.Services[0].Operations) != 2 {
		t.Errorf("%s", got)
		for _, d := range diags {
			t.Log(d.Message)
		}
	}
}

// TestAnchors: kin-openapi cannot load this; nobody needs to know.
func TestAnchors(t *testing.T) {
	c, diags := parse(t, top+"  /a: {get: {responses: {200: {description: x, content: {application/json: {schema: {$ref: '#pet'}}}}}}}\n"+
		"components: {schemas: {Pet: {$anchor: pet, type: object, properties: {id: {const: null}}}}}\n")
	if len(diags) > 0 || kind(c.Services[0].Operations[0].Out[0].Body.Bodies[0].Schema) != "@Pet" {
		t.Errorf("%s", show(diags))
	}
}
