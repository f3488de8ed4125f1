package templates

// roundTrip runs in the module of TestSamplesCompile: the printed client calls the
// printed fake through the printed server half.
const roundTrip = `package users_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"example.com/shop/users"
	"example.com/shop/users/userstest"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
)

func TestRoundTrip(t *testing.T) {
	id := concordat.UUID{1, 2, 3}
	srv := concordat.NewServer(concordat.WithVerifier(users.APIKey, auth.Keys(map[string]string{"desk": "secret"})), concordat.WithVerifier(users.OAuth, auth.Keys(nil)))
	users.Register(srv, userstest.Users{
		OnGetCustomer: func(_ context.Context, in *users.GetCustomerRequest) (*users.Customer, error) {
			return &users.Customer{ID: in.CustomerID, Tags: []string{"a", "b"}}, nil
		},
		OnPutCustomer: func(_ context.Context, in *users.PutCustomerRequest) (*users.PutCustomerResponse, error) {
			return &users.PutCustomerResponse{Status: 200, OK: &in.Body, ETag: &in.Tag[1]}, nil
		},
	})
	ts := httptest.NewServer(srv)
	defer ts.Close()
	conn, err := concordat.NewConn(ts.URL, concordat.WithPlaintext(), concordat.WithCredentials(users.APIKey, auth.Static("secret")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := users.NewClient(conn)

	got, err := client.GetCustomer(t.Context(), &users.GetCustomerRequest{CustomerID: id})
	if err != nil || got.ID != id || len(got.Tags) != 2 {
		t.Errorf("GetCustomer: %+v, %v", got, err)
	}
	put, err := client.PutCustomer(t.Context(), &users.PutCustomerRequest{CustomerID: id, Tag: []string{"x", "y"}, Body: users.Customer{ID: id}})
	if err != nil || put.Status != 200 || put.OK == nil || put.OK.ID != id || put.ETag == nil || *put.ETag != "y" {
		t.Errorf("PutCustomer: %+v, %v", put, err)
	}
	var failure *concordat.Error
	if err := client.DeleteCustomer(t.Context(), &users.DeleteCustomerRequest{CustomerID: id}); !errors.As(err, &failure) || failure.Code != concordat.Unimplemented {
		t.Errorf("DeleteCustomer: %v, want unimplemented", err)
	}
}

func TestUnionAndRecursion(t *testing.T) {
	lost := users.StatusLost
	want := users.Node{Next: &users.Node{Payment: &users.Card{Last4: "1234"}, Status: &lost}, Payment: &users.IBAN{}}
	text, err := want.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var got users.Node
	if err := got.UnmarshalJSON(text); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if card, ok := got.Next.Payment.(*users.Card); !ok || card.Last4 != "1234" || *got.Next.Status != lost {
		t.Errorf("%s became %+v", text, got)
	}
}
`
