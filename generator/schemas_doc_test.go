package generator_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/schemas.md tells users what formats become.
func TestFormatsAsDocumented(t *testing.T) {
	src, err := os.ReadFile("../docs/schemas.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| (string|integer|number|boolean) \\| ([\\w-]*) ?\\| `([^`]+)` \\|").FindAllStringSubmatch(string(src), -1)
	if len(rows) < 30 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	var doc strings.Builder
	doc.WriteString("openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n    All:\n      type: object\n      properties:\n")
	for i, r := range rows {
		fmt.Fprintf(&doc, "        f%d: {type: %s", i, r[1])
		if r[2] != "" {
			fmt.Fprintf(&doc, ", format: %s", r[2])
		}
		doc.WriteString("}\n")
	}
	text, _, _ := generate(t, parseText(t, "all.yaml", doc.String()))
	for i, r := range rows {
		line := regexp.MustCompile(fmt.Sprintf(`(?m)^\tF%d +\*?(\S+) `, i)).FindStringSubmatch(text)
		if line == nil || line[1] != r[3] {
			t.Errorf("%s %s: docs/schemas.md says %s, the generator %v", r[1], r[2], r[3], line)
		}
	}
}

// What docs/schemas.md says of the names of constants.
func TestEnumNamesAsDocumented(t *testing.T) {
	text, _, _ := generate(t, parseText(t, "enums.yaml", `openapi: 3.1.0
info: {title: t, version: '1'}
paths: {}
components:
  schemas:
    Status: {type: string, enum: [in-progress, paid]}
    Kind: {type: string, enum: [url, user-id, http_request, ids]}
    Currency: {type: string, enum: [EUR, USD]}
    Method: {type: string, enum: [GET, get-all]}
    State: {type: string, enum: [PAID, IN_PROGRESS, API_DOWN, NO_HTTP, IDS_LOST]}
    Named: {type: string, enum: [A, B], x-enum-varnames: [Alpha, Beta]}
    Mixed: {type: string, enum: [EUR, euro, isoCode, HTTPError, oauth2Token]}
`))
	for _, want := range []string{"StatusInProgress", "KindURL", "KindUserID", "KindHTTPRequest", "KindIDs", "CurrencyEUR", "CurrencyUSD", "MethodGET", "MethodGetAll",
		"StatePaid", "StateInProgress", "StateAPIDown", "StateNoHTTP", "StateIDsLost", "NamedAlpha", "NamedBeta", "MixedEUR", "MixedEuro", "MixedISOCode", "MixedHTTPError", "MixedOAuth2Token"} {
		if !regexp.MustCompile(`(?m)^\t` + want + ` +\w+ += "`).MatchString(text) {
			t.Errorf("there is no constant %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
