package asyncapi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/asyncapi"
)

// protos is a document whose channels carry one payload in Protobuf each.
func protos(payloads ...string) string {
	var b strings.Builder
	b.WriteString("asyncapi: 3.0.0\ninfo: {title: t, version: '1'}\nchannels:\n")
	for i, p := range payloads {
		key := string(rune('a' + i))
		b.WriteString("  " + key + ":\n    address: " + key + "\n    messages:\n      User:\n        name: User\n        payload:\n" +
			"          schemaFormat: application/vnd.google.protobuf;version=3\n          schema: " + p + "\n")
	}
	b.WriteString("operations:\n")
	for i := range payloads {
		key := string(rune('a' + i))
		b.WriteString("  " + key + ": {action: send, channel: {$ref: '#/channels/" + key + "'}}\n")
	}
	return b.String()
}

const userProto = "syntax = \"proto3\";\npackage acme;\nimport \"kinds.proto\";\nmessage Other { Kind kind = 1; }\nmessage User { string id = 1; Other other = 2; }\n"

func TestProtobufPayloads(t *testing.T) {
	files := map[string]string{
		"d/a.yaml": protos("{$ref: './user.proto'}", "{$ref: './user.proto#/acme.Other'}",
			`"syntax = \"proto3\"; message Lone { int32 n = 1; }"`),
		"d/user.proto":  userProto,
		"d/kinds.proto": "syntax = \"proto3\";\npackage acme;\nenum Kind { NONE = 0; }\n",
	}
	c, ds := asyncapi.Parse(t.Context(), "d/a.yaml", reader(files))
	if len(ds) > 0 || c == nil {
		t.Fatal(ds)
	}
	var got []string
	for _, o := range c.Services[0].Operations {
		got = append(got, o.In.Bodies[0].Coding.Message+" "+o.In.Bodies[0].Media)
	}
	const binary = " application/x-protobuf"
	if strings.Join(got, ", ") != "acme.User"+binary+", acme.Other"+binary+", Lone"+binary {
		t.Errorf("payloads %q", got)
	}
	if len(c.Descriptors) == 0 || len(c.Files) != 3 || c.Format != contract.AsyncAPI {
		t.Errorf("files %q", c.Files)
	}
}

func TestProtobufFaults(t *testing.T) {
	for payload, want := range map[string]string{
		`"syntax = \"proto3\"; message A { B b = 1; }"`:    "line 1 of the text",
		`"syntax = \"proto3\"; message A {} message B {}"`: "which of its messages",
		`{type: object}`:                      "is the text of a .proto",
		`{$ref: './missing.proto'}`:           "missing.proto",
		`{$ref: './user.proto#/acme.Nobody'}`: "has no message acme.Nobody",
	} {
		files := map[string]string{"a.yaml": protos(payload), "user.proto": userProto, "kinds.proto": "syntax = \"proto3\";\npackage acme;\nenum Kind { NONE = 0; }\n"}
		_, ds := asyncapi.Parse(t.Context(), "a.yaml", reader(files))
		if !ds.HasErrors() || !strings.Contains(ds[0].Message, want) {
			t.Errorf("%s: %v, want %q", payload, ds, want)
		}
	}
}

func reader(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("no such file: " + name)
	}
}
