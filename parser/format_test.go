package parser

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
)

// TestRecognise shows that content decides and that a name breaks ties only.
func TestRecognise(t *testing.T) {
	const none = contract.Format(0)
	tests := []struct {
		name, file, text string
		want             contract.Format
	}{
		{"yaml", "a", "openapi: 3.1.0\n", contract.OpenAPI},
		{"version 2", "a", "swagger: '2.0'\n", contract.OpenAPI},
		{"asyncapi", "a", "asyncapi: 3.0.0\n", contract.AsyncAPI},
		{"number", "a", "asyncapi: 2.6", contract.AsyncAPI},
		{"byte order mark", "a", "\ufeffasyncapi: 3.0.0\n", contract.AsyncAPI},
		{"carriage returns", "a", "info:\r\n  title: x\r\nopenapi:\r\n  3.1.0\r\n", contract.OpenAPI},
		{"quoted key", "a", "\"openapi\": 3.1.0\n", contract.OpenAPI},
		{"not first", "a", "# note\n---\ninfo: {}\nasyncapi: 3.0.0\n", contract.AsyncAPI},
		{"indented as a whole", "a", "  info: {}\n  asyncapi: 3.0.0\n", contract.AsyncAPI},
		{"nested key", "a", "info:\n  asyncapi: 3.0.0\n", none},
		{"key in prose", "a", "description: |\n  openapi: yes\n", none},
		{"longer key", "a", "openapiish: 1\n", none},
		{"json", "a", `{"info":{"asyncapi":"x"},"openapi":"3.0.1"}`, contract.OpenAPI},
		{"json, nested only", "a", `{"info":{"asyncapi":"x"}, "v": ["openapi"]}`, none},
		{"json, as a value", "a", `{"kind":"asyncapi"}`, none},
		{"json, cut off", "a", `{"asyncapi": "3.0.0", "info": {"title`, contract.AsyncAPI},
		{"json, escaped quote", "a", `{"x":"\"","asyncapi":"3.0.0"}`, contract.AsyncAPI},
		{"flow yaml", "a", "{openapi: 3.1.0, info: {}}", contract.OpenAPI},
		{"flow yaml over lines", "a", "\n {\n  'asyncapi' : 3.0.0 }", contract.AsyncAPI},
		{"proto syntax", "a", "// c\n/* d */ syntax = \"proto3\";", contract.Protobuf},
		{"proto edition", "a", "edition = '2023';", contract.Protobuf},
		{"proto package", "a", "package a.b.c;", contract.Protobuf},
		{"proto message", "a", "message M {}", contract.Protobuf},
		{"proto service", "a", "service S {", contract.Protobuf},
		{"proto import", "a", "import public \"x.proto\";", contract.Protobuf},
		{"proto option", "a", "option go_package = \"x\";", contract.Protobuf},
		{"proto by a misleading name", "openapi.yaml", "syntax = \"proto3\";", contract.Protobuf},
		{"openapi by a misleading name", "asyncapi.proto", "openapi: 3.1.0", contract.OpenAPI},
		{"two keys, the name decides", "my-asyncapi.yaml", "openapi: 3.1.0\nasyncapi: 3.0.0\n", contract.AsyncAPI},
		{"two keys, no name", "x.yaml", "openapi: 3.1.0\nasyncapi: 3.0.0\n", contract.OpenAPI},
		{"empty proto", "a.proto", "", contract.Protobuf},
		{"comments only", "a.proto", "// nothing yet\n", contract.Protobuf},
		{"empty", "openapi.yaml", "", none},
		{"prose", "README.md", "message in a bottle\n", none},
		{"a package of Go", "x.go", "package main\n\nimport \"fmt\"\n", none},
		{"another YAML", "compose.yaml", "services:\n  web: {}\n", none},
		{"unterminated comment", "a", "/* openapi", none},
		{"unterminated quote", "a", `{"openapi`, none},
		{"list", "a", "[openapi: 1]", none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Recognise(tt.file, []byte(tt.text)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestBinary finds the first byte that no text has.
func TestBinary(t *testing.T) {
	tests := []struct {
		text string
		at   int
		want bool
	}{
		{"plain\ttext\r\n", 0, false},
		{"grün 日本", 0, false},
		{"a\x00b", 1, true},
		{"ab\xff", 2, true},
		{"\x7fELF\x02", 0, true},
		{"PK\x03\x04", 2, true},
	}
	for _, tt := range tests {
		if at, ok := binary([]byte(tt.text)); at != tt.at || ok != tt.want {
			t.Errorf("binary(%q) = %d, %v; want %d, %v", tt.text, at, ok, tt.at, tt.want)
		}
	}
}

// TestRecogniseIsLinear recognises a large file that is full of what it looks for.
func TestRecogniseIsLinear(t *testing.T) {
	big := strings.Repeat("  openapi: x\n", 1<<18) + "asyncapi: 3.0.0\n"
	if got := Recognise("x", []byte("info: 1\n"+big)); got != contract.AsyncAPI {
		t.Errorf("got %v", got)
	}
	if got := Recognise("x", []byte(strings.Repeat("{", 1<<20))); got != 0 {
		t.Errorf("got %v", got)
	}
}
