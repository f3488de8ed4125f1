package asyncapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract/diag"
)

// TestFaults holds what is found in faulty documents: severity, code and place, and no
// more than that. Whatever the fault, what is sound is still read.
func TestFaults(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // "severity line:col code"
		operations int
	}{
		{"no version", "info: {}\n", []string{"error 1:1 unsupported-version"}, -1},
		{"a list", "- asyncapi: 3.0.0\n", []string{"error 1:1 wrong-kind"}, -1},
		{"nothing", "", []string{"error 1:1 empty-file"}, -1},
		{"no info", "asyncapi: 3.0.0\nchannels: {}\n", []string{"error 1:1 missing-field", "warning 1:1 no-operations"}, 0},
		{"no title", "asyncapi: 3.0.0\ninfo: {version: '1'}\n",
			[]string{"warning 1:1 no-operations", "error 2:1 missing-field"}, 0},
		{"channels without operations", head3 + "channels: {c: {address: a}}\n", []string{"warning 3:1 no-operations"}, 0},
		{"a missing file that no operation needs", head3 + "channels: {c: {address: a, messages: {m: {$ref: 'no.yaml#/m'}}}}\n",
			[]string{"warning 3:1 no-operations", "error 3:49 missing-file"}, 0},
		{"a slip of the pen", one("{payload: {}, header: {}}"), []string{"warning 3:56 unknown-field"}, 1},
		{"no action", head3 + "channels: {c: {address: a, messages: {m: {payload: {}}}}}\noperations:\n  o: {channel: {$ref: '#/channels/c'}}\n  p: {action: send, channel: {$ref: '#/channels/c'}}\n",
			[]string{"error 5:3 unknown-action"}, 1},
		{"an unknown action", strings.Replace(one("{payload: {}}"), "action: send", "action: shout", 1), []string{"error 4:26 unknown-action"}, 0},
		{"no channel", head3 + "operations:\n  o: {action: send}\n", []string{"error 4:3 no-channel"}, 0},
		{"a broken reference", strings.Replace(one("{payload: {}}"), "#/channels/c", "#/channels/d", 1),
			[]string{"error 4:48 broken-reference"}, 0},
		{"a missing file", one("{$ref: 'no.yaml#/m'}"), []string{"error 3:49 missing-file", "warning 4:14 no-message"}, 1},
		{"a circle of references", one("{payload: {$ref: '#/components/schemas/A'}}") + "components: {schemas: {A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}}}\n",
			[]string{"error 3:59 reference-loop", "error 5:61 reference-loop"}, 1},
		{"a message that leads to itself", one("{$ref: '#/channels/c/messages/m'}"),
			[]string{"error 3:49 reference-loop", "warning 4:14 no-message"}, 1},
		{"a message that is text", one("hello"), []string{"error 3:42 wrong-kind", "warning 4:14 no-message"}, 1},
		{"a type that does not exist", one("{payload: {type: objet}}"), []string{"error 3:59 unknown-type"}, 1},
		{"a type that does not exist and no operation needs", head3 + "channels: {c: {address: a, messages: {m: {payload: {type: objet}}}}}\n",
			[]string{"warning 3:1 no-operations", "error 3:59 unknown-value"}, 0},
		{"a payload that is a list", one("{payload: []}"), []string{"error 3:43 wrong-kind"}, 1},
		{"no runtime expression", one("{payload: {}, correlationId: {location: here}}"), []string{"error 3:82 runtime-expression"}, 1},
		{"a key that is not there", one("{payload: {type: object, additionalProperties: false, properties: {a: {}}}, x-key: b}"),
			[]string{"warning 3:125 key-not-found"}, 1},
		{"a parameter that is not declared", strings.Replace(one("{payload: {}}"), "address: a", "address: 'a/{b}'", 1),
			[]string{"warning 3:25 undeclared-parameter"}, 1},
		{"a parameter that is not used", strings.Replace(one("{payload: {}}"), "address: a", "address: a, parameters: {b: {}}", 1),
			[]string{"warning 3:41 unused-parameter"}, 1},
		{"no address", strings.Replace(one("{payload: {}}"), "address: a", "address: null", 1), []string{"warning 3:12 no-address"}, 1},
		{"a payload in RAML", one("{payload: {schemaFormat: 'application/raml+yaml;version=1.0', schema: {type: object}}}"),
			[]string{"warning 3:67 schema-format-unsupported"}, 1},
		{"a type that Avro does not know", one("{payload: {schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {type: record, name: R, fields: [{name: a, type: B}]}}}"),
			[]string{"error 3:169 avro-schema"}, 1},
		{"a server's port as a number", head3 + "servers: {s: {host: 1, protocol: kafka}}\n",
			[]string{"warning 1:1 no-operations", "error 3:21 wrong-kind"}, 0},
		{"an unknown scheme", head3 + "components: {securitySchemes: {s: {type: secret}}}\n",
			[]string{"warning 1:1 no-operations", "error 3:42 unknown-value"}, 0},
		{"an unknown server", head2 + "channels: {a: {servers: [b], publish: {message: {payload: {}}}}}\n", []string{"error 3:26 unknown-server"}, 1},
		{"a scheme that is not declared", head2 + "channels: {a: {publish: {message: {payload: {}}, security: [{b: []}]}}}\n",
			[]string{"error 3:62 unknown-scheme"}, 1},
		{"two operations of one name", head2 + "channels:\n  a: {publish: {operationId: o, message: {payload: {}}}}\n  b: {publish: {operationId: o, message: {payload: {}}}}\n",
			[]string{"error 5:30 duplicate-operation"}, 2},
		{"an operation without a message", head2 + "channels: {a: {publish: {}}}\n", []string{"warning 3:16 no-message"}, 1},
		{"a binding that its schema refuses", strings.Replace(one("{payload: {}}"), "action: send", "action: send, bindings: {mqtt: {qos: 7}}", 1),
			[]string{"warning 4:55 unknown-value"}, 1},
		{"a dead letter without address", strings.Replace(one("{payload: {}}"), "address: a", "address: a, x-dead-letter: []", 1),
			[]string{"error 3:28 dead-letter"}, 1},
		{"two content types", head2 + "channels: {a: {publish: {message: {oneOf: [{payload: {}, contentType: a/b}, {payload: {}, contentType: c/d}]}}}}\n",
			[]string{"warning 3:78 mixed-content-types"}, 1},
		{"a message that its channel does not list", one("{payload: {}}")[:0] + head3 + `channels: {c: {address: a, messages: {m: {payload: {}}}}}
operations: {o: {action: send, channel: {$ref: '#/channels/c'}, messages: [{$ref: '#/components/messages/n'}]}}
components: {messages: {n: {payload: {}}}}
`, []string{"warning 4:76 message-not-in-channel"}, 1},
		{"a reply that goes nowhere", one("{payload: {}}")[:len(one("{payload: {}}"))-3] + ", reply: {}}}\n", []string{"warning 4:65 no-address"}, 1},
		{"headers that are no object", one("{payload: {}, headers: {type: string}}"), []string{"warning 3:56 headers-not-object"}, 1},
		{"broken YAML", "asyncapi: 3.0.0\ninfo: {title: [\n", []string{"error 2:1 syntax"}, -1},
		{"a nul", "asyncapi: 3.0.0\n\x00\n", []string{"error 2:1 not-text"}, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, ds := parse(t, tt.text)
			if got := places(ds); got != strings.Join(tt.want, "\n") {
				t.Errorf("found\n%s\nwant\n%s", got, strings.Join(tt.want, "\n"))
				for _, d := range ds {
					t.Log(show(d))
				}
			}
			got := -1
			if c != nil {
				got = len(operations(c))
			}
			if got != tt.operations {
				t.Errorf("%d operations, want %d", got, tt.operations)
			}
		})
	}
}

func places(ds diag.List) string {
	var out []string
	for _, d := range ds.Sorted() {
		out = append(out, fmt.Sprintf("%s %d:%d %s", d.Severity, d.Span.Line, d.Span.Col, d.Code))
	}
	return strings.Join(out, "\n")
}

// TestOverlapsOfTheOfficialSchemasAreNoFaults shows that a parameter that is a reference,
// which two alternatives of the schemas 2.0 to 2.4 accept, is fine.
func TestOverlapsOfTheOfficialSchemasAreNoFaults(t *testing.T) {
	for _, v := range []string{"2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.5.0"} {
		good(t, strings.Replace(head2, "2.6.0", v, 1)+`channels: {'a/{b}': {parameters: {b: {$ref: '#/components/parameters/b'}}, publish: {message: {payload: {}}}}}
components: {parameters: {b: {schema: {type: string}}}}
`)
	}
}

// TestSuggestion shows what a slip of the pen leads to.
func TestSuggestion(t *testing.T) {
	tests := map[string]string{
		"header": `did you mean "headers"?`, "mesages": `did you mean "messages"?`, "deprecated": `did you mean "x-deprecated"?`,
		"frobnicate": `fields of one's own begin with "x-"`, "topic": `fields of one's own begin with "x-"`, "": `fields of one's own begin with "x-"`,
	}
	for key, want := range tests {
		if got := suggestion(key); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
}
