package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract/diag"
)

func TestParse(t *testing.T) {
	c, diags := Parse("concordat.yaml", []byte(`
version: v1
contracts:
  - spec: users.yaml
    out: internal/users
    package: users
    split: packages
  - spec: [a.proto, b.proto]
    imports: third_party
`))
	if len(diags) != 0 {
		t.Fatal(diags[0])
	}
	for i := range c.Contracts {
		c.Contracts[i].Span.File = ""
	}
	want := []Contract{
		{Spec: []string{"users.yaml"}, Out: "internal/users", Package: "users", Split: "packages", Span: c.Contracts[0].Span},
		{Spec: []string{"a.proto", "b.proto"}, Imports: []string{"third_party"}, Span: c.Contracts[1].Span},
	}
	if !reflect.DeepEqual(c.Contracts, want) {
		t.Errorf("got %+v\nwant %+v", c.Contracts, want)
	}
	if l := c.Contracts[1].Span.Line; l != 8 {
		t.Errorf("the second entry is said to be on line %d", l)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", "1:1 config-empty the file is empty"},
		{"version: v1\ncontracts: [", "2:1 config-syntax"},
		{"version: v1\n", "1:1 config-empty no contract is listed"},
		{"version: v1\ncontracts: []\n", "2:12 config-empty no contract is listed"},
		{"version: v1\ncontracts:\n", "2:11 config-type contracts must be a list, not empty"},
		{"version: v2\n", `1:10 config-version version "v2" is not known`},
		{"contracts: []\n", "1:1 config-version version is missing"},
		{"version: v1\ncontract: []\n", `2:1 config-unknown-key unknown key "contract" | did you mean "contracts"?`},
		{"version: v1\nzebra: 1\n", "2:1 config-unknown-key unknown key \"zebra\" | known keys are contracts, remote, version"},
		{"version: v1\ncontracts:\n  - spek: a.yaml\n", `3:5 config-unknown-key unknown key "spek" | did you mean "spec"?`},
		{"version: v1\ncontracts:\n  - out: a\n", "3:5 config-spec the entry names no spec"},
		{"version: v1\ncontracts: users.yaml\n", "2:12 config-type contracts must be a list, not a single value"},
		{"version: v1\ncontracts: [users.yaml]\n", "2:13 config-type an entry of contracts must be a mapping, not a single value | write `- spec: users.yaml`"},
		{"version: v1\ncontracts:\n  - spec: {a: b}\n", "3:11 config-type spec must be text, not a mapping"},
		{"version: v1\nversion: v1\n", "2:1 config-duplicate version is given twice"},
		{"version: v1\ncontracts:\n  - spec: []\n", "3:11 config-type spec is an empty list"},
		{"version: v1\ncontracts:\n  - spec:\n", "3:10 config-type spec must be text, not empty"},
		{"version: v1\ncontracts:\n  - {spec: a.yaml, package: my-pkg}\n", `3:29 config-package "my-pkg" is no name of a Go package`},
		{"version: v1\ncontracts:\n  - {spec: a.yaml, package: func}\n", "config-package"},
		{"version: v1\ncontracts:\n  - {spec: a.yaml, package: main}\n", "config-package"},
		{"version: v1\ncontracts:\n  - {spec: a.yaml, split: tags}\n", `3:27 config-split nothing is split by "tags" | write `},
		{"- version: v1\n", "1:1 config-type the file must be a mapping, not a list"},
	} {
		_, diags := Parse("concordat.yaml", []byte(c.src))
		if got := text(diags); !strings.Contains(got, c.want) {
			t.Errorf("%q\ngot  %s\nwant %s", c.src, got, c.want)
		}
	}
}

func text(l diag.List) string {
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "%d:%d %s %s | %s\n", d.Span.Line, d.Span.Col, d.Code, d.Message, d.Help)
	}
	return b.String()
}

// A key that was probably meant counts as given: it is not missing as well.
func TestOneFaultPerMistake(t *testing.T) {
	for _, src := range []string{
		"version: v1\ncontracts:\n  - spek: a.yaml\n",
		"version: v1\ncontract: []\n",
		"version: v1\ncontracts:\n  - users.yaml\n",
		"version: v1\ncontracts:\n  - spec:\n",
	} {
		if _, diags := Parse("concordat.yaml", []byte(src)); len(diags) != 1 {
			t.Errorf("%q\n%s", src, text(diags))
		}
	}
}

// The schema for editors and the reader must know the same keys.
func TestSchemaNamesEveryKey(t *testing.T) {
	schema, err := os.ReadFile("../../../concordat.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("config.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(\w+)":\s+(?:func\(v \*yaml.Node\)|r\.\w+,)`).FindAllSubmatch(src, -1) {
		if !strings.Contains(string(schema), `"`+string(m[1])+`": {`) {
			t.Errorf("concordat.schema.json does not know %s", m[1])
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("version: v1\ncontracts:\n  - spec: a.yaml\n")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, src string) { Parse("f", []byte(src)) })
}
