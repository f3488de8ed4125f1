package kubernetes

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
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
	c.Server = "http://apiserver"
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.web.Close)
	return r
}

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

// sliceOf writes an EndpointSlice: "name version address…", with "!" behind an address
// that is not ready, and "~" behind one that terminates.
func sliceOf(s string) string {
	f := strings.Fields(s)
	kind := "IPv4"
	if len(f) > 2 && strings.Contains(f[2], ":") {
		kind = "IPv6"
	}
	var es []string
	for _, a := range f[2:] {
		addr := strings.TrimRight(a, "!~")
		cond := ""
		switch a[len(addr):] {
		case "!":
			cond = `"ready":false`
		case "~":
			cond = `"ready":true,"serving":true,"terminating":true`
		}
		es = append(es, fmt.Sprintf(`{"addresses":[%q],"conditions":{%s},"zone":"a","nodeName":"n","targetRef":{"kind":"Pod","name":"p","uid":%q}}`, addr, cond, addr))
	}
	return fmt.Sprintf(`{"kind":"EndpointSlice","metadata":{"name":%q,"resourceVersion":%q},"addressType":%q,"endpoints":[%s],"ports":[{"name":"api","port":80,"protocol":"TCP"}]}`,
		f[0], f[1], kind, strings.Join(es, ","))
}

func list(version string, items ...string) string {
	for i := range items {
		items[i] = sliceOf(items[i])
	}
	return fmt.Sprintf(`{"kind":"EndpointSliceList","metadata":{"resourceVersion":%q},"items":[%s]}`, version, strings.Join(items, ","))
}

func change(kind, s string) string { return fmt.Sprintf(`{"type":%q,"object":%s}`, kind, sliceOf(s)) }

const gone = `{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}`

// A server answers lists, and watches with "+seconds event" lines, by script; the last
// watch stays silent.
type server struct {
	lists   []string // the last one for ever; "status N" refuses
	watches [][]string
	asked   []url.Values
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.asked = append(s.asked, q)
	if q.Get("watch") == "" {
		body := s.lists[0]
		if len(s.lists) > 1 {
			s.lists = s.lists[1:]
		}
		refuseOr(w, body)
		return
	}
	if len(s.watches) == 0 {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	}
	script := s.watches[0]
	s.watches = s.watches[1:]
	for _, l := range script {
		if d, err := time.ParseDuration(l); err == nil {
			if !strings.HasPrefix(script[len(script)-1], "status") {
				w.(http.Flusher).Flush()
			}
			time.Sleep(d)
			continue
		}
		refuseOr(w, l+"\n")
		w.(http.Flusher).Flush()
	}
}

func refuseOr(w http.ResponseWriter, body string) {
	var status int
	if n, _ := fmt.Sscanf(body, "status %d", &status); n == 1 {
		w.WriteHeader(status)
		return
	}
	io.WriteString(w, body)
}

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name     string
		lists    []string
		watches  [][]string
		want     []string
		versions []string // that watches began at
	}{
		{"slices are merged", []string{list("10", "s1 1 10.0.0.1 10.0.0.2", "s2 2 10.0.0.3 10.0.0.2")}, nil,
			[]string{"+0s 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80"}, []string{"10"}},
		{"what is not ready, and what terminates, is left out", []string{list("10", "s1 1 10.0.0.1 10.0.0.2! 10.0.0.3~")}, nil, []string{"+0s 10.0.0.1:80"}, nil},
		{"no slice is an answer", []string{list("10")}, nil, []string{"+0s"}, nil},
		{"changes", []string{list("10", "s1 1 10.0.0.1")}, [][]string{{
			"10s", change("ADDED", "s2 11 10.0.0.2"), "10s", change("MODIFIED", "s1 12 10.0.0.1 10.0.0.9"), "10s", change("DELETED", "s2 13"), "10s", change("MODIFIED", "s1 14"),
		}}, []string{"+0s 10.0.0.1:80", "+10s 10.0.0.1:80 10.0.0.2:80", "+20s 10.0.0.1:80 10.0.0.2:80 10.0.0.9:80", "+30s 10.0.0.1:80 10.0.0.9:80", "+40s"}, []string{"10", "14"}},
		{"a rolling deploy: a pod terminates before it goes", []string{list("10", "s1 1 10.0.0.1 10.0.0.2")}, [][]string{{
			"10s", change("MODIFIED", "s1 11 10.0.0.1~ 10.0.0.2"), "10s", change("MODIFIED", "s1 12 10.0.0.2 10.0.0.3"),
		}}, []string{"+0s 10.0.0.1:80 10.0.0.2:80", "+10s 10.0.0.2:80", "+20s 10.0.0.2:80 10.0.0.3:80"}, nil},
		{"bookmarks move on", []string{list("10", "s1 1 10.0.0.1")}, [][]string{{"10s", `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"500"}}}`}},
			[]string{"+0s 10.0.0.1:80"}, []string{"10", "500"}},
		{"410 within the watch lists anew", []string{list("10", "s1 1 10.0.0.1"), list("900", "s1 1 10.0.0.2")}, [][]string{{"5600ms", gone}},
			[]string{"+0s 10.0.0.1:80", "+5s error: too late", "+6s 10.0.0.2:80"}, []string{"10", "900"}},
		{"410 in place of the watch lists anew", []string{list("10", "s1 1 10.0.0.1"), list("900", "s1 1 10.0.0.2")}, [][]string{{"600ms", "status 410"}},
			[]string{"+0s 10.0.0.1:80", "+0s error: too late", "+1s 10.0.0.2:80"}, []string{"10", "900"}},
		{"a refusal says what is needed", []string{"status 403", list("10", "s1 1 10.0.0.1")}, nil, []string{"+0s error: verbs list and watch", "+0s 10.0.0.1:80"}, nil},
		{"garbage", []string{"<html>", list("10", "s1 1 10.0.0.1")}, nil, []string{"+0s error: not the JSON", "+0s 10.0.0.1:80"}, nil},
		{"another server", []string{"{}", list("10", "s1 1 10.0.0.1")}, nil, []string{"+0s error: is this the API server", "+0s 10.0.0.1:80"}, nil},
		{"a watch of garbage", []string{list("10", "s1 1 10.0.0.1")}, [][]string{{"<html>"}}, []string{"+0s 10.0.0.1:80", "+0s error: invalid character"}, []string{"10", "10"}},
		{"a watch of what is unknown", []string{list("10", "s1 1 10.0.0.1")}, [][]string{{change("EXPLODED", "s1 2")}}, []string{"+0s 10.0.0.1:80", "+0s error: EXPLODED"}, nil},
		{"a watch without versions", []string{list("10", "s1 1 10.0.0.1")}, [][]string{{`{"type":"DELETED","object":{}}`}}, []string{"+0s 10.0.0.1:80", "+0s error: without a version"}, nil},
		{"a watch that fails", []string{list("10", "s1 1 10.0.0.1")}, [][]string{{`{"type":"ERROR","object":{"code":500,"reason":"InternalError","message":"etcd is away"}}`}},
			[]string{"+0s 10.0.0.1:80", "+0s error: etcd is away"}, nil},
		{"both families of one pod are one endpoint", []string{strings.ReplaceAll(list("10", "s6 1 fd00::1", "s4 2 10.0.0.1"), `"uid":"fd00::1"`, `"uid":"10.0.0.1"`)}, nil,
			[]string{"+0s 10.0.0.1:80"}, nil},
		{"a family of its own", []string{list("10", "s6 1 fd00::1")}, nil, []string{"+0s [fd00::1]:80"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{lists: c.lists, watches: c.watches}
				// Jitter of the first pause is from half a second to a second.
				got := listen(t, registry(t, Config{Refresh: time.Hour}, s.ServeHTTP), "kubernetes://users.shop", 2*time.Minute)
				if len(c.want) > 1 && strings.HasPrefix(c.want[1], "+0s 10") { // behind an error
					got[1] = strings.Replace(got[1], "+1s", "+0s", 1)
				}
				if !same(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				var versions []string
				for _, q := range s.asked {
					if q.Get("watch") != "" {
						versions = append(versions, q.Get("resourceVersion"))
					}
				}
				if len(c.versions) > 0 && !slices.Equal(versions, c.versions) {
					t.Errorf("watched from %q, want %q", versions, c.versions)
				}
			})
		})
	}
}

// 250 endpoints in 3 slices, in pages: all are used.
func TestManyEndpointsInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if q.Get("watch") != "" {
				<-r.Context().Done()
				return
			}
			n := 1
			fmt.Sscanf(q.Get("continue"), "page-%d", &n)
			s := fmt.Sprintf("s%d %d", n, n)
			for i := range []int{0, 100, 100, 50}[n] {
				s += fmt.Sprintf(" 10.0.%d.%d", n, i)
			}
			next := ""
			if n < 3 {
				next = fmt.Sprintf("page-%d", n+1)
			}
			fmt.Fprintf(w, `{"kind":"EndpointSliceList","metadata":{"resourceVersion":"9","continue":%q},"items":[%s]}`, next, sliceOf(s))
		}
		got := listen(t, registry(t, Config{}, h), "kubernetes://users", time.Second)
		if len(got) != 1 || len(strings.Fields(got[0])) != 251 {
			t.Errorf("%q", got)
		}
	})
}

func TestIsNotAskedTooOften(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"down":                  func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"watches that end":      (&server{lists: []string{list("10", "s1 1 10.0.0.1")}, watches: slices.Repeat([][]string{{}}, 5000)}).ServeHTTP,
		"watches that are late": (&server{lists: []string{list("10", "s1 1 10.0.0.1")}, watches: slices.Repeat([][]string{{gone}}, 5000)}).ServeHTTP,
		"pages that never end": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, strings.Replace(list("10"), `"10"`, `"10","continue":"x"`, 1))
		},
		"a watch that goes back": (&server{lists: []string{list("10", "s1 1 10.0.0.1")}, watches: slices.Repeat([][]string{{change("MODIFIED", "s1 10 10.0.0.1")}}, 5000)}).ServeHTTP,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				listen(t, registry(t, Config{Refresh: time.Hour}, func(w http.ResponseWriter, r *http.Request) { n++; h(w, r) }), "kubernetes://users", 10*time.Minute)
				if most := 120; n < 10 || n > most && name != "pages that never end" || n > most*pages {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

func TestPorts(t *testing.T) {
	const two = `{"metadata":{"name":"s","resourceVersion":"1"},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}],"ports":%s}`
	for _, c := range []struct{ target, ports, want string }{
		{"kubernetes://users", `[{"name":"","port":80}]`, "10.0.0.1:80"},
		{"kubernetes://users", `[{"name":"a","port":80},{"name":"b","port":81}]`, "a 80, b 81"},
		{"kubernetes://users", `[{"name":"a","port":80},{"name":"b","port":81,"protocol":"UDP"}]`, "10.0.0.1:80"},
		{"kubernetes://users?port=b", `[{"name":"a","port":80},{"name":"b","port":81}]`, "10.0.0.1:81"},
		{"kubernetes://users:81", `[{"name":"a","port":80},{"name":"b","port":81}]`, "10.0.0.1:81"},
		{"kubernetes://users:82", `[{"name":"a","port":80}]`, `which port is "82"`},
		{"kubernetes://users:82", `[]`, "10.0.0.1:82"},
		{"kubernetes://users", `null`, "which port"},
		{"kubernetes://users:82", `[{"name":"a"}]`, "which port"},
		{"kubernetes://users.shop.svc", `[]`, "say kubernetes://"},
		{"kubernetes://users/x", `[]`, "say kubernetes://"},
		{"kubernetes://users?prt=b", `[]`, "say kubernetes://"},
		{"kubernetes://users:80?port=b", `[]`, "say kubernetes://"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{lists: []string{fmt.Sprintf(`{"kind":"EndpointSliceList","metadata":{"resourceVersion":"1"},"items":[%s]}`, fmt.Sprintf(two, c.ports))}}
			if got := listen(t, registry(t, Config{}, s.ServeHTTP), c.target, time.Second); len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("%s %s: %q, want %q", c.target, c.ports, got, c.want)
			}
		})
	}
}

func TestWhatIsAskedAndKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := filepath.Join(t.TempDir(), "token")
		write := func(s string) {
			if err := os.WriteFile(token, []byte(s), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("first\n")
		var paths, tokens []string
		r := registry(t, Config{Namespace: "shop"}, func(w http.ResponseWriter, r *http.Request) {
			paths = append(paths, r.URL.Path+" "+r.URL.Query().Get("labelSelector"))
			tokens = append(tokens, r.Header.Get("Authorization"))
			if r.URL.Query().Get("watch") == "" {
				io.WriteString(w, list("10", "s1 1 10.0.0.1"))
				write("second")
			}
		})
		r.config.TokenFile = token // New refuses tokens in plaintext
		u, _ := url.Parse("kubernetes://users")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for set, err := range r.Resolve(ctx, u) {
			if e := set[0]; err != nil || e.Zone != "a" || e.ServerName != "users.shop.svc" || e.Meta["kubernetes-node"] != "n" || e.Meta["kubernetes-pod"] != "p" {
				t.Errorf("%+v, %v", set, err)
			}
		}
		if paths[0] != "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices kubernetes.io/service-name=users" || !slices.Equal(tokens[:2], []string{"Bearer first", "Bearer second"}) {
			t.Errorf("%q %q", paths, tokens)
		}
	})
}
