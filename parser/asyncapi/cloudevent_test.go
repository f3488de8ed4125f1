package asyncapi_test

import (
	"testing"

	"github.com/concordat-dev/concordat/parser/asyncapi"
)

func TestCloudEvents(t *testing.T) {
	const head = "asyncapi: 3.0.0\ninfo: {title: t, version: '1'}\noperations: {o: {action: send, channel: {$ref: '#/channels/c'}}}\nchannels: {c: {address: a, messages: {M: "
	const data = "payload: {type: object, properties: {id: {type: string}}}"
	for message, want := range map[string]string{
		"{contentType: application/cloudevents+json, " + data + "}":                                                             "structured",
		"{headers: {type: object, properties: {ce_type: {type: string, const: a.b}, ce_id: {type: string}}}, " + data + "}":     "binary a.b",
		"{headers: {type: object, properties: {'cloudEvents:type': {enum: [x]}, 'cloudEvents:source': {}}}, " + data + "}":      "binary x",
		"{headers: {type: object, properties: {type: {type: string}, id: {type: string}}}, " + data + "}":                       "",
		"{contentType: application/cloudevents+json, payload: {type: object, properties: {specversion: {}, type: {}, id: {}}}}": "",
	} {
		c, ds := asyncapi.Parse(t.Context(), "a.yaml", reader(map[string]string{"a.yaml": head + message + "}}}\n"}))
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		got := ""
		if e := c.Services[0].Operations[0].In.Cloud; e != nil && e.Structured {
			got = "structured"
		} else if e != nil {
			got = "binary " + e.Type
		}
		if got != want {
			t.Errorf("%s is %q, not %q", message, got, want)
		}
	}
}
