package run

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	oapi "github.com/concordat-dev/concordat/bench/openapi/gen/oapi-codegen/orders"
	ogen "github.com/concordat-dev/concordat/bench/openapi/gen/ogen/orders"
)

// fifth is the last and longest of the contract's five routes.
const fifth = "/orders/0b9d3c52-6d1e-4c9e-9a55-6f0b8f2a7c11/payment"

// Concordat's router is internal to its runtime: what measures it is ../lookup_test.go.txt.
func BenchmarkRoute5(b *testing.B) {
	b.Run(ogenSide, func(b *testing.B) {
		s, err := ogen.NewServer(ogen.UnimplementedHandler{})
		if err != nil {
			b.Fatal(err)
		}
		u := &url.URL{Path: fifth}
		measure(b, func() {
			if _, ok := s.FindPath("PUT", u); !ok {
				b.Fatal("no route")
			}
		})
	})
	b.Run(oapiSide, func(b *testing.B) {
		mux := http.NewServeMux()
		oapi.HandlerFromMux(&oapiImpl{}, mux)
		lookUp(b, mux, httptest.NewRequest("PUT", fifth, nil))
	})
}

func BenchmarkRoute1000(b *testing.B) {
	b.Run(oapiSide, func(b *testing.B) {
		mux := http.NewServeMux()
		for i := range 250 {
			for _, r := range []string{"GET /resource%d", "POST /resource%d", "GET /resource%d/{id}", "PUT /resource%d/{id}/part"} {
				mux.HandleFunc(fmt.Sprintf(r, i), func(http.ResponseWriter, *http.Request) {})
			}
		}
		lookUp(b, mux, httptest.NewRequest("PUT", "/resource123/0b9d3c52-6d1e-4c9e-9a55-6f0b8f2a7c11/part", nil))
	})
}

// lookUp asks the mux for the handler, which it does without the parameters' values.
func lookUp(b *testing.B, mux *http.ServeMux, req *http.Request) {
	measure(b, func() {
		if _, pattern := mux.Handler(req); pattern == "" {
			b.Fatal("no route")
		}
	})
}
