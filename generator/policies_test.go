package generator

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/templates/golang"
)

func packageOf(service string, methods ...string) *golang.Package {
	s := &golang.Service{Name: service}
	for _, m := range methods {
		s.Methods = append(s.Methods, &golang.Method{Name: m, Op: &golang.Op{Name: "shop." + service + "/" + m}})
	}
	return &golang.Package{Name: strings.ToLower(service), Units: []*golang.Unit{{Services: []*golang.Service{s}}}}
}

func TestEachPackageGetsItsOwnPolicies(t *testing.T) {
	users, orders, empty := packageOf("Users", "Get", "List"), packageOf("Orders", "Place"), packageOf("None")
	taken := packageScope()
	taken.name("Policies")
	o := Options{Policies: Policies{
		Text:       `{"timeout":"1s","operations":{"Get":{"retries":0},"shop.Orders/Place":{"retries":1}},"profiles":{"dev":{"operations":{"Place":{"timeout":"1m"}}}}}`,
		Operations: map[string]contract.Span{"Get": {}, "shop.Orders/Place": {}, "Place": {}},
	}}
	var diags diag.List
	govern([]*golang.Package{users, orders, empty}, []*scope{packageScope(), taken, packageScope()}, o, &diags)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if got, want := users.Policies.Text, `{"operations":{"Get":{"retries":0}},"profiles":{"dev":{"operations":{}}},"timeout":"1s"}`; got != want {
		t.Errorf("%s", got)
	}
	if got, want := orders.Policies.Text, `{"operations":{"shop.Orders/Place":{"retries":1}},"profiles":{"dev":{"operations":{"Place":{"timeout":"1m"}}}},"timeout":"1s"}`; got != want {
		t.Errorf("%s", got)
	}
	if orders.Policies.Name != "PoliciesOf" || empty.Policies != nil {
		t.Errorf("%s, %v", orders.Policies.Name, empty.Policies)
	}
}

func TestPoliciesOfUnknownOperations(t *testing.T) {
	var diags diag.List
	at := contract.Span{File: "concordat.yaml", Line: 7}
	govern([]*golang.Package{packageOf("Users", "Get")}, []*scope{packageScope()}, Options{Policies: Policies{Text: `{"operations":{"Gett":{}}}`, Operations: map[string]contract.Span{"Gett": at}}}, &diags)
	if len(diags) != 1 || diags[0].Code != "config-policy" || diags[0].Span != at || !strings.Contains(diags[0].Help, "Get") {
		t.Errorf("%v", diags)
	}
}
