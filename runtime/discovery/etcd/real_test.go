package etcd

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

// TestReal goes through the life of two instances with etcd itself, a crash, a lost lease
// and a compacted history included.
func TestReal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts etcd")
	}
	port, dir := registries.Ports(t, 1)[0], t.TempDir()
	server := registries.StartEtcd(t, dir, port)
	r, err := New(Config{Servers: []string{fmt.Sprintf("http://127.0.0.1:%d", port)}, TTL: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	sets := follow(ctx, t, r, "etcd://users")
	await(t, sets, "")

	var sick sync.Map
	announce := func(id string, p int) (stop func() error) {
		on, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		i := discovery.Instance{Service: "users", ID: id, Addr: fmt.Sprintf("127.0.0.1:%d", p), Weight: 3, Zone: "a", ServerName: "users.test",
			Health: func(context.Context) error {
				if _, ok := sick.Load(id); ok {
					return errors.New("as told")
				}
				return nil
			}}
		go func() { done <- discovery.Announce(on, r, i, nil) }()
		return func() error { end(); return <-done }
	}
	stopOne := announce("one", 1001)
	set := await(t, sets, "127.0.0.1:1001")
	if e := set[0]; e.Weight != 3 || e.Zone != "a" || e.ServerName != "users.test" {
		t.Errorf("%+v", e)
	}
	stopTwo := announce("two", 1002)
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	sick.Store("two", true)
	await(t, sets, "127.0.0.1:1001")
	sick.Delete("two")
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	r.mu.Lock() // the lease ends behind our back
	id := r.leases["/services/users/two"].id
	r.mu.Unlock()
	if err := r.revoke(ctx, id); err != nil {
		t.Fatal(err)
	}
	await(t, sets, "127.0.0.1:1001")
	await(t, sets, "127.0.0.1:1001 127.0.0.1:1002")

	server.Kill()
	registries.StartEtcd(t, dir, port) // leases live on with the data; nothing has changed
	if err := stopTwo(); err != nil {
		t.Error(err)
	}
	await(t, sets, "127.0.0.1:1001")
	if err := stopOne(); err != nil {
		t.Error(err)
	}
	await(t, sets, "")
}

// A watch that begins before what etcd still remembers is refused, by etcd itself.
func TestRealCompaction(t *testing.T) {
	if testing.Short() {
		t.Skip("starts etcd")
	}
	port := registries.Ports(t, 1)[0]
	registries.StartEtcd(t, t.TempDir(), port)
	r, err := New(Config{Servers: []string{fmt.Sprintf("http://127.0.0.1:%d", port)}})
	if err != nil {
		t.Fatal(err)
	}
	w := watch{Registry: r, prefix: "/services/users/"}
	if err := w.list(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := r.Register(t.Context(), here, nil); err != nil {
			t.Fatal(err)
		}
	}
	var got struct{}
	if err := r.call(t.Context(), "/v3/kv/compaction", map[string]any{"revision": fmt.Sprint(w.revision + 3)}, &got); err != nil {
		t.Fatal(err)
	}
	if err := w.follow(t.Context()); !errors.Is(err, errCompacted) {
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
