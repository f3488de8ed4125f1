package openapi_test

import (
	"slices"
	"testing"
)

// Links for which there is no Go are told of, each at its name.
func TestLinksWithoutGo(t *testing.T) {
	_, ds := parse(t, `openapi: 3.1.0
info: {title: T, version: "1"}
paths:
  /a:
    get:
      operationId: getA
      responses:
        "200":
          description: ok
          links:
            again: {$ref: '#/components/links/again'}
        "409":
          description: no
          links:
            retry: {operationId: getA}
components:
  links:
    again: {operationId: getA}
    never: {operationId: getA}
`)
	var got []string
	for _, d := range ds {
		got = append(got, d.Code+": "+d.Message)
	}
	want := []string{
		`not-generated: no code is generated for the link "retry", which belongs to a failure`,
		`not-generated: no response has the link "never", so that no code is generated for it`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
