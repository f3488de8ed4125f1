package etcd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/concordat-dev/concordat/runtime/discovery/internal/pipe"
)

// fake is as much of etcd as we talk to. Values are base64 as they travel.
type fake struct {
	mu        sync.Mutex
	keys      map[string]string
	held      map[string]string // key to lease
	leases    map[string]bool
	revision  int
	history   []string // a watch's event per revision from 2 on
	compacted int
	watchers  map[chan struct{}]bool
	token     string // demanded, where there is one
	asked     map[string]int
	bodies    map[string]map[string]any // the last of each path
	page      int                       // at most this many per answer
}

func newFake() *fake {
	return &fake{keys: map[string]string{}, held: map[string]string{}, leases: map[string]bool{}, revision: 1,
		watchers: map[chan struct{}]bool{}, asked: map[string]int{}, bodies: map[string]map[string]any{}, page: page}
}

// b64 and its reverse are what JSON does to bytes.
func b64(s string) string { b, _ := json.Marshal([]byte(s)); return string(b[1 : len(b)-1]) }

func unb64(v any) string {
	var b []byte
	if s, ok := v.(string); ok && json.Unmarshal([]byte(strconv.Quote(s)), &b) == nil {
		return string(b)
	}
	return ""
}

func (f *fake) put(key, value, lease string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys[key], f.held[key] = value, lease
	f.event(fmt.Sprintf(`{"kv":{"key":%q,"value":%q,"mod_revision":"%d"}}`, b64(key), b64(value), f.revision+1))
}

// event wakes watchers; mu is held.
func (f *fake) event(e string) {
	f.revision++
	f.history = append(f.history, e)
	for w := range f.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func (f *fake) remove(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(key)
}

func (f *fake) drop(key string) {
	if _, ok := f.keys[key]; ok {
		delete(f.keys, key)
		f.event(fmt.Sprintf(`{"type":"DELETE","kv":{"key":%q}}`, b64(key)))
	}
}

func (f *fake) expire(lease string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.leases, lease)
	for k, l := range f.held {
		if l == lease {
			f.drop(k)
		}
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.asked[r.URL.Path]++
	f.bodies[r.URL.Path] = body
	denied := f.token != "" && r.Header.Get("Authorization") != f.token
	f.mu.Unlock()
	switch {
	case r.URL.Path == "/v3/auth/authenticate":
		fmt.Fprintf(w, `{"header":{},"token":%q}`, f.token)
	case denied:
		http.Error(w, `{"code":16,"message":"etcdserver: invalid auth token"}`, http.StatusUnauthorized)
	case r.URL.Path == "/v3/watch":
		f.watch(w, r, body["create_request"].(map[string]any))
	default:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.serve(w, r.URL.Path, body)
	}
}

func (f *fake) serve(w http.ResponseWriter, path string, body map[string]any) {
	id := fmt.Sprint(body["ID"])
	switch path {
	case "/v3/kv/range":
		f.list(w, unb64(body["key"]), unb64(body["range_end"]))
	case "/v3/kv/put":
		if l, _ := body["lease"].(string); l != "" && !f.leases[l] {
			http.Error(w, `{"error":"etcdserver: requested lease not found","code":5}`, http.StatusNotFound)
			return
		}
		f.mu.Unlock()
		f.put(unb64(body["key"]), unb64(body["value"]), fmt.Sprint(body["lease"]))
		f.mu.Lock()
		fmt.Fprint(w, "{}")
	case "/v3/kv/deleterange":
		f.drop(unb64(body["key"]))
		fmt.Fprint(w, "{}")
	case "/v3/lease/grant":
		id = strconv.FormatInt(7587000000000000000+int64(f.asked[path]), 10)
		f.leases[id] = true
		fmt.Fprintf(w, `{"ID":%q,"TTL":"%v"}`, id, body["TTL"])
	case "/v3/lease/keepalive":
		if f.leases[id] {
			fmt.Fprintf(w, `{"result":{"ID":%q,"TTL":"15"}}`+"\n", id)
		} else {
			fmt.Fprintf(w, `{"result":{"ID":%q}}`+"\n", id)
		}
	case "/v3/lease/revoke":
		if !f.leases[id] {
			http.Error(w, `{"error":"etcdserver: requested lease not found","code":5}`, http.StatusNotFound)
			return
		}
		f.mu.Unlock()
		f.expire(id)
		f.mu.Lock()
		fmt.Fprint(w, "{}")
	default:
		http.NotFound(w, nil)
	}
}

func (f *fake) list(w http.ResponseWriter, from, end string) {
	keys := slices.Sorted(maps.Keys(f.keys))
	keys = slices.DeleteFunc(keys, func(k string) bool { return k < from || k >= cmp.Or(end, from+"\x00") })
	var kvs []string
	for _, k := range keys[:min(len(keys), f.page)] {
		kvs = append(kvs, fmt.Sprintf(`{"key":%q,"value":%q,"mod_revision":"1"}`, b64(k), b64(f.keys[k])))
	}
	fmt.Fprintf(w, `{"header":{"cluster_id":"14841639068965178418","revision":"%d"},"kvs":[%s],"more":%v,"count":"%d"}`,
		f.revision, strings.Join(kvs, ","), len(keys) > f.page, len(keys))
}

func (f *fake) watch(w http.ResponseWriter, r *http.Request, create map[string]any) {
	at, _ := strconv.Atoi(fmt.Sprint(create["start_revision"]))
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	f.mu.Lock()
	f.watchers[wake] = true
	f.mu.Unlock()
	defer func() { f.mu.Lock(); delete(f.watchers, wake); f.mu.Unlock() }()
	fmt.Fprintln(w, `{"result":{"header":{},"created":true}}`)
	for {
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-wake:
		}
		f.mu.Lock()
		if at <= f.compacted {
			fmt.Fprintf(w, `{"result":{"header":{},"canceled":true,"compact_revision":"%d"}}`+"\n", f.compacted)
			f.mu.Unlock()
			return
		}
		if news := f.history[at-2:]; len(news) > 0 {
			fmt.Fprintf(w, `{"result":{"header":{"revision":"%d"},"events":[%s]}}`+"\n", f.revision, strings.Join(news, ","))
			at = f.revision + 1
		}
		f.mu.Unlock()
	}
}

func registry(t *testing.T, c Config, h http.Handler) *Registry {
	t.Helper()
	c.Dial = pipe.Serve(t, h)
	c.Servers = []string{"http://etcd:2379"}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.web.Close)
	return r
}
