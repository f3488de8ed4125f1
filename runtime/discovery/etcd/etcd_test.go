package etcd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

func listen(t *testing.T, r discovery.Resolver, target string, d time.Duration) []string {
	t.Helper()
	defer synctest.Wait() // for handlers, whose notes the test reads
	return hear(t, r, target, d)
}

// hear is listen, outside virtual time.
func hear(t *testing.T, r discovery.Resolver, target string, d time.Duration) []string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var got []string
	start := time.Now()
	for set, err := range r.Resolve(ctx, u) {
		line := fmt.Sprintf("+%v", time.Since(start).Truncate(time.Second))
		if err != nil {
			line += " error: " + err.Error()
		}
		for _, e := range set {
			line += " " + e.Addr
		}
		got = append(got, line)
	}
	return got
}

func same(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool {
		if start, in, ok := strings.Cut(w, " error: "); ok {
			return strings.HasPrefix(g, start+" error: ") && strings.Contains(g, in)
		}
		return g == w
	})
}

const a, b = `{"addr":"10.0.0.1:80"}`, `{"addr":"10.0.0.2:80"}`

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(f *fake) // from the start on, in a goroutine of its own
		want []string
	}{
		{"changes", func(f *fake) {
			f.put("/services/users/1", a, "")
			f.put("/services/users-of-others/1", b, "")
			time.Sleep(10 * time.Second)
			f.put("/services/users/2", b, "")
			time.Sleep(10 * time.Second)
			f.remove("/services/users/1")
			time.Sleep(10 * time.Second)
			f.remove("/services/users/2")
		}, []string{"+0s 10.0.0.1:80", "+10s 10.0.0.1:80 10.0.0.2:80", "+20s 10.0.0.2:80", "+30s"}},
		{"nothing is known", func(f *fake) {}, []string{"+0s"}},
		{"a value that nobody understands", func(f *fake) {
			f.put("/services/users/1", a, "")
			f.put("/services/users/2", "\x00", "")
			time.Sleep(10 * time.Second)
			f.put("/services/users/2", b, "")
		}, []string{"+0s 10.0.0.1:80", "+0s error: not JSON: /services/users/2", "+10s 10.0.0.1:80 10.0.0.2:80"}},
		{"pages", func(f *fake) {
			f.page = 1
			f.put("/services/users/1", a, "")
			f.put("/services/users/2", b, "")
		}, []string{"+0s 10.0.0.1:80 10.0.0.2:80"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				r := registry(t, Config{}, f)
				go c.do(f)
				synctest.Wait()
				if got := listen(t, r, "etcd://users", 40*time.Minute); !same(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				if n := f.asked["/v3/watch"]; n < 7 || n > 10 {
					t.Errorf("%d watches within 40 minutes", n)
				}
			})
		})
	}
}

// History that etcd has thrown away is replaced by reading everything anew.
func TestCompaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.put("/services/users/1", a, "")
		r := registry(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v3/watch" && f.compacted == 0 {
				f.put("/services/users/2", b, "")
				f.compacted = f.revision
			}
			f.ServeHTTP(w, r)
		}))
		if got := listen(t, r, "etcd://users", time.Minute); len(got) != 3 || !strings.Contains(got[1], "compacted") || !strings.HasSuffix(got[2], "10.0.0.1:80 10.0.0.2:80") {
			t.Errorf("%q", got)
		}
	})
}

// Whatever etcd does, it is an error, nothing that was known is taken back, and it is
// not asked in a tight loop.
func TestSurvives(t *testing.T) {
	const list, watch = "/v3/kv/range", "/v3/watch"
	for _, c := range []struct {
		name, path string
		h          http.HandlerFunc
		want       string
	}{
		{"down", list, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"garbage", list, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "not the JSON"},
		{"another server", list, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }, "no revision"},
		{"pages without end", list, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"header":{"revision":"5"},"kvs":[{"key":%q}],"more":true}`, b64("/services/users/1"))
		}, "more than 100000 keys"},
		{"more, but nothing", list, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"header":{"revision":"5"},"more":true}`)
		}, "gives none"},
		{"watch refused", watch, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }, "400"},
		{"watch is garbage", watch, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>\n") }, "invalid character"},
		{"watch fails", watch, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"error":{"message":"no leader"}}`)
		}, "no leader"},
		{"watch canceled", watch, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"result":{"canceled":true,"cancel_reason":"permission denied"}}`)
		}, "permission denied"},
		{"watch of another key", watch, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"result":{"events":[{"kv":{"key":%q}}]}}`, b64("/services/orders/1"))
		}, "not asked for"},
		{"watch that ends at once", watch, func(w http.ResponseWriter, _ *http.Request) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.put("/services/users/1", a, "")
				n, good := 0, new(atomic.Bool)
				r := registry(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == c.path && !good.Load() {
						n++
						c.h(w, r)
						return
					}
					f.ServeHTTP(w, r)
				}))
				time.AfterFunc(10*time.Minute, func() { good.Store(true); f.put("/services/users/2", b, "") })
				got := listen(t, r, "etcd://users", 11*time.Minute)
				if last := got[len(got)-1]; !strings.HasSuffix(last, "m0s 10.0.0.1:80 10.0.0.2:80") && !strings.Contains(last, "10.0.0.1:80 10.0.0.2:80") {
					t.Errorf("it must recover: %q", last)
				}
				if c.path == watch && got[0] != "+0s 10.0.0.1:80" {
					t.Errorf("%q", got[0])
				}
				if c.want != "" && !strings.Contains(strings.Join(got, "\n"), c.want) {
					t.Errorf("%q, want %q", got, c.want)
				}
				if most := 60; n > most && c.name != "pages without end" || n > most*pages {
					t.Errorf("asked %d times within ten minutes", n)
				}
			})
		})
	}
}

func TestAuthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.token = "first.1"
		r := registry(t, Config{User: "u", Password: "p"}, f)
		ctx := t.Context()
		if err := r.Register(ctx, here, nil); err != nil {
			t.Fatal(err)
		}
		f.token = "second.1" // tokens expire
		if err := r.Renew(ctx, here, nil); err != nil {
			t.Error(err)
		}
		if body := f.bodies["/v3/auth/authenticate"]; body["name"] != "u" || body["password"] != "p" || f.asked["/v3/auth/authenticate"] != 2 {
			t.Error(f.asked, body)
		}
		f.token = "no token"
		if err := r.Renew(ctx, here, nil); err == nil || !strings.Contains(err.Error(), "usable token") {
			t.Error(err)
		}
	})
}

var here = discovery.Instance{Service: "users", Addr: "10.0.0.1:80", ID: "1", Weight: 3, Zone: "a", ServerName: "users.test", Secure: true, Meta: map[string]string{"k": "v"}}

func TestAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		r := registry(t, Config{}, f)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		const key = "/services/users/1"
		present := func(after time.Duration, want bool) {
			time.AfterFunc(after, func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				if _, ok := f.keys[key]; ok != want {
					t.Errorf("after %v: %v", after, f.keys)
				}
			})
		}
		present(time.Second, true)
		time.AfterFunc(20*time.Second, func() { // the lease runs out
			f.mu.Lock()
			l := f.held[key]
			f.mu.Unlock()
			f.expire(l)
		})
		present(20*time.Second+r.Every()*11/10, true)
		time.AfterFunc(40*time.Second, func() { f.remove(key) }) // somebody else's doing
		present(40*time.Second+r.Every()*11/10, true)
		i, sick := here, new(atomic.Bool)
		i.Health = func(context.Context) error {
			if sick.Load() {
				return errors.New("disk full")
			}
			return nil
		}
		time.AfterFunc(60*time.Second, func() { sick.Store(true) })
		present(60*time.Second+r.Every()*11/10, false)
		time.AfterFunc(80*time.Second, func() { sick.Store(false) })
		present(80*time.Second+r.Every()*11/10, true)
		if err := discovery.Announce(ctx, r, i, func(err error) { t.Error(err) }); err != nil || len(f.keys) != 0 || len(f.leases) != 0 {
			t.Errorf("%v, left: %v %v", err, f.keys, f.leases)
		}
	})
}

// What one announces, the other finds.
func TestRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		r := registry(t, Config{}, f)
		if err := r.Register(t.Context(), here, nil); err != nil {
			t.Fatal(err)
		}
		if err := r.Register(t.Context(), here, nil); err != nil || len(f.leases) != 1 {
			t.Errorf("%v: the lease from before must be revoked: %v", err, f.leases)
		}
		u, _ := url.Parse("etcd://users")
		for set, err := range r.Resolve(t.Context(), u) {
			if err != nil || len(set) != 1 || set[0].Addr != here.Addr || set[0].Weight != 3 || set[0].Zone != "a" || set[0].ServerName != "users.test" || set[0].Meta["k"] != "v" {
				t.Errorf("%+v, %v", set, err)
			}
			break
		}
		if err := r.Register(t.Context(), discovery.Instance{Service: "a/b", Addr: "h:1"}, nil); err == nil {
			t.Error("a name with a slash")
		}
		for range 2 {
			if err := r.Deregister(t.Context(), here); err != nil {
				t.Error(err)
			}
		}
		if err := r.Renew(t.Context(), here, nil); !errors.Is(err, discovery.ErrUnknown) {
			t.Error(err)
		}
	})
}

func TestRefuses(t *testing.T) {
	for _, c := range []Config{{Servers: []string{"localhost:2379"}}, {Password: "p"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	r, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"etcd://", "etcd://users/x", "etcd://users?tag=x"} {
		if got := hear(t, r, s, time.Second); len(got) != 1 || !strings.Contains(got[0], "say etcd://service") {
			t.Errorf("%s: %q", s, got)
		}
	}
	if got := string(after([]byte("a\xff\xff"))) + string(after([]byte{0xff})) + string(after([]byte("a/"))); got != "b\x00a0" {
		t.Errorf("%q", got)
	}
}
