package config

import (
	"strings"
	"testing"
)

const policed = `version: v1
contracts:
  - spec: users.yaml
    policies:
`

func TestPolicies(t *testing.T) {
	c, diags := Parse("concordat.yaml", []byte(policed+`      timeout: 2s
      retries: 1
      operations:
        GetCustomer: {timeout: 250ms, hedging: {quantile: 0.9}, priority: critical}
      profiles:
        production:
          breaker: {}
          operations: {ListCustomers: {rate: {per-second: 5}}}
`))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	p := c.Contracts[0].Policies
	const want = `{"operations":{"GetCustomer":{"hedging":{"quantile":0.9},"priority":"critical","timeout":"250ms"}},` +
		`"profiles":{"production":{"breaker":{},"operations":{"ListCustomers":{"rate":{"per-second":5}}}}},"retries":1,"timeout":"2s"}`
	if p.Text != want {
		t.Errorf("%s", p.Text)
	}
	if p.Operations["ListCustomers"].Line != 12 || len(p.Operations) != 2 {
		t.Errorf("%v", p.Operations)
	}
}

func TestPoliciesThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"timeot: 2s":                          `did you mean "timeout"`,
		"timeout: 2":                          "timeout",
		"timeout: soon":                       "no duration",
		"retries: 11":                         "from 0 to 10",
		"retries: []":                         "a single value",
		"operations: [Get]":                   "a mapping",
		"operations: {Get: {retrys: 1}}":      `did you mean "retries"`,
		"breaker: {rate: 2}":                  "breaker.rate",
		"hedging: true":                       "a mapping",
		"profiles: {dev: {profiles: {}}}":     "profiles",
		"operations: {Get: {operations: {}}}": "operations",
		"rate: {per-second: .nan}":            "cannot be read",
		"priority: urgent":                    "sheddable, normal and critical",
	} {
		_, diags := Parse("concordat.yaml", []byte(policed+"      "+text+"\n"))
		if len(diags) != 1 || !strings.Contains(diags[0].Message+diags[0].Help, want) {
			t.Errorf("%s: %v, want %q", text, diags, want)
		}
	}
}
