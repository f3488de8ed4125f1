package stub_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// instrumented says that the race detector adds allocations of its own.
var instrumented bool

// A discarding writer keeps its header, as a connection does not.
type discarding struct{ header http.Header }

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) Write(b []byte) (int, error) { return len(b), nil }
func (d *discarding) WriteHeader(int)             {}

// What one request allocates between net/http and the handler, and back. A list's reply
// costs no more than one of its elements: buffers are used again.
func TestAllocationsOfHandlers(t *testing.T) {
	if instrumented {
		t.Skip("the race detector allocates")
	}
	page := &ListPetsResponse{Body: make(Pets, 100)}
	p := PetsServer{
		list:   func(context.Context, *ListPetsRequest) (*ListPetsResponse, error) { return page, nil },
		create: func(_ context.Context, in *CreatePetRequest) (*Pet, error) { return &in.Body, nil },
	}
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	p.register(s)
	body := strings.NewReader("")
	list := httptest.NewRequest(http.MethodGet, "/pets?limit=100", nil)
	create := httptest.NewRequest(http.MethodPost, "/pets", io.NopCloser(body))
	create.Header.Set("Content-Type", "application/json")
	create.ContentLength = -1
	w := &discarding{http.Header{}}
	for name, c := range map[string]struct {
		r    *http.Request
		most float64
	}{
		"list": {list, 10},
		"post": {create, 16},
	} {
		const text = `{"id":1,"name":"Rex","tag":"good","born":"2024-02-29T12:00:00Z"}`
		n := testing.AllocsPerRun(200, func() {
			body.Reset(text)
			c.r.Body = io.NopCloser(body)
			s.ServeHTTP(w, c.r)
		})
		if n > c.most {
			t.Errorf("%s: %v allocations, want %v at most", name, n, c.most)
		}
	}
}
