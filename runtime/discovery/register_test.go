package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// registry remembers what it was told and answers by script.
type registry struct {
	mu           sync.Mutex
	known, hangs bool
	down         error
	log          []string
}

func (r *registry) note(ctx context.Context, s string, sick error) error {
	if sick != nil {
		s += " sick"
	}
	if r.hangs {
		<-ctx.Done()
		r.log = append(r.log, s+" hung")
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down != nil {
		s += " failed"
	}
	r.log = append(r.log, s)
	return r.down
}

func (r *registry) Register(ctx context.Context, _ Instance, sick error) error {
	err := r.note(ctx, "register", sick)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = r.known || err == nil
	return err
}

func (r *registry) Renew(ctx context.Context, _ Instance, sick error) error {
	if err := r.note(ctx, "renew", sick); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known {
		return fmt.Errorf("404: %w", ErrUnknown)
	}
	return nil
}

func (r *registry) Deregister(ctx context.Context, _ Instance) error {
	return r.note(ctx, "deregister", nil)
}
func (r *registry) Every() time.Duration { return 10 * time.Second }

// after does something to the registry when d has passed.
func (r *registry) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		f()
	})
}

var here = Instance{Service: "users", Addr: "10.0.0.1:80"}

func TestAnnounce(t *testing.T) {
	down := errors.New("connection refused")
	for _, c := range []struct {
		name string
		r    *registry
		at   map[time.Duration]func(*registry)
		want []string
	}{
		{"registers, renews, deregisters", &registry{}, nil, []string{"register", "renew", "renew", "deregister"}},
		{"what is forgotten is registered again in the same beat", &registry{}, map[time.Duration]func(*registry){
			15 * time.Second: func(r *registry) { r.known = false },
		}, []string{"register", "renew", "renew", "register", "deregister"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
				defer cancel()
				for at, f := range c.at {
					c.r.after(at, func() { f(c.r) })
				}
				if err := Announce(ctx, c.r, here, nil); err != nil || !slices.Equal(c.r.log, c.want) {
					t.Errorf("%v, %q", err, c.r.log)
				}
			})
		})
	}
	t.Run("a registry that is down is asked again, and known within a heartbeat of its return", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
			defer cancel()
			r := &registry{down: down}
			r.after(10*time.Minute, func() { r.down = nil; r.log = nil })
			r.after(10*time.Minute+r.Every(), func() {
				if len(r.log) == 0 || r.log[0] != "register" {
					t.Errorf("%q", r.log)
				}
			})
			var reports []error
			if err := Announce(ctx, r, here, func(err error) { reports = append(reports, err) }); err != nil {
				t.Error(err)
			}
			n := len(reports)
			if n < 60 || n > 130 || reports[n-1] != nil || !errors.Is(reports[0], down) || !strings.Contains(reports[0].Error(), "users-10.0.0.1:80") {
				t.Errorf("%d reports, first %v, last %v", n, reports[0], reports[n-1])
			}
		})
	})
	t.Run("a registry that hangs is given up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r := &registry{hangs: true}
			start := time.Now()
			err := Announce(ctx, r, here, nil)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute+Farewell || len(r.log) < 5 {
				t.Errorf("%v after %v, %q", err, time.Since(start), r.log)
			}
		})
	})
	t.Run("health is asked each time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
			defer cancel()
			r, i, sick := &registry{}, here, errors.New("disk full")
			i.Health = func(context.Context) error { err := sick; sick = nil; return err }
			if err := Announce(ctx, r, i, nil); err != nil || !slices.Equal(r.log, []string{"register sick", "renew", "renew", "deregister"}) {
				t.Errorf("%v, %q", err, r.log)
			}
		})
	})
}

func TestAnnounceRefuses(t *testing.T) {
	for _, c := range []struct {
		i    Instance
		want string
	}{
		{Instance{Addr: "h:1"}, "no service name"},
		{Instance{Service: "s", Addr: "h"}, "missing port"},
		{Instance{Service: "s", Addr: "h:0"}, "from 1 to 65535"},
		{Instance{Service: "s", Addr: "h:http"}, "from 1 to 65535"},
		{Instance{Service: "s", Addr: "0.0.0.0:80"}, "cannot dial"},
		{Instance{Service: "s", Addr: "[::]:80"}, "cannot dial"},
		{Instance{Service: "s", Addr: ":80"}, "cannot dial"},
	} {
		r := &registry{}
		if err := Announce(t.Context(), r, c.i, nil); err == nil || !strings.Contains(err.Error(), c.want) || len(r.log) > 0 {
			t.Errorf("%+v: %v, %q", c.i.Addr, err, r.log)
		}
	}
}
