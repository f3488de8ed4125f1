package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/internal/registries"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
)

// TestReal goes through the life of two instances with Consul itself, a crash that
// forgets everything included.
func TestReal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Consul")
	}
	port := registries.Ports(t, 1)[0]
	server := registries.StartConsul(t, port)
	// Long enough for renewals to be late on a busy machine.
	r, err := New(Config{Addr: fmt.Sprintf("http://127.0.0.1:%d", port), TTL: 3 * time.Second, Spacing: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	sets := follow(ctx, t, r, "consul://users?tag=v2")
	await(t, sets, "")

	var sick sync.Map
	announce := func(id string, p int, tags ...string) (stop func() error) {
		on, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		i := discovery.Instance{Service: "users", ID: id, Addr: fmt.Sprintf("127.0.0.1:%d", p), Tags: tags, Weight: 3, Zone: "a", ServerName: "users.test",
			Health: func(context.Context) error {
				if _, ok := sick.Load(id); ok {
					return errors.New("as told")
				}
				return nil
			}}
		go func() { done <- discovery.Announce(on, r, i, nil) }()
		return func() error { end(); return <-done }
	}
	stopOne := announce("one", 1001, "v2")
	set := await(t, sets, "127.0.0.1:1001")
	if e := set[0]; e.Weight != 3 || e.Zone != "a" || e.ServerName != "users.test" {
		t.Errorf("%+v", e)
	}
	stopTwo := announce("two", 1002, "v2", "blue")
	announce("old", 1003, "v1")
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	sick.Store("two", true)
	await(t, sets, "127.0.0.1:1001")
	sick.Delete("two")
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	server.Kill() // its index begins at nothing again
	await(t, sets, "error")
	registries.StartConsul(t, port)
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	if err := stopTwo(); err != nil {
		t.Error(err)
	}
	await(t, sets, "127.0.0.1:1001")
	if err := stopOne(); err != nil {
		t.Error(err)
	}
	await(t, sets, "")

	// An instance that dies without a word is dropped when its check is.
	if err := r.Register(ctx, discovery.Instance{Service: "users", ID: "dead", Addr: "127.0.0.1:1004", Tags: []string{"v2"}}, nil); err != nil {
		t.Fatal(err)
	}
	await(t, sets, "127.0.0.1:1004")
	await(t, sets, "")
}

// TestRealRights shows what Consul answers to those who may not read or write.
func TestRealRights(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Consul")
	}
	const secret = "6a0e1c1e-8f6f-4f58-9d8b-0d6a3a3f5a01"
	port := registries.Ports(t, 1)[0]
	registries.StartConsul(t, port, "-hcl", `acl { enabled = true default_policy = "deny" tokens { initial_management = "`+secret+`" } }`)
	with := func(token string) *Registry {
		r, err := New(Config{Addr: fmt.Sprintf("http://127.0.0.1:%d", port), Token: token, Spacing: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	boss := follow(ctx, t, with(secret), "consul://users")
	for { // the token exists once there is a leader
		if err := with(secret).Register(ctx, here, nil); err == nil {
			break
		} else if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	await(t, boss, here.Addr)
	var powerless struct{ SecretID string }
	if _, err := with(secret).web.JSON(ctx, web.Exchange{Method: http.MethodPut, Path: "/v1/acl/token", Body: map[string]string{"Description": "may do nothing"}}, &powerless); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		powerless.SecretID:                     "error",
		"6a0e1c1e-0000-0000-0000-000000000000": "error",
		"":                                     "", // to strangers Consul does not say that it hides something
	} {
		if err := with(token).Register(ctx, here, nil); web.StatusOf(err) != http.StatusForbidden {
			t.Errorf("token %q: %v", token, err)
		}
		if err := with(token).Renew(ctx, here, nil); err == nil || errors.Is(err, discovery.ErrUnknown) {
			t.Errorf("token %q: %v", token, err)
		}
		await(t, follow(ctx, t, with(token), "consul://users"), want)
	}
}

// A report is what a resolver says: addresses joined by spaces, or "error".
type report struct {
	text string
	set  []discovery.Endpoint
}

func follow(ctx context.Context, t *testing.T, r discovery.Resolver, s string) <-chan report {
	sets := make(chan report, 1000)
	u := target(t, s)
	var wg sync.WaitGroup
	wg.Go(func() {
		for set, err := range r.Resolve(ctx, u) {
			text := ""
			for i, e := range set {
				if i > 0 {
					text += " "
				}
				text += e.Addr
			}
			if err != nil {
				text = "error"
			}
			sets <- report{text, set}
		}
	})
	t.Cleanup(wg.Wait)
	return sets
}

// await returns the first set that reads as wanted.
func await(t *testing.T, sets <-chan report, want string) []discovery.Endpoint {
	t.Helper()
	var seen []string
	for late := time.After(time.Minute); ; {
		select {
		case r := <-sets:
			if r.text == want {
				return slices.Clone(r.set)
			}
			seen = append(seen, r.text)
		case <-late:
			t.Fatalf("waited for %q, saw %q", want, seen)
		}
	}
}
