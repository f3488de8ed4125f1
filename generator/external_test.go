package generator_test

import (
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/generator"
	"github.com/concordat-dev/concordat/parser/openapi"
)

const ownTypes = `
openapi: 3.1.0
info: {title: Own, version: "1"}
paths:
  /amounts/{at}:
    get:
      operationId: getAmount
      parameters:
        - {name: at, in: path, required: true, schema: {type: string, format: ipv4}}
        - {name: since, in: query, schema: {type: string, format: date-time}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Amount'}}}}}
components:
  schemas:
    Big: {type: integer, minimum: 0, x-go-type: math/big.Int}
    Money: {type: string, pattern: '^[0-9.]+$'}
    Bad: {type: string, x-go-type: nowhere.Type}
    Amount:
      type: object
      required: [big, at]
      properties:
        big: {$ref: '#/components/schemas/Big'}
        at: {type: string, format: ipv4}
        also: {type: [string, "null"], format: ipv4}
        many: {type: array, items: {type: string, format: ipv4}}
        byName: {type: object, additionalProperties: {$ref: '#/components/schemas/Big'}}
        money: {$ref: '#/components/schemas/Money'}
        mask: {type: string, x-go-type: netip.Prefix, x-go-type-import: {path: net/netip}, x-go-name: Netmask}
        when: {type: string, format: date-time}
        bad: {$ref: '#/components/schemas/Bad'}
`

const ownTypesTest = `package own

import (
	"encoding/json"
	"testing"
)

func TestOwn(t *testing.T) {
	const text = ` + "`" + `{"big":123456789012345678901234567890,"at":"10.0.0.1","also":null,"many":["10.0.0.2"],"byName":{"a":1},"money":12.50,"mask":"10.0.0.0/8","when":"yesterday"}` + "`" + `
	var a Amount
	if err := json.Unmarshal([]byte(text), &a); err == nil || err.Error() != "/when: must be of the format date-time" && err.Error() == "" {
		t.Fatal("a time that is none was read")
	}
	good := ` + "`" + `{"big":123456789012345678901234567890,"at":"10.0.0.1","also":null,"many":["10.0.0.2"],"byName":{"a":1},"money":"12.50","mask":"10.0.0.0/8"}` + "`" + `
	a = Amount{}
	if err := json.Unmarshal([]byte(good), &a); err != nil {
		t.Fatal(err)
	}
	if a.Big.String() != "123456789012345678901234567890" || !a.At.Is4() || a.Many[0].String() != "10.0.0.2" || a.Netmask.Bits() != 8 || !a.Also.IsNull() {
		t.Errorf("%+v", a)
	}
	out, err := json.Marshal(a)
	if err != nil || string(out) != good {
		t.Errorf("%s %v", out, err)
	}
	for _, bad := range []string{` + "`" + `{"big":-1,"at":"10.0.0.1"}` + "`" + `, ` + "`" + `{"big":1,"at":"x"}` + "`" + `, ` + "`" + `{"big":"1","at":1}` + "`" + `, ` + "`" + `{"big":1,"at":"10.0.0.1","money":"x"}` + "`" + `} {
		if err := json.Unmarshal([]byte(bad), new(Amount)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
`

// Types of the program stand where the contract or the options want them, and are checked.
func TestOwnTypes(t *testing.T) {
	c, diags := openapi.Parse(t.Context(), "own.yaml", func(string) ([]byte, error) { return []byte(ownTypes), nil })
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	files, diags := generator.Generate(t.Context(), c, generator.Options{ImportPath: modulePath + "/own",
		Formats: map[string]string{"ipv4": "net/netip.Addr", "date-time": "string"}, Types: map[string]string{"Money": "encoding/json.RawMessage"}})
	found := false
	for _, d := range diags {
		found = found || d.Code == "bad-go-type" && strings.Contains(d.Message, "nowhere.Type")
	}
	if !found || diags.HasErrors() {
		t.Errorf("want bad-go-type alone: %v", diags)
	}
	m := newModule(t)
	m.add(t, "own", files)
	m.write(t, "own/own_test.go", []byte(ownTypesTest))
	if dir := os.Getenv("CONCORDAT_KEEP"); dir != "" {
		_ = os.CopyFS(dir, os.DirFS(m.dir))
	}
	m.run(t, "test", "./own/...")
	m.run(t, "vet", "./own/...")
}
