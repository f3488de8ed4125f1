package asyncapi

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestSecondOpinion shows that parser-go is really asked, what it says, and that what it
// breaks on is no opinion.
func TestSecondOpinion(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"sound", `{"asyncapi":"2.6.0","info":{"title":"T","version":"1"},"channels":{"a":{"publish":{"message":{"payload":{}}}}}}`, ""},
		{"a fault", `{"asyncapi":"2.6.0","info":{"title":"T"},"channels":{}}`, "version is required"},
		{"a version as a number, which makes it panic", `{"asyncapi":2.6,"info":{"title":"T","version":"1"},"channels":{}}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ask([]byte(tt.text), time.Minute)
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("parser-go says %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSecondOpinionInTime shows that a parser that does not answer is not waited for, and
// that it keeps later questions from piling up behind it.
func TestSecondOpinionInTime(t *testing.T) {
	asking <- struct{}{} // somebody is being answered, and never will be
	defer func() { <-asking }()
	if got := ask([]byte(`{}`), time.Millisecond); got != "" {
		t.Errorf("parser-go says %q", got)
	}
}

// TestSecondOpinionStaysAtHome shows that nothing goes to the network, neither for a
// document nor for the schemas that parser-go brings.
func TestSecondOpinionStaysAtHome(t *testing.T) {
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	http.DefaultTransport = roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked for %s", r.URL)
		return nil, errors.New("no network")
	})
	for _, v := range []string{"2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.5.0", "2.6.0"} {
		got := ask([]byte(`{"asyncapi":"`+v+`","info":{"title":"T","version":"1"},"channels":{"a":{"publish":{"message":{"payload":{"type":"object"}}}}}}`), time.Minute)
		if got != "" {
			t.Errorf("%s: parser-go says %s", v, got)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestBundle shows what parser-go is shown: one document without references, or nothing.
func TestBundle(t *testing.T) {
	tests := []struct {
		name, text string
		failed     bool
	}{
		{"references", head2 + "channels: {a: {publish: {message: {$ref: '#/components/messages/m'}}}}\ncomponents: {messages: {m: {payload: {}}}}\n", false},
		{"recursion", head2 + "channels: {}\ncomponents: {schemas: {A: {properties: {a: {$ref: '#/components/schemas/A'}}}}}\n", true},
		{"a reference to the whole", head2 + "channels: {}\nx-all: {$ref: '#'}\n", true},
		{"a broken reference", head2 + "channels: {}\nx-no: {$ref: '#/nowhere'}\n", true},
		{"a remote reference", head2 + "channels: {}\nx-no: {$ref: 'https://x.example/y'}\n", true},
		{"too large", head2 + "channels: {}\nx-list: [" + strings.Repeat("1,", opinionNodes) + "1]\n", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := readerOf(t, tt.text)
			b := &bundler{r: r, left: opinionNodes}
			got := b.bundle(r.root)
			if b.failed != tt.failed {
				t.Errorf("failed: %v, want %v (%v)", b.failed, tt.failed, got)
			}
		})
	}
}

// TestSecondOpinionOnGoodDocuments shows that it stays silent where it should.
func TestSecondOpinionOnGoodDocuments(t *testing.T) {
	_, ds := Parse(t.Context(), "testdata/lights.json", os.ReadFile)
	for _, d := range ds {
		if d.Code == "second-opinion" {
			t.Error(show(d))
		}
	}
}
