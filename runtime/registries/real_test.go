package registries_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	registry "github.com/concordat-dev/concordat/internal/registries"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/registries"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

var whoSpec = concordat.Spec{Name: "Test/Who", Kind: concordat.Unary, Route: "GET /who", Idempotent: true}

// A member is a server that says its name, announced under a target.
type member struct {
	calls atomic.Int64
	stop  func()
}

func join(t *testing.T, ca *devca.CA, target string) *member {
	t.Helper()
	announce, err := registries.Announce(target)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := ca.Mutual("users", "localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	s := concordat.NewServer(concordat.WithTLS(conf), announce)
	m := new(member)
	s.Mount(&whoSpec, "GET", "/who", func(w http.ResponseWriter, _ *http.Request, _ []string) {
		m.calls.Add(1)
		_, _ = io.WriteString(w, "ok")
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(m.stop)
	select {
	case <-s.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
	return m
}

func call(ctx context.Context, c *concordat.Conn) error {
	return c.Try(ctx, &whoSpec, func(ctx context.Context, a *concordat.Attempt) error {
		r, err := http.NewRequestWithContext(ctx, "GET", a.Base.JoinPath("who").String(), nil)
		if err != nil {
			return err
		}
		resp, err := a.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != 200 {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
}

// until calls until ok, and every call has to succeed; the first may have to wait until a
// server is known at all.
func until(t *testing.T, c *concordat.Conn, what string, ok func() bool) {
	t.Helper()
	limit := time.Now().Add(time.Minute)
	for !ok() {
		if err := call(t.Context(), c); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if time.Now().After(limit) {
			t.Fatalf("%s: not within a minute", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Servers come and go, and the registry, too: no call fails.
func TestServersComeAndGo(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real registries")
	}
	for _, r := range []struct {
		scheme, variable string
		start            func(t *testing.T, port int) *registry.Server
		url              string
	}{
		{"consul", "CONSUL_HTTP_ADDR", func(t *testing.T, port int) *registry.Server { return registry.StartConsul(t, port) }, "http://127.0.0.1:%d"},
		{"etcd", "ETCDCTL_ENDPOINTS", func(t *testing.T, port int) *registry.Server { return registry.StartEtcd(t, t.TempDir(), port) }, "http://127.0.0.1:%d"},
		{"eureka", "EUREKA_CLIENT_SERVICEURL_DEFAULTZONE", func(t *testing.T, port int) *registry.Server {
			return registry.StartEureka(t, port, time.Second)
		}, "http://127.0.0.1:%d/eureka"},
	} {
		t.Run(r.scheme, func(t *testing.T) {
			port := registry.Ports(t, 1)[0]
			server := r.start(t, port)
			t.Setenv("EUREKA_CLIENT_REGISTRYFETCHINTERVALSECONDS", "1")
			t.Setenv("EUREKA_INSTANCE_LEASEEXPIRATIONDURATIONINSECONDS", "6")
			t.Setenv(r.variable, fmt.Sprintf(r.url, port))
			comeAndGo(t, r.scheme, server, func() { r.start(t, port) })
		})
	}
}

func comeAndGo(t *testing.T, scheme string, server *registry.Server, restart func()) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	conf, err := ca.Mutual("client")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := concordat.NewConn(scheme+"://users", registries.All(), concordat.WithTLS(conf))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	one := join(t, ca, scheme+"://users?zone=a")
	first(t, conn)
	two := join(t, ca, scheme+"://users?zone=b")
	until(t, conn, "a second server", func() bool { return two.calls.Load() > 20 })

	server.Kill()
	before := one.calls.Load() + two.calls.Load()
	until(t, conn, "the registry is gone", func() bool { return one.calls.Load()+two.calls.Load() > before+200 })
	restart()
	three := join(t, ca, scheme+"://users")
	until(t, conn, "the registry is back", func() bool { return three.calls.Load() > 20 })

	one.stop()
	n := two.calls.Load()
	until(t, conn, "a server has gone", func() bool { return two.calls.Load() > n+50 })
}

// first waits until the first server is known: before, that there is none is no fault.
func first(t *testing.T, conn *concordat.Conn) {
	t.Helper()
	limit := time.Now().Add(time.Minute)
	for {
		err := call(t.Context(), conn)
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*concordat.Error](err); !ok || e.Code != concordat.Unavailable || time.Now().After(limit) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
