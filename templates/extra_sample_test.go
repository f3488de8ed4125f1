package templates

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/templates/golang"
)

func listCustomers() *golang.Method {
	return &golang.Method{Name: "ListCustomers", Var: "listCustomers", Sig: golang.Call, In: local("ListCustomersRequest"), Out: local("Customers"),
		Pages: &golang.Pages{Name: "AllListCustomers", Doc: []string{"AllListCustomers yields what ListCustomers gives, page after page."},
			Item: local("Customer"), Param: "pageToken", Items: "/data", Next: "/nextPageToken"}}
}

func link() *golang.Link {
	to := &golang.Method{Var: "listOrders", In: local("ListOrdersRequest")}
	return &golang.Link{Name: "GetCustomerOrders", Doc: []string{"GetCustomerOrders asks ListOrders for the orders of a customer."}, From: getCustomer(), To: to,
		Values: []golang.LinkValue{{Place: "Query", Name: "customer", Expression: "$response.body#/id"}}}
}

func callback() *golang.Callback {
	return &golang.Callback{Name: "GetCustomerOnMoveURL", Doc: []string{"GetCustomerOnMoveURL is where the callback onMove of GetCustomer is sent."},
		From: getCustomer(), Address: "{$request.query.callback}"}
}

func regional() *golang.Server {
	return &golang.Server{Name: "ServerURL", URL: "https://{region}.example.com", Vars: "ServerVariables",
		Fields: []*golang.ServerVariable{{Field: "Region", Name: "region", Default: "eu", Enum: []string{"eu", "us"}, Comment: `"eu" unless set; eu, us`}}}
}

func TestServerWithVariables(t *testing.T) {
	const want = `return stub.ServerURL("https://{region}.example.com", stub.Variable{Name: "region", Value: v.Region, Default: "eu", Enum: []string{"eu", "us"}})`
	if got := render(t, servers([]*golang.Server{regional()})); !strings.Contains(got, want) {
		t.Error(got)
	}
}
