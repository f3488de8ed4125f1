package consul

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

func contextUntil(t *testing.T, stop time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(t.Context(), stop)
}

// agent is a fake of what an agent does with what is announced to it.
type agent struct {
	mu       sync.Mutex
	t        *testing.T
	services map[string]registration
	status   map[string]string
	unknown  int // the status for checks that are not known
	log      []string
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = append(a.log, r.Method+" "+r.URL.Path)
	op, id := r.URL.Path[:strings.LastIndex(r.URL.Path, "/")], r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch op {
	case "/v1/agent/service":
		var b registration
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			a.t.Error(err)
		}
		a.services[b.ID], a.status[b.Check.CheckID] = b, b.Check.Status
	case "/v1/agent/check/update":
		if a.status[id] == "" {
			http.Error(w, `Unknown check ID "`+id+`"`, a.unknown)
			return
		}
		var b struct{ Status, Output string }
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			a.t.Error(err)
		}
		a.status[id] = b.Status
	case "/v1/agent/service/deregister":
		if _, ok := a.services[id]; !ok {
			http.Error(w, "Unknown service ID", http.StatusNotFound)
			return
		}
		delete(a.services, id)
		delete(a.status, "service:"+id)
	default:
		a.t.Errorf("%s %s", r.Method, r.URL)
	}
}

var here = discovery.Instance{Service: "users", Addr: "10.0.0.1:8443", ID: "users-1", Secure: true, ServerName: "users.test", Weight: 5, Zone: "a",
	Tags: []string{"v2"}, Meta: map[string]string{"k": "v"}}

func TestRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &agent{t: t, services: map[string]registration{}, status: map[string]string{}}
		r := registry(t, Config{}, a.ServeHTTP)
		if err := r.Register(t.Context(), here, nil); err != nil {
			t.Fatal(err)
		}
		b := a.services["users-1"]
		if b.Name != "users" || b.Address != "10.0.0.1" || b.Port != 8443 || b.Weights.Passing != 5 || b.Tags[0] != "v2" ||
			b.Meta["k"] != "v" || b.Meta["zone"] != "a" || b.Meta["concordat-server-name"] != "users.test" || b.Meta["secure"] != "true" {
			t.Errorf("%+v", b)
		}
		if b.Check.TTL != "15s" || b.Check.DeregisterCriticalServiceAfter != "1m0s" || b.Check.Status != "passing" {
			t.Errorf("%+v", b.Check)
		}
		if len(here.Meta) != 1 {
			t.Error("the caller's metadata must not be changed")
		}
		sick := errors.New("disk full")
		if err := r.Renew(t.Context(), here, sick); err != nil || a.status["service:users-1"] != "critical" {
			t.Error(err, a.status)
		}
		if err := r.Renew(t.Context(), here, nil); err != nil || a.status["service:users-1"] != "passing" {
			t.Error(err, a.status)
		}
		if err := r.Register(t.Context(), here, sick); err != nil || a.status["service:users-1"] != "critical" {
			t.Error(err, a.status)
		}
		for range 2 {
			if err := r.Deregister(t.Context(), here); err != nil || len(a.services) != 0 {
				t.Error(err)
			}
		}
	})
}

// An agent that lost its memory is told again within one heartbeat.
func TestAnnounceToAForgetfulAgent(t *testing.T) {
	for _, status := range []int{404, 500} {
		synctest.Test(t, func(t *testing.T) {
			a := &agent{t: t, services: map[string]registration{}, status: map[string]string{}, unknown: status}
			r := registry(t, Config{}, a.ServeHTTP)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			time.AfterFunc(30*time.Second, func() { a.mu.Lock(); clear(a.services); clear(a.status); a.mu.Unlock() })
			time.AfterFunc(30*time.Second+r.Every()*11/10, func() {
				a.mu.Lock()
				defer a.mu.Unlock()
				if a.status["service:users-1"] != "passing" {
					t.Error("not registered again")
				}
			})
			if err := discovery.Announce(ctx, r, here, func(err error) { t.Error(err) }); err != nil || len(a.services) != 0 {
				t.Errorf("%v, left: %v", err, a.services)
			}
			if n := len(a.log); n < 12 || n > 18 {
				t.Errorf("%d requests in a minute", n)
			}
		})
	}
}

func TestARefusalIsNotForgetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Permission denied", http.StatusForbidden) })
		if err := r.Renew(t.Context(), here, nil); err == nil || errors.Is(err, discovery.ErrUnknown) {
			t.Error(err)
		}
		if err := r.Deregister(t.Context(), here); err == nil {
			t.Error("a refusal must be told")
		}
	})
}
