package generator_test

import (
	"strings"
	"testing"
)

// Headers of parts are not dropped in silence; those of other forms mean nothing.
func TestHeadersOfParts(t *testing.T) {
	_, _, diags := generate(t, parseText(t, "parts.yaml", `openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /a:
    post:
      operationId: a
      requestBody:
        content:
          multipart/form-data:
            schema: {type: object, properties: {file: {type: string, format: binary}}}
            encoding: {file: {contentType: image/png, headers: {X-Rate: {schema: {type: integer}}, Content-Type: {schema: {type: string}}}}}
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {name: {type: string}}}
            encoding: {name: {headers: {X-Rate: {schema: {type: integer}}}}}
      responses: {"204": {description: ok}}
`))
	var said []string
	for _, d := range diags {
		if d.Code == "part-header" {
			said = append(said, d.Message)
			if d.Span.Line != 11 {
				t.Errorf("it is said to be on line %d", d.Span.Line)
			}
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "X-Rate of the part file") {
		t.Errorf("said %q", said)
	}
}
