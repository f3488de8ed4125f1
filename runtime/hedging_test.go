package runtime

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/hedge"
)

// In virtual time: endpoint a answers in 10 ms until it is told otherwise, b always.
func TestHedging(t *testing.T) {
	for name, c := range map[string]struct {
		spec   Spec
		slow   time.Duration // what a takes
		status int           // what a says then
		hedged bool
	}{
		"slow":           {Spec{Name: "x", Idempotent: true}, time.Second, 200, true},
		"hung":           {Spec{Name: "x", Idempotent: true}, time.Hour, 200, true},
		"slow failure":   {Spec{Name: "x", Idempotent: true}, 12 * time.Millisecond, 503, true},
		"fast":           {Spec{Name: "x", Idempotent: true}, 5 * time.Millisecond, 200, false},
		"not idempotent": {Spec{Name: "x"}, time.Second, 200, false},
		"stream":         {Spec{Name: "x", Kind: ServerStream, Idempotent: true}, time.Second, 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var asked []string
				slow, status := 10*time.Millisecond, 200
				conn := scripted(t, "static:a:1,b:1", func(r *http.Request) (*http.Response, error) {
					mu.Lock()
					asked = append(asked, r.URL.Host)
					d, s := 10*time.Millisecond, 200
					if r.URL.Host == "a:1" {
						d, s = slow, status
					}
					mu.Unlock()
					select {
					case <-time.After(d):
						return reply(s), nil
					case <-r.Context().Done():
						return nil, r.Context().Err()
					}
				}, WithHedging(hedge.Default))
				defer conn.Close()
				for range 200 {
					if _, err := exchange(t.Context(), conn, &c.spec); err != nil {
						t.Fatal(err)
					}
				}
				mu.Lock()
				slow, status, asked = c.slow, c.status, nil
				mu.Unlock()
				for _, e := range conn.ends.group.Set().All {
					if e.Addr == "b:1" { // so that a is drawn
						e.Load.Seed(conn.now(), time.Minute)
					}
				}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				addr, err := exchange(ctx, conn, &c.spec)
				took := time.Since(start)
				mu.Lock()
				order := slices.Clone(asked)
				mu.Unlock()
				if err != nil || (strings.Join(order, " ") == "a:1 b:1") != c.hedged {
					t.Fatalf("%s answered, asked were %v: %v", addr, order, err)
				}
				if c.hedged && (addr != "b:1" || took > 25*time.Millisecond) {
					t.Errorf("%s answered after %v", addr, took)
				}
				synctest.Wait()
				for _, e := range conn.ends.group.Set().All {
					if n := e.Load.InFlight(); n != 0 {
						t.Errorf("%d calls seem to be in flight at %s", n, e.Addr)
					}
				}
			})
		})
	}
}
