package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCredentialsDoNotPrint(t *testing.T) {
	c := Credential{User: "root", Value: "hunter2"}
	text, err := json.Marshal(map[string]any{"c": c, "p": &Presented{Scheme: BasicAuth, Credential: c}})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "c", c, "pointer", &c)
	for _, shown := range []string{string(text), log.String(), fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c, c, c), fmt.Sprintf("%+v", struct{ C Credential }{c}), fmt.Sprintf("%v", &c), fmt.Sprintf("%+v", Presented{Credential: c})} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "root") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
			t.Error(shown)
		}
	}
}

func TestApply(t *testing.T) {
	for name, c := range map[string]struct {
		scheme Scheme
		value  Credential
		fails  string
	}{
		"line feed in a header": {Scheme{Name: "k", Kind: KindAPIKey, In: "header", Param: "K"}, Credential{Value: "a\nX: y"}, "line feed"},
		"semicolon in a cookie": {Scheme{Name: "k", Kind: KindAPIKey, In: "cookie", Param: "K"}, Credential{Value: "a; b"}, "cookie"},
		"key nowhere":           {Scheme{Name: "k", Kind: KindAPIKey, In: "body", Param: "K"}, Credential{Value: "a"}, "body"},
		"colon in a user":       {*BasicAuth, Credential{User: "a:b", Value: "c"}, "colon"},
		"token with a break":    {*BearerToken, Credential{Value: "a\r\nb"}, "line feed"},
		"nothing":               {*BearerToken, Credential{}, "empty"},
		"a kind of tomorrow":    {Scheme{Name: "k", Kind: "quantum"}, Credential{Value: "a"}, "quantum"},
		"a signature that fails": {Scheme{Name: "k", Kind: KindHTTP, HTTP: "hmac"},
			Credential{Sign: func(*http.Request) error { return errors.New("no key") }}, "no key"},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://h/", nil)
		err := c.scheme.Apply(req, c.value)
		if err == nil || !strings.Contains(err.Error(), c.fails) || c.value.Value != "" && len(c.value.Value) > 1 && strings.Contains(err.Error(), c.value.Value) {
			t.Errorf("%s: %v", name, err)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://h/", nil)
	if err := errors.Join(BearerToken.Apply(req, Credential{Value: "a"}), MutualTLS.Apply(req, Credential{})); err != nil {
		t.Error(err)
	}
	if err := BasicAuth.Apply(req, Credential{User: "u", Value: "p"}); err == nil || req.Header.Get("Authorization") != "Bearer a" {
		t.Errorf("two schemes in one header: %v", err)
	}
}

// Whatever Apply writes, present reads.
func TestThereAndBack(t *testing.T) {
	for _, s := range []*Scheme{BasicAuth, BearerToken, {Kind: KindOAuth2}, {Kind: KindOpenID}, {Kind: KindHTTP, HTTP: "digest"},
		{Kind: KindAPIKey, In: "header", Param: "X-Key"}, {Kind: KindAPIKey, In: "query", Param: "api key"}, {Kind: KindAPIKey, In: "cookie", Param: "k"}} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://h/p?x=1", nil)
		req.Header.Set("Cookie", "other=1")
		want := Credential{Value: "va/l+ue="}
		if s == BasicAuth {
			want.User = "ünal"
		}
		if err := s.Apply(req, want); err != nil {
			t.Fatal(err)
		}
		got, there, err := s.present(req)
		if err != nil || !there || got.Value != want.Value || got.User != want.User {
			t.Errorf("%+v: %q, %v, %v", s, got.Value, there, err)
		}
	}
}

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		fail := errors.New("down")
		var failing atomic.Bool
		c := &Cache{From: SourceFunc(func(ctx context.Context) (Credential, error) {
			time.Sleep(time.Second)
			if failing.Load() {
				return Credential{}, fail
			}
			return Credential{Value: fmt.Sprint("t", asked.Add(1)), Expires: time.Now().Add(10 * time.Minute)}, ctx.Err()
		})}
		hold := func(want string, err error) {
			t.Helper()
			if got, e := c.Credential(t.Context()); got.Value != want || !errors.Is(e, err) {
				t.Errorf("got %q, %v; want %q", got.Value, e, want)
			}
		}
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := c.Credential(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller in a hurry: %v", err)
		}
		var wg sync.WaitGroup
		for range 9 {
			wg.Go(func() { hold("t1", nil) })
		}
		wg.Wait()
		time.Sleep(8 * time.Minute)
		hold("t1", nil)
		time.Sleep(61 * time.Second) // less than a minute is left
		hold("t1", nil)              // while it is renewed
		time.Sleep(2 * time.Second)
		hold("t2", nil)
		failing.Store(true)
		time.Sleep(9*time.Minute + 30*time.Second)
		hold("t2", nil) // what holds is not lost because the source is down
		time.Sleep(time.Minute)
		hold("", fail)
		failing.Store(false)
		hold("t3", nil)
		got, err := c.Renew(t.Context(), Credential{Value: "t3"}, nil)
		if err != nil || got.Value != "t4" {
			t.Errorf("renewed: %q, %v", got.Value, err)
		}
		got, err = c.Renew(t.Context(), Credential{Value: "t3"}, nil) // as another call did meanwhile
		if err != nil || got.Value != "t4" || asked.Load() != 4 {
			t.Errorf("renewed already: %q, %v, asked %d times", got.Value, err, asked.Load())
		}
	})
	same := &Cache{From: Static("same")}
	if _, err := same.Renew(t.Context(), Credential{Value: "same"}, nil); err == nil {
		t.Error("nothing new is no error")
	}
	if _, err := (&Cache{From: Static("")}).Credential(t.Context()); err == nil {
		t.Error("an empty token is taken")
	}
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	f := File(name)
	if _, err := f.Credential(t.Context()); err == nil {
		t.Error("a file that is not there")
	}
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(" one\n")
	if c, err := f.Credential(t.Context()); err != nil || c.Value != "one" {
		t.Errorf("%q, %v", c.Value, err)
	}
	if _, err := f.Renew(t.Context(), Credential{Value: "one"}, nil); err == nil {
		t.Error("the same again is nothing new")
	}
	write("two")
	if c, err := f.Renew(t.Context(), Credential{Value: "one"}, nil); err != nil || c.Value != "two" {
		t.Errorf("%q, %v", c.Value, err)
	}
	write("") // being replaced
	if c, err := f.Renew(t.Context(), Credential{Value: "one"}, nil); err != nil || c.Value != "two" {
		t.Errorf("%q, %v", c.Value, err)
	}
	write(strings.Repeat("x", maxFile+1))
	if _, err := File(name).Credential(t.Context()); err == nil || len(err.Error()) > 200 {
		t.Error(err)
	}
}

func TestSources(t *testing.T) {
	t.Setenv("CONCORDAT_TEST_KEY", "v")
	if c, err := Env("CONCORDAT_TEST_KEY").Credential(t.Context()); err != nil || c.Value != "v" {
		t.Error(c.Value, err)
	}
	t.Setenv("CONCORDAT_TEST_KEY", "")
	if _, err := Env("CONCORDAT_TEST_KEY").Credential(t.Context()); err == nil || !strings.Contains(err.Error(), "CONCORDAT_TEST_KEY") {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	verify := Keys(map[string]string{"a": "one", "b": "two", "c": ""})
	for key, want := range map[string]string{"one": "a", "two": "b", "": "", "on": "", "onee": ""} {
		p, err := verify(t.Context(), &Presented{Credential: Credential{Value: key}})
		if got := ""; p != nil && p.Subject != want || p == nil && want != "" || (err == nil) != (want != "") {
			t.Errorf("%q: %v, %v %s", key, p, err, got)
		}
	}
	if !Equal("a", "a") || Equal("a", "b") || Equal("", "a") {
		t.Error("Equal")
	}
}

func TestCheck(t *testing.T) {
	a, b := &Scheme{Name: "a", Kind: KindAPIKey, In: "header", Param: "A"}, &Scheme{Name: "b", Kind: KindAPIKey, In: "header", Param: "B"}
	asked := map[string]int{}
	v := Verifiers{}
	for _, s := range []*Scheme{a, b} {
		v[s] = func(_ context.Context, p *Presented) (*Principal, error) {
			asked[p.Scheme.Name]++
			switch p.Value {
			case "good":
				return &Principal{Subject: p.Scheme.Name, Scopes: []string{"read"}}, nil
			case "down":
				return nil, fmt.Errorf("lost: %w", ErrUnavailable)
			}
			return nil, errors.New("bad")
		}
	}
	c := &Scheme{Name: "c", Kind: KindAPIKey, In: "header", Param: "C"} // nothing verifies it
	need := func(s *Scheme, scopes ...string) Requirement { return Requirement{s, scopes} }
	for _, x := range []struct {
		name   string
		r      Requirements
		header map[string]string
		who    string
		why    Reason
	}{
		{"nothing asked", nil, nil, "", 0},
		{"a", Requirements{{need(a)}}, map[string]string{"A": "good"}, "a", 0},
		{"a or b", Requirements{{need(a)}, {need(b)}}, map[string]string{"A": "bad", "B": "good"}, "b", 0},
		{"a and b", Requirements{{need(a), need(b)}}, map[string]string{"A": "good", "B": "good"}, "a b", 0},
		{"a and not b", Requirements{{need(a), need(b)}}, map[string]string{"A": "good"}, "", Missing},
		{"a and a bad b", Requirements{{need(a), need(b)}}, map[string]string{"A": "good", "B": "bad"}, "", Invalid},
		{"scope", Requirements{{need(a, "read")}}, map[string]string{"A": "good"}, "a", 0},
		{"no scope", Requirements{{need(a, "read", "write")}}, map[string]string{"A": "good"}, "", NoScope},
		{"no scope, but another way", Requirements{{need(a, "write")}, {need(a), need(b)}}, map[string]string{"A": "good", "B": "good"}, "a b", 0},
		{"anybody", Requirements{{need(a)}, {}}, nil, "", 0},
		{"anybody, and better", Requirements{{}, {need(a)}}, map[string]string{"A": "good"}, "a", 0},
		{"cannot tell", Requirements{{need(a)}, {need(b)}}, map[string]string{"A": "down", "B": "bad"}, "", Unavailable},
		{"nothing verifies it", Requirements{{need(c)}}, map[string]string{"C": "good"}, "", unverified},
		{"no certificate", Requirements{{need(MutualTLS)}}, nil, "", Missing},
	} {
		clear(asked)
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://h/", nil)
		for k, value := range x.header {
			req.Header.Set(k, value)
		}
		who, refusal := v.Check(req, x.r, "realm")
		var names []string
		for _, p := range who {
			names = append(names, p.Subject)
		}
		why := Reason(0)
		if refusal != nil {
			why = refusal.Why
		}
		if strings.Join(names, " ") != x.who || why != x.why || (refusal != nil) != (x.who == "" && !strings.HasPrefix(x.name, "anybody") && x.name != "nothing asked") || asked["a"] > 1 || asked["b"] > 1 {
			t.Errorf("%s: %v, %v, asked %v", x.name, names, refusal, asked)
		}
	}
	if got := v.Missing(Requirements{{need(a), need(c)}, {need(MutualTLS)}}); !slices.Equal(got, []*Scheme{c}) {
		t.Errorf("missing %v", got)
	}
	if got := (Requirements{{need(a), need(b)}, {need(c)}, {}}).String(); got != "a and b, or c, or nothing" {
		t.Error(got)
	}
}

func TestPolicy(t *testing.T) {
	p := Policy{"s.S/*": {"user:ann", "scope:admin"}, "s.S/One": {"user:bob"}, "s.T/*": {"*"}}
	for _, c := range []struct {
		operation string
		who       *Principal
		may       bool
	}{
		{"s.S/Two", &Principal{Subject: "ann"}, true},
		{"s.S/Two", &Principal{Subject: "x", Scopes: []string{"admin"}}, true},
		{"s.S/Two", &Principal{Subject: "bob"}, false},
		{"s.S/One", &Principal{Subject: "ann"}, false},
		{"s.S/One", &Principal{Subject: "bob"}, true},
		{"s.S/One", &Principal{Subject: "bob", Peer: &Peer{CommonName: "bob"}}, false}, // a machine is no user
		{"s.T/Any", &Principal{}, true},
		{"s.SS/Two", &Principal{Subject: "ann"}, false},
	} {
		if err := p.Authorize(With(t.Context(), c.who), c.operation, []*Principal{c.who}); (err == nil) != c.may {
			t.Errorf("%s by %v: %v", c.operation, c.who, err)
		}
	}
	for _, wrong := range []Policy{{"users": nil}, {"*": {"bob"}}, {"*": {"cn:"}}, {"*": {"nick:bob"}}, {"*": {""}}} {
		if wrong.Check() == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
	if err := (Policy{"*": {"*", "spiffe://a/b/*", "urn://x", "cn:a"}}).Check(); err != nil {
		t.Error(err)
	}
}

func TestContexts(t *testing.T) {
	type user struct{ name string }
	a, b := &Scheme{Name: "a"}, &Scheme{Name: "b"}
	ctx := With(t.Context(), &Principal{Scheme: a, Subject: "x", Issuer: "i"}, &Principal{Scheme: b, Detail: &user{"ann"}, Peer: &Peer{SPIFFE: "spiffe://d/p"}})
	if u, ok := Detail[*user](ctx); !ok || u.name != "ann" {
		t.Error("Detail")
	}
	if _, ok := Detail[string](ctx); ok {
		t.Error("a Detail of another type")
	}
	if By(ctx, b) == nil || By(ctx, &Scheme{}) != nil || PrincipalOf(ctx).String() != "x of i" || PeerOf(ctx).Name() != "spiffe://d/p" {
		t.Error("who")
	}
	if PrincipalOf(t.Context()).String() != "anonymous" || PeerOf(t.Context()).Name() != "" || PrincipalOf(t.Context()).Has("x") {
		t.Error("nobody")
	}
}
