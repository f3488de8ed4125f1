package eureka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/pipe"
)

func registry(t *testing.T, c Config, h http.HandlerFunc) *Registry {
	t.Helper()
	c.Dial = pipe.Serve(t, h)
	c.Servers = []string{"http://eureka/eureka"}
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
	for set, err := range r.Resolve(ctx, u) {
		line := ""
		if err != nil {
			line = "error: " + err.Error()
		}
		for _, e := range set {
			line += " " + e.Addr
		}
		got = append(got, strings.TrimSpace(line))
	}
	return got
}

func same(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool {
		if in, ok := strings.CutPrefix(w, "error: "); ok {
			return strings.HasPrefix(g, "error: ") && strings.Contains(g, in)
		}
		return g == w
	})
}

// in writes an instance: "id ip status", with an action where there is one.
func in(s string) string {
	f := strings.Fields(s + " ADDED")
	return fmt.Sprintf(`{"instanceId":%q,"hostName":"host-%[1]s","app":"USERS","ipAddr":%[2]q,"status":%[3]q,"overriddenstatus":"UNKNOWN","port":{"$":8080,"@enabled":"true"},
		"securePort":{"$":443,"@enabled":"false"},"countryId":1,"dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},
		"leaseInfo":{"renewalIntervalInSecs":30,"durationInSecs":90,"registrationTimestamp":0,"lastRenewalTimestamp":0,"evictionTimestamp":0,"serviceUpTimestamp":0},
		"metadata":{"@class":"java.util.Collections$EmptyMap"},"lastUpdatedTimestamp":"1","lastDirtyTimestamp":"1","actionType":%[4]q}`, f[0], f[1], f[2], f[3])
}

func apps(hash string, instances ...string) string {
	for i := range instances {
		if instances[i][0] != '{' {
			instances[i] = in(instances[i])
		}
	}
	return fmt.Sprintf(`{"applications":{"versions__delta":"1","apps__hashcode":%q,"application":[{"name":"USERS","instance":[%s]}]}}`, hash, strings.Join(instances, ","))
}

// script answers /apps and /apps/delta in turn, the last of each for ever; "status N"
// refuses. It notes what was asked, up to the first 10 requests.
func script(asked *[]string, full, delta []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		what := strings.TrimPrefix(r.URL.Path, "/eureka")
		if len(*asked) < 10 {
			*asked = append(*asked, what)
		}
		s := &full
		if what == "/apps/delta" {
			s = &delta
		}
		body := (*s)[0]
		if len(*s) > 1 {
			*s = (*s)[1:]
		}
		var status int
		if n, _ := fmt.Sscanf(body, "status %d", &status); n == 1 {
			w.WriteHeader(status)
			return
		}
		io.WriteString(w, body)
	}
}

func TestResolve(t *testing.T) {
	const one, two = "1 10.0.0.1 UP", "2 10.0.0.2 UP"
	xml := `<applications><versions__delta>1</versions__delta><apps__hashcode>UP_1_</apps__hashcode><application><name>USERS</name><instance>
		<instanceId>1</instanceId><hostName>h</hostName><ipAddr>10.0.0.1</ipAddr><status>UP</status><port enabled="true">8080</port><securePort enabled="false">443</securePort>
		<metadata><zone>a</zone></metadata><leaseInfo><durationInSecs>90</durationInSecs><lastRenewalTimestamp>5</lastRenewalTimestamp></leaseInfo></instance></application></applications>`
	empty := `{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}`
	for _, c := range []struct {
		name        string
		full, delta []string
		want, asked []string
	}{
		{"everything, then changes", []string{apps("UP_1_", one)}, []string{apps("UP_2_", two), apps("UP_1_", "1 10.0.0.1 UP DELETED"), apps("UP_1_")},
			[]string{"10.0.0.1:8080", "10.0.0.1:8080 10.0.0.2:8080", "10.0.0.2:8080"}, []string{"/apps", "/apps/delta", "/apps/delta", "/apps/delta"}},
		{"only UP is", []string{apps("DOWN_1_OUT_OF_SERVICE_1_STARTING_1_UP_1_", one, "2 10.0.0.2 DOWN", "3 10.0.0.3 STARTING", "4 10.0.0.4 OUT_OF_SERVICE")},
			[]string{apps("DOWN_1_OUT_OF_SERVICE_1_STARTING_1_UP_1_"), apps("DOWN_1_OUT_OF_SERVICE_1_STARTING_1_UP_1_"), apps("DOWN_2_OUT_OF_SERVICE_1_STARTING_1_", "1 10.0.0.1 DOWN MODIFIED"), apps("DOWN_2_OUT_OF_SERVICE_1_STARTING_1_")},
			[]string{"10.0.0.1:8080", ""}, nil},
		{"the same change twice is one", []string{apps("UP_1_", one)}, []string{apps("UP_2_", two)}, []string{"10.0.0.1:8080", "10.0.0.1:8080 10.0.0.2:8080"}, []string{"/apps", "/apps/delta", "/apps/delta"}},
		{"a hash that differs fetches everything", []string{apps("UP_1_", one), apps("UP_2_", one, two)}, []string{apps("UP_2_")},
			[]string{"10.0.0.1:8080", "10.0.0.1:8080 10.0.0.2:8080"}, []string{"/apps", "/apps/delta", "/apps", "/apps/delta"}},
		{"without changes, everything each time", []string{apps("UP_1_", one)}, []string{"status 403"}, []string{"10.0.0.1:8080"}, []string{"/apps", "/apps/delta", "/apps", "/apps/delta", "/apps"}},
		{"nothing is known", []string{empty}, []string{empty}, []string{""}, []string{"/apps", "/apps/delta"}},
		{"after an error, everything", []string{apps("UP_1_", one)}, []string{"status 500", apps("UP_1_")}, []string{"10.0.0.1:8080", "error: 500"}, []string{"/apps", "/apps/delta", "/apps", "/apps/delta"}},
		{"garbage", []string{"\x00", apps("UP_1_", one)}, []string{apps("UP_1_")}, []string{"error: not the JSON", "10.0.0.1:8080"}, nil},
		{"a page of another server", []string{"<html><body>hello", apps("UP_1_", one)}, []string{apps("UP_1_")}, []string{"error: neither JSON", "10.0.0.1:8080"}, nil},
		{"the wrong path", []string{`{"status":"ok"}`, apps("UP_1_", one)}, []string{apps("UP_1_")}, []string{"error: /eureka/v2", "10.0.0.1:8080"}, nil},
		{"a port that is none", []string{strings.Replace(apps("UP_1_", one), "8080", `"x"`, 1), apps("UP_1_", one)}, []string{apps("UP_1_")}, []string{"error: a port that is", "10.0.0.1:8080"}, nil},
		{"lone objects, ports as text", []string{`{"applications":{"versions__delta":1,"apps__hashcode":"UP_1_","application":{"name":"users","instance":` +
			strings.NewReplacer("8080", `"8080"`, `"true"`, "true").Replace(in(one)) + `}}}`}, []string{apps("UP_1_")}, []string{"10.0.0.1:8080"}, nil},
		{"XML", []string{xml}, []string{xml}, []string{"10.0.0.1:8080"}, []string{"/apps", "/apps/delta", "/apps/delta"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []string
				got := listen(t, registry(t, Config{}, script(&asked, c.full, c.delta)), "eureka://users", 130*time.Second)
				if !same(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				if !slices.Equal(asked[:min(len(asked), len(c.asked))], c.asked) {
					t.Errorf("asked %q, want %q", asked, c.asked)
				}
			})
		})
	}
}

// Eureka that preserves itself says UP of what is long dead; when everything is old, it
// is Eureka that hears nothing.
func TestOldHeartbeats(t *testing.T) {
	at := func(id string, renewed int64) string {
		return strings.Replace(in(id+" 10.0.0."+id+" UP"), `"lastRenewalTimestamp":0`, fmt.Sprintf(`"lastRenewalTimestamp":%d`, renewed), 1)
	}
	const now = 1_700_000_000_000 // of the server; ours is in the year 2000
	for _, c := range []struct {
		name      string
		instances []string
		want      string
	}{
		{"all fresh", []string{at("1", now), at("2", now-60_000)}, "10.0.0.1:8080 10.0.0.2:8080"},
		{"one old", []string{at("1", now), at("2", now-181_000)}, "10.0.0.1:8080"},
		{"just not old", []string{at("1", now), at("2", now-180_000)}, "10.0.0.1:8080 10.0.0.2:8080"},
		{"most are old: Eureka is cut off", []string{at("1", now), at("2", now-200_000), at("3", now-300_000)}, "10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080"},
		{"no timestamps", []string{at("1", now), at("2", 0)}, "10.0.0.1:8080 10.0.0.2:8080"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			h := script(&asked, []string{apps("UP_2_", c.instances...)}, []string{"status 403"})
			if got := listen(t, registry(t, Config{}, h), "eureka://users", time.Minute); !slices.Equal(got, []string{c.want}) {
				t.Errorf("%s: got %q, want %q", c.name, got, c.want)
			}
		})
	}
}

// Changes do not say who still lives, so everything is fetched now and then.
func TestEverythingNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := 0
		var asked []string
		h := script(&asked, []string{apps("UP_1_", "1 10.0.0.1 UP")}, []string{apps("UP_1_")})
		listen(t, registry(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/eureka/apps" {
				full++
			}
			h(w, r)
		}), "eureka://users", 30*time.Minute)
		if full < 5 || full > 7 {
			t.Errorf("%d times in half an hour", full)
		}
	})
}

func TestIsNotAskedTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		listen(t, registry(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { n++; panic(http.ErrAbortHandler) }), "eureka://users", 10*time.Minute)
		if n < 10 || n > 60 {
			t.Errorf("asked %d times within ten minutes", n)
		}
	})
}

func TestPortsAndWhatElseIsKnown(t *testing.T) {
	secure := strings.NewReplacer(`"$":443,"@enabled":"false"`, `"$":8443,"@enabled":"true"`,
		`{"@class":"java.util.Collections$EmptyMap"}`, `{"@class":"x","zone":"a","weight":"5","n":7}`).Replace(in("1 10.0.0.1 UP"))
	amazon := strings.Replace(in("2 10.0.0.2 UP"), `"name":"MyOwn"`, `"name":"Amazon","metadata":{"availability-zone":"us-1c"}`, 1)
	nameless := strings.NewReplacer(`"instanceId":"3",`, "", `"10.0.0.3"`, `""`).Replace(in("3 10.0.0.3 UP"))
	for target, want := range map[string]string{
		"eureka://users":              "10.0.0.1:8443 10.0.0.2:8080 host-3:8080",
		"eureka://users?secure=true":  "10.0.0.1:8443",
		"eureka://users?secure=false": "10.0.0.1:8080 10.0.0.2:8080 host-3:8080",
		"eureka://orders":             "",
		"eureka://users?secure=maybe": "error: say eureka://",
		"eureka://users?tag=x":        "error: say eureka://",
		"eureka://users/x":            "error: say eureka://",
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			r := registry(t, Config{}, script(&asked, []string{apps("UP_3_", secure, amazon, nameless)}, []string{apps("UP_3_")}))
			if got := listen(t, r, target, time.Second); !same(got, []string{want}) {
				t.Errorf("%s: %q", target, got)
			}
			u, _ := url.Parse("eureka://users")
			for set, err := range r.Resolve(t.Context(), u) {
				if err != nil || set[0].Zone != "a" || set[0].Weight != 5 || set[0].ServerName != "host-1" || len(set[0].Meta) != 2 || set[1].Zone != "us-1c" {
					t.Errorf("%+v, %v", set, err)
				}
				break
			}
		})
	}
}

// fake is a fake of how Eureka takes announcements.
type fake struct {
	mu    sync.Mutex
	t     *testing.T
	known map[string]string // status by path
	body  map[string]any    // of the last registration
	stamp []string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/eureka/apps/")
	switch r.Method {
	case http.MethodPost:
		var b struct{ Instance map[string]any }
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			f.t.Error(err)
		}
		f.body = b.Instance
		f.stamp = append(f.stamp, fmt.Sprint(b.Instance["lastDirtyTimestamp"]))
		f.known[path+"/"+fmt.Sprint(b.Instance["instanceId"])] = fmt.Sprint(b.Instance["status"])
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPut:
		if f.known[path] == "" {
			w.WriteHeader(http.StatusNotFound)
		} else if got := r.URL.Query(); got.Get("status") != f.known[path] || got.Get("lastDirtyTimestamp") != f.stamp[len(f.stamp)-1] {
			f.t.Errorf("heartbeat %v", r.URL)
		}
	case http.MethodDelete:
		if f.known[path] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		delete(f.known, path)
	}
}

func TestAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{t: t, known: map[string]string{}}
		r := registry(t, Config{Lease: 30 * time.Second}, f.ServeHTTP)
		var sick atomic.Bool
		i := discovery.Instance{Service: "users", ID: "users:1", Addr: "10.0.0.1:8443", Secure: true, ServerName: "users.test", Weight: 5, Zone: "a", Tags: []string{"x", "y"},
			Meta: map[string]string{"k": "v"}, Health: func(context.Context) error {
				if sick.Load() {
					return errors.New("disk full")
				}
				return nil
			}}
		const path = "USERS/users:1"
		status := func(after time.Duration, want string) {
			time.AfterFunc(after, func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				if f.known[path] != want {
					t.Errorf("after %v: %q, want %q", after, f.known[path], want)
				}
			})
		}
		status(time.Second, "UP")
		time.AfterFunc(15*time.Second, func() { f.mu.Lock(); clear(f.known); f.mu.Unlock() })
		status(15*time.Second+r.Every()*11/10, "UP")
		time.AfterFunc(40*time.Second, func() { sick.Store(true) })
		status(40*time.Second+r.Every()*11/10, "DOWN")
		time.AfterFunc(60*time.Second, func() { sick.Store(false) })
		status(60*time.Second+r.Every()*11/10, "UP")
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		if err := discovery.Announce(ctx, r, i, func(err error) { t.Error(err) }); err != nil || len(f.known) != 0 || len(f.stamp) != 4 {
			t.Errorf("%v, %v, registered at %q", err, f.known, f.stamp)
		}
		b := f.body
		if b["app"] != "USERS" || b["hostName"] != "users.test" || b["ipAddr"] != "10.0.0.1" || fmt.Sprint(b["securePort"]) != "map[$:8443 @enabled:true]" ||
			fmt.Sprint(b["port"]) != "map[$:8443 @enabled:false]" || fmt.Sprint(b["leaseInfo"]) != "map[durationInSecs:30 renewalIntervalInSecs:10]" ||
			fmt.Sprint(b["metadata"]) != "map[concordat-server-name:users.test k:v tags:x,y weight:5 zone:a]" {
			t.Errorf("%v", b)
		}
		for range 2 {
			if err := r.Deregister(t.Context(), i); err != nil {
				t.Error(err)
			}
		}
	})
}

// Eureka ignores what is older than what it knows; our clock may go back.
func TestTimestampsOnlyGrow(t *testing.T) {
	r, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	r.dirty = time.Now().Add(time.Hour).UnixMilli()
	if a, b := r.newer(), r.newer(); b <= a || a <= time.Now().UnixMilli() {
		t.Error(a, b)
	}
	if _, err := New(Config{Servers: []string{"localhost:8761"}}); err == nil {
		t.Error("an address without a scheme")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(apps("UP_1_", "1 10.0.0.1 UP"))
	f.Add(`<applications><application><name>A</name></application></applications>`)
	f.Add(`{"applications":{"application":[{"instance":null}]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := decode([]byte(s))
		if err != nil {
			return
		}
		w := watch{app: "A", known: map[string]map[string]*instance{}}
		w.apply(a)
		w.endpoints()
		hash(w.known)
	})
}
