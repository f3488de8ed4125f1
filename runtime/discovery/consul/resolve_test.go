package consul

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/pipe"
)

func registry(t *testing.T, c Config, h http.HandlerFunc) *Registry {
	t.Helper()
	c.Dial = pipe.Serve(t, h)
	c.Addr = "http://agent:8500"
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.web.Close)
	return r
}

func target(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// listen notes what the resolver says until d has passed: "+10s a:1 b:1" or "+10s error".
func listen(t *testing.T, r discovery.Resolver, s string, d time.Duration) []string {
	t.Helper()
	defer synctest.Wait() // for handlers, whose notes the test reads
	return hear(t, r, s, d)
}

// hear is listen, outside virtual time.
func hear(t *testing.T, r discovery.Resolver, s string, d time.Duration) []string {
	t.Helper()
	var got []string
	start := time.Now()
	stop := start.Add(d)
	ctx, cancel := contextUntil(t, stop)
	defer cancel()
	for set, err := range r.Resolve(ctx, target(t, s)) {
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

func instance(addr string, port int) string {
	return fmt.Sprintf(`{"Node":{"Node":"n","Address":"10.9.9.9"},"Service":{"ID":"x","Address":%q,"Port":%d,"Weights":{"Passing":1}}}`, addr, port)
}

func answer(w http.ResponseWriter, index string, entries ...string) {
	w.Header().Set("X-Consul-Index", index)
	io.WriteString(w, "["+strings.Join(entries, ",")+"]")
}

// A step is one answer of the script: after a pause, with an index.
type step struct {
	after time.Duration
	index string
	body  string // the entries; "status N" for a refusal, "raw …" for anything
}

// script answers queries in turn, the last answer for ever, and notes the index asked for.
func script(asked *[]string, steps ...step) http.HandlerFunc {
	i := 0
	return func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.Query().Get("index"))
		s := steps[min(i, len(steps)-1)]
		i++
		select {
		case <-time.After(s.after):
		case <-r.Context().Done():
			return
		}
		var status int
		if n, _ := fmt.Sscanf(s.body, "status %d", &status); n == 1 {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("X-Consul-Index", s.index)
		if raw, ok := strings.CutPrefix(s.body, "raw "); ok {
			io.WriteString(w, raw)
			return
		}
		answer(w, s.index, s.body)
	}
}

func TestResolve(t *testing.T) {
	a, b := instance("10.0.0.1", 80), instance("10.0.0.2", 80)
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
		asked []string // the first of them
	}{
		{"changes, by blocking", []step{{0, "10", a}, {20 * time.Second, "12", a + "," + b}, {10 * time.Second, "13", b}, {time.Hour, "13", b}},
			[]string{"+0s 10.0.0.1:80", "+20s 10.0.0.1:80 10.0.0.2:80", "+30s 10.0.0.2:80"}, []string{"", "10", "12", "13"}},
		{"a change of what does not concern us is no news", []step{{0, "10", a}, {20 * time.Second, "12", a}, {time.Hour, "13", b}},
			[]string{"+0s 10.0.0.1:80"}, []string{"", "10", "12"}},
		{"an index that goes backwards asks anew", []step{{0, "100", a}, {10 * time.Second, "7", a}, {0, "7", b}, {time.Hour, "7", b}},
			[]string{"+0s 10.0.0.1:80", "+10s 10.0.0.2:80"}, []string{"", "100", "", "7"}},
		{"index 0 must not become a query that never blocks", []step{{0, "0", a}, {time.Hour, "0", a}},
			[]string{"+0s 10.0.0.1:80"}, []string{"", "1"}},
		{"nothing is known: that is an answer", []step{{0, "5", ""}, {time.Hour, "5", ""}}, []string{"+0s"}, []string{"", "5"}},
		{"an error keeps quiet about endpoints", []step{{0, "10", a}, {5400 * time.Millisecond, "", "status 500"}, {0, "10", b}, {time.Hour, "10", b}},
			[]string{"+0s 10.0.0.1:80", "+5s error: 500", "+6s 10.0.0.2:80"}, []string{"", "10", "", "10"}},
		{"a refusal says what is needed", []step{{600 * time.Millisecond, "10", "status 403"}, {0, "10", a}, {time.Hour, "10", a}}, []string{"+0s error: node_prefix", "+1s 10.0.0.1:80"}, nil},
		{"garbage", []step{{600 * time.Millisecond, "10", "raw <html>"}, {0, "10", a}, {time.Hour, "10", a}}, []string{"+0s error: not the JSON", "+1s 10.0.0.1:80"}, nil},
		{"null", []step{{600 * time.Millisecond, "10", "raw null"}, {0, "10", a}, {time.Hour, "10", a}}, []string{"+0s error: null", "+1s 10.0.0.1:80"}, nil},
		{"another server's answer", []step{{600 * time.Millisecond, "", a}, {0, "10", a}, {time.Hour, "10", a}}, []string{"+0s error: X-Consul-Index", "+1s 10.0.0.1:80"}, nil},
		{"an instance without a port is left out and told of", []step{{0, "10", a + "," + instance("10.0.0.9", 0)}, {time.Hour, "10", a}},
			[]string{"+0s 10.0.0.1:80", "+0s error: 1 of 2 endpoints"}, nil},
		{"addresses: the node's where the service has none, IPv6", []step{{0, "10", instance("", 80) + "," + instance("fd00::1", 80)}, {time.Hour, "10", a}},
			[]string{"+0s 10.9.9.9:80 [fd00::1]:80"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []string
				r := registry(t, Config{}, script(&asked, c.steps...))
				if got := listen(t, r, "consul://users", 2*time.Minute); !same(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				if len(asked) < len(c.asked) || !slices.Equal(asked[:len(c.asked)], c.asked) {
					t.Errorf("asked for %q, want %q", asked, c.asked)
				}
			})
		})
	}
}

// Consul answers whoever may not read with an empty list: that is not to be believed.
func TestHiddenIsNotEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry(t, Config{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Results-Filtered-By-ACLs", "true")
			answer(w, "10")
		})
		if got := listen(t, r, "consul://users", time.Millisecond); !same(got, []string{"+0s error: node_prefix"}) {
			t.Errorf("%q", got)
		}
	})
}

// A Consul that does not block, whatever it answers, is not asked in a tight loop.
func TestIsNotAskedTooOften(t *testing.T) {
	a := instance("10.0.0.1", 80)
	for _, c := range []struct {
		name string
		h    func(n int, w http.ResponseWriter)
		most int // within ten minutes
	}{
		{"at once, no news", func(_ int, w http.ResponseWriter) { answer(w, "10", a) }, 60},
		{"at once, ever newer", func(n int, w http.ResponseWriter) { answer(w, fmt.Sprint(n), a) }, 10 * 60 * 5},
		{"at once, ever older", func(n int, w http.ResponseWriter) { answer(w, fmt.Sprint(int64(1)<<40-int64(n)), a) }, 10 * 60 * 5},
		{"down", func(_ int, w http.ResponseWriter) { panic(http.ErrAbortHandler) }, 60},
		{"refusing", func(_ int, w http.ResponseWriter) { w.WriteHeader(429) }, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				r := registry(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { n++; c.h(n, w) })
				listen(t, r, "consul://users", 10*time.Minute)
				if n > c.most || n < 10 {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

// A Consul that hangs costs the longest wait, not for ever.
func TestHungQueryIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := registry(t, Config{Wait: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 2 {
				<-r.Context().Done()
				return
			}
			answer(w, fmt.Sprint(n), instance("10.0.0.1", 79+n))
		})
		got := listen(t, r, "consul://users", 76*time.Second)
		if len(got) < 3 || got[0] != "+0s 10.0.0.1:80" || !strings.Contains(got[1], "not done after 1m13.75s") || !strings.HasSuffix(got[2], " 10.0.0.1:82") {
			t.Errorf("%q", got)
		}
	})
}

func TestWhatIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got *http.Request
		r := registry(t, Config{Token: "secret", Datacenter: "us", Namespace: "team", Tags: []string{"http"}}, func(w http.ResponseWriter, r *http.Request) {
			got = r
			answer(w, "1", instance("10.0.0.1", 80))
		})
		listen(t, r, "consul://users?tag=v2&tag=blue&dc=eu", time.Millisecond)
		q := got.URL.Query()
		if got.URL.Path != "/v1/health/service/users" || !slices.Equal(q["tag"], []string{"v2", "blue", "http"}) || q.Get("dc") != "eu" ||
			q.Get("ns") != "team" || q.Get("passing") != "1" || got.Header.Get("X-Consul-Token") != "secret" {
			t.Errorf("%v %v", got.URL, got.Header)
		}
		for _, s := range []string{"consul://users?tags=v2", "consul://", "consul://users/v1"} {
			if got := listen(t, r, s, time.Second); len(got) != 1 || !strings.Contains(got[0], "error") {
				t.Errorf("%s: %q", s, got)
			}
		}
	})
}

func TestWhatConsulKnowsOfAnInstance(t *testing.T) {
	const full = `{"Node":{"Node":"n1","Address":"10.9.9.9","Datacenter":"eu","Meta":{"zone":"of-node-meta"},"Locality":{"Region":"eu","Zone":"of-node"}},
		"Service":{"ID":"x","Address":"10.0.0.1","Port":80,"Weights":{"Passing":7,"Warning":1},"Meta":{"zone":"of-meta","k":"v","concordat-server-name":"users.test"},"Locality":{"Zone":"of-service"}}}`
	synctest.Test(t, func(t *testing.T) {
		body := full
		r := registry(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { answer(w, "1", body) })
		zone := func() discovery.Endpoint {
			for set, err := range r.Resolve(t.Context(), target(t, "consul://users")) {
				if err != nil {
					t.Fatal(err)
				}
				return set[0]
			}
			return discovery.Endpoint{}
		}
		e := zone()
		if e.Weight != 7 || e.ServerName != "users.test" || e.Meta["k"] != "v" || e.Meta["consul-node"] != "n1" {
			t.Errorf("%+v", e)
		}
		for _, want := range []string{"of-service", "of-meta", "of-node", "of-node-meta", ""} {
			if e := zone(); e.Zone != want {
				t.Errorf("%+v: zone, want %q", e, want)
			}
			body = strings.ReplaceAll(body, `"`+want+`"`, `""`)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for _, addr := range []string{"localhost:8500", "consul://x"} {
		if _, err := New(Config{Addr: addr}); err == nil {
			t.Errorf("%s was accepted", addr)
		}
	}
	if r, err := New(Config{}); err != nil || r.Every() != 5*time.Second {
		t.Error(err)
	}
	var _ discovery.Resolver = (*Registry)(nil)
	var _ discovery.Registrar = (*Registry)(nil)
}
