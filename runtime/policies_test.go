package runtime_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
)

func TestParsePolicies(t *testing.T) {
	p, err := concordat.ParsePolicies([]byte(`{"timeout":"2s","retries":1,"operations":{"GetCustomer":{"timeout":"250ms","hedging":{},"rate":{"per-second":5}}},
		"profiles":{"production":{"breaker":{"rate":0.5},"operations":{"GetCustomer":{"timeout":"100ms"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	prod, err := p.Profile("production")
	if err != nil {
		t.Fatal(err)
	}
	if got := prod.Operations["GetCustomer"]; *got.Timeout != concordat.Duration(100*time.Millisecond) || got.Rate.PerSecond != 5 || prod.Breaker.Rate != 0.5 || *prod.Retries != 1 {
		t.Errorf("%+v", prod)
	}
	if _, err := p.Profile("prod"); err == nil || !strings.Contains(err.Error(), "production") {
		t.Errorf("got %v", err)
	}
	for text, want := range map[string]string{
		``:                                         "there is nothing",
		`{"timeot":"1s"}`:                          "timeot",
		`{"timeout":"1 second"}`:                   "no duration",
		`{"timeout":1}`:                            "Duration",
		`{"timeout":"-1s"}`:                        "negative",
		`{"retries":11}`:                           "from 0 to 10",
		`{"priority":"high"}`:                      "sheddable, normal and critical",
		`{"max-in-flight":-1}`:                     "max-in-flight",
		`{"breaker":{"rate":2}}`:                   "breaker.rate",
		`{"hedging":{"quantile":1}}`:               "hedging.quantile",
		`{"rate":{"per-second":-1}}`:               "rate",
		`{"operations":{"X":{"retries":-1}}}`:      "operation X: retries",
		`{"profiles":{"p":{"profiles":{"q":{}}}}}`: "profile p: a profile has no profiles",
		`{"profiles":{"p":{"operations":{"X":{"retries":-1}}}}}`: "profile p: operation X: retries",
		`{} {}`: "something after",
	} {
		if _, err := concordat.ParsePolicies([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || concordat.ErrorOf(err).Code != concordat.InvalidArgument {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func policies(t testing.TB, text string) *concordat.Policies {
	t.Helper()
	p, err := concordat.ParsePolicies([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What the policies say wins over options, and what they leave out is as those have it.
func TestPoliciesGovernAConnection(t *testing.T) {
	addr, n := backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	c := dial(t, "http://"+addr, concordat.WithRetries(2), concordat.WithGuardOf("test.Things/Get", concordat.Guard{
		Fallback: func(context.Context, *concordat.Call, any, error) (any, error) { return "instead", nil },
	}), concordat.WithPolicies(policies(t, `{"operations":{"Get":{"retries":0}}}`)))
	if out, err := do(t.Context(), c, &getSpec, ""); err != nil || out != "instead" || n.Load() != 1 {
		t.Errorf("%q, %v, %d attempts", out, err, n.Load())
	}
	if err := c.SetPolicies(policies(t, `{"retries":1}`)); err != nil {
		t.Fatal(err)
	}
	if _, _ = do(t.Context(), c, &getSpec, ""); n.Load() != 3 {
		t.Errorf("%d attempts, want one more and its retry", n.Load())
	}
	if err := c.SetPolicies(policies(t, `{"operations":{"Get":{"rate":{"per-second":0.001,"burst":1}}}}`)); err != nil {
		t.Fatal(err)
	}
	before := n.Load()
	_, _ = do(t.Context(), c, &getSpec, "")
	sent := n.Load()
	_, _ = do(t.Context(), c, &getSpec, "")
	if sent == before || n.Load() != sent {
		t.Errorf("%d, %d and %d attempts: the second call is above the rate", before, sent, n.Load())
	}
	same := policies(t, `{"timeout":"3s","operations":{"Get":{"rate":{"per-second":0.001,"burst":1},"timeout":"0s"}}}`)
	for range 2 { // an operation of which nothing changes keeps what it has used up
		if err := c.SetPolicies(same); err != nil {
			t.Fatal(err)
		}
		_, _ = do(t.Context(), c, &getSpec, "")
	}
	if got := n.Load() - sent; got < 1 || got > 3 { // the timeout changed first, so it began anew once
		t.Errorf("%d attempts", got)
	}
}

func TestPolicyTimeout(t *testing.T) {
	c := dial(t, "static:"+hung(t), concordat.WithPlaintext(), concordat.WithPolicy("Post", concordat.Policy{Timeout: new(concordat.Duration(30 * time.Millisecond))}))
	_, err := do(context.Background(), c, &postSpec, "")
	if code(err) != concordat.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestPoliciesNameOperationsOfTheServer(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithPolicy("Gett", concordat.Policy{}))
	answer(s, &getSpec, func(context.Context, string) (string, error) { return "ok", nil })
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `no operation "Gett"; there are: test.Things/Get`) {
		t.Errorf("got %v", err)
	}
}

func TestAdminShowsAndChangesPolicies(t *testing.T) {
	log, said := logs()
	addr, n := backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	c := dial(t, "http://"+addr)
	var calls atomic.Int64
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithLogger(log), concordat.WithAdmin("127.0.0.1:0", c), concordat.WithTimeout(time.Minute))
	answer(s, &getSpec, func(ctx context.Context, _ string) (string, error) {
		calls.Add(1)
		end, _ := ctx.Deadline()
		return fmt.Sprint(time.Until(end) < 10*time.Second), nil
	})
	server := dial(t, "http://"+concordattest.Run(t, s), concordat.WithTimeout(0))
	admin := s.AdminHandler()
	ask := func(method, body string, change func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://127.0.0.1/policies", strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Content-Type", "application/json")
		if change != nil {
			change(r)
		}
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, r)
		return w
	}
	target := c.String()
	if w := ask("PUT", fmt.Sprintf(`{"server":{"operations":{"Get":{"timeout":"5s"}}},"connections":{%q:{"retries":0}}}`, target), nil); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if out, err := do(t.Context(), server, &getSpec, ""); err != nil || out != "true" {
		t.Errorf("%q, %v: the handler has five seconds", out, err)
	}
	if _, _ = do(t.Context(), c, &getSpec, ""); n.Load() != 1 {
		t.Errorf("%d attempts", n.Load())
	}
	if w := ask("GET", "", nil); !strings.Contains(w.Body.String(), `"timeout": "5s"`) || !strings.Contains(w.Body.String(), `"retries": 0`) {
		t.Errorf("%s", w.Body)
	}
	if !strings.Contains(said(), "policies were changed") {
		t.Errorf("not logged: %s", said())
	}
	shown := ask("GET", "", nil).Body.String()
	for body, want := range map[string]string{
		`{"server":{"operations":{"Gett":{}}},"connections":{"` + target + `":{"retries":5}}}`: "there are: test.Things/Get",
		`{"connections":{"http://other":{}}}`:                                                  "no connection",
		`{"connections":{"` + target + `":{"operations":{"a.B/C":{}}}}}`:                       "no operation of the service",
		`{"clients":{}}`:                  "clients",
		`{"server":{"retries":99}}`:       "from 0 to 10",
		strings.Repeat(" ", 2<<20) + `{}`: "at most",
	} {
		if w := ask("PUT", body, nil); w.Code/100 != 4 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.80s: %d %s, want %q", body, w.Code, w.Body, want)
		}
	}
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.RemoteAddr = "192.0.2.1:1" },
		func(r *http.Request) { r.Host = "evil.example" },
		func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1") },
		func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
	} {
		if w := ask("PUT", `{"server":{}}`, change); w.Code/100 != 4 {
			t.Errorf("%d: it was let in", w.Code)
		}
	}
	if got := ask("GET", "", nil).Body.String(); got != shown {
		t.Errorf("a refused change left %s", got)
	}
}
