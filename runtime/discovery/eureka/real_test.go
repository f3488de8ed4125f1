package eureka

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/internal/registries"
	"github.com/concordat-dev/concordat/runtime/discovery"
)

// TestReal goes through the life of instances with Netflix's own server, a crash that
// forgets everything included. Its evictions are set to be rare, so that it says UP of an
// instance that is long dead, as it does when it preserves itself.
func TestReal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Eureka")
	}
	port := registries.Ports(t, 1)[0]
	start := func() *registries.Server { return registries.StartEureka(t, port, 10*time.Minute) }
	server := start()
	base := fmt.Sprintf("http://127.0.0.1:%d/eureka", port)
	r, err := New(Config{Servers: []string{base}, Fetch: 200 * time.Millisecond, Lease: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	sets := follow(ctx, t, r, "eureka://users")
	await(t, sets, "")

	var sick sync.Map
	announce := func(id string, p int) (stop func() error) {
		on, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		i := discovery.Instance{Service: "users", ID: id, Addr: fmt.Sprintf("127.0.0.1:%d", p), Secure: true, Weight: 3, Zone: "a", ServerName: "users.test",
			Health: func(context.Context) error {
				if _, ok := sick.Load(id); ok {
					return errors.New("as told")
				}
				return nil
			}}
		go func() { done <- discovery.Announce(on, r, i, nil) }()
		return func() error { end(); return <-done }
	}
	stopOne := announce("one:1", 1001)
	set := await(t, sets, "127.0.0.1:1001")
	if e := set[0]; e.Weight != 3 || e.Zone != "a" || e.ServerName != "users.test" {
		t.Errorf("%+v", e)
	}
	stopTwo := announce("two:2", 1002)
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	sick.Store("two:2", true)
	await(t, sets, "127.0.0.1:1001")
	sick.Delete("two:2")
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	server.Kill()
	await(t, sets, "error")
	start()
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	dead := discovery.Instance{Service: "users", ID: "dead:3", Addr: "127.0.0.1:1003"}
	if err := r.Register(ctx, dead, nil); err != nil {
		t.Fatal(err)
	}
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002 127.0.0.1:1003")
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002") // its lease is over, though Eureka does not say so
	everything, err := (&watch{Registry: r}).get(ctx, "/apps")
	if err != nil || !slices.ContainsFunc(everything.Apps[0].Instances, func(i instance) bool { return i.ID == "dead:3" && i.Status == "UP" }) {
		t.Errorf("%+v, %v: Eureka evicted it, so nothing was shown", everything, err)
	}
	if err := r.Deregister(ctx, dead); err != nil {
		t.Error(err)
	}

	if err := stopTwo(); err != nil {
		t.Error(err)
	}
	await(t, sets, "127.0.0.1:1001")
	if err := stopOne(); err != nil {
		t.Error(err)
	}
	await(t, sets, "")
	if err := r.Renew(ctx, dead, errors.New("never told")); err != nil {
		t.Errorf("%v: a change of health is a registration", err)
	}
	r.tell(discovery.Instance{Service: "users", ID: "nobody"}, "UP")
	if err := r.Renew(ctx, discovery.Instance{Service: "users", ID: "nobody"}, nil); !errors.Is(err, discovery.ErrUnknown) {
		t.Error(err)
	}
}

// A report is what a resolver says: addresses joined by spaces, or "error".
type report struct {
	text string
	set  []discovery.Endpoint
}

func follow(ctx context.Context, t *testing.T, r discovery.Resolver, s string) <-chan report {
	sets := make(chan report, 1000)
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
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
	for late := time.After(2 * time.Minute); ; {
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
