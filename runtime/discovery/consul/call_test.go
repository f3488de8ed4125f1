package consul_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/discovery/consul"
)

var spec = concordat.Spec{Name: "test.Things/Get", Route: "GET /things", Idempotent: true}

// get makes a call as stubs do.
func get(ctx context.Context, c *concordat.Conn) error {
	_, err := c.Invoke(ctx, &concordat.Call{Spec: &spec}, nil, func(ctx context.Context, _ any) (any, error) {
		return nil, c.Try(ctx, &spec, func(ctx context.Context, a *concordat.Attempt) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Base.String()+"/things", nil)
			if err != nil {
				return err
			}
			resp, err := a.Do(r)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		})
	})
	return err
}

// No call is lost while the registry lies in every way it can, and what it says when it
// has come to its senses is used.
func TestCallsWhileTheRegistryLies(t *testing.T) {
	var hits [2]atomic.Int64
	addrs := make([]string, 2)
	for i := range addrs {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits[i].Add(1) }))
		defer s.Close()
		addrs[i] = strings.TrimPrefix(s.URL, "http://")
	}
	say := func(w http.ResponseWriter, index int64, addrs ...string) {
		w.Header().Set("X-Consul-Index", fmt.Sprint(index))
		var es []string
		for _, a := range addrs {
			u := &url.URL{Host: a}
			es = append(es, fmt.Sprintf(`{"Service":{"Address":%q,"Port":%s}}`, u.Hostname(), u.Port()))
		}
		io.WriteString(w, "["+strings.Join(es, ",")+"]")
	}
	lies := []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { say(w, 1, addrs[0]) }, // the truth, at first
		func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "\x00\xff") },
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `[{"Service":`)
		},
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.String()+"x", http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		func(w http.ResponseWriter, _ *http.Request) { say(w, -1) },
		func(w http.ResponseWriter, _ *http.Request) { say(w, 7) }, // nobody is there, it says
		func(w http.ResponseWriter, _ *http.Request) { say(w, 8, "0.0.0.0:0", "nonsense:99999") },
		func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) { say(w, 2, addrs[1]) }, // the truth, which has changed
	}
	var turn atomic.Int64
	registry := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := turn.Load()
		if strings.HasSuffix(r.URL.RawQuery, "x") {
			i-- // still on the way of a redirect
		} else {
			turn.Add(1)
		}
		lies[min(i, int64(len(lies)-1))](w, r)
	}))
	registry.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	registry.Start()
	defer registry.Close()

	r, err := consul.New(consul.Config{Addr: registry.URL, Spacing: time.Millisecond, Retry: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	c, err := concordat.NewConn("consul://things", concordat.WithResolver("consul", r), concordat.WithPlaintext(),
		concordat.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for hits[1].Load() == 0 && ctx.Err() == nil {
		if err := get(ctx, c); err != nil {
			t.Fatalf("after %d answers of the registry: %v", turn.Load(), err)
		}
	}
	if hits[0].Load() == 0 || hits[1].Load() == 0 {
		t.Errorf("calls: %d and %d; the registry answered %d times", hits[0].Load(), hits[1].Load(), turn.Load())
	}
}
