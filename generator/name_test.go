package generator

import (
	"testing"

	"github.com/concordat-dev/concordat/contract"
)

func TestPackageName(t *testing.T) {
	for _, c := range []struct {
		format contract.Format
		name   string
		want   string
	}{
		{contract.OpenAPI, "users", "users"},
		{contract.OpenAPI, "Train Travel API", "traintravelapi"},
		{contract.AsyncAPI, "account-service", "accountservice"},
		{contract.OpenAPI, "context", "contextapi"},
		{contract.OpenAPI, "", "api"},
		{contract.Protobuf, "retail.orders.v1", "ordersv1"},
		{contract.Protobuf, "acme.pets.v1beta2", "petsv1beta2"},
		{contract.Protobuf, "grpc.health", "health"},
		{contract.Protobuf, "v1", "v1"},
		{contract.Protobuf, "", "api"},
	} {
		if got := PackageName(&contract.Contract{Format: c.format, Name: c.name}); got != c.want {
			t.Errorf("%v %q: got %s, want %s", c.format, c.name, got, c.want)
		}
	}
}
