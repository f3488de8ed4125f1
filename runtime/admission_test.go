package runtime_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/policy/admit"
)

// narrow is a server that admits two calls, with nobody waiting, whose handlers say that
// they were entered, and stay until they are let go.
func narrow(t *testing.T, entered chan<- string, leave <-chan struct{}, opts ...concordat.ServerOption) string {
	s := concordat.NewServer(append([]concordat.ServerOption{concordat.WithAdmission(admit.Config{Start: 2, Min: 2, Max: 2, Tolerance: 2, Wait: time.Second, Samples: 1 << 30})}, opts...)...)
	handler := func(ctx context.Context, in string) (string, error) {
		entered <- in
		<-leave
		return "done", nil
	}
	answer(s, &getSpec, handler)
	answer(s, &postSpec, handler)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return strings.TrimPrefix(h.URL, "http://")
}

// A refusal says that the server is busy, not broken: another endpoint is asked, whatever
// the operation, and none is ejected.
func TestRefusedCallsGoElsewhere(t *testing.T) {
	entered, leave := make(chan string, 100), make(chan struct{})
	a, b := narrow(t, entered, leave), narrow(t, entered, leave)
	log, said := logs()
	c := dial(t, fmt.Sprintf("static:%s,%s", a, b), concordat.WithPlaintext(), concordat.WithLogger(log))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := do(t.Context(), c, &postSpec, "x"); err != nil {
				t.Errorf("there is room for four: %v", err)
			}
		})
	}
	for range 4 {
		<-entered
	}
	refused := 0
	for range 30 {
		_, err := do(t.Context(), c, &postSpec, "x")
		e := concordat.ErrorOf(err)
		if err == nil || e.Code != concordat.Unavailable {
			t.Fatalf("the fifth call: %v", err)
		}
		if strings.Contains(err.Error(), "too many calls already") {
			refused++
		}
	}
	close(leave)
	wg.Wait()
	if refused != 30 {
		t.Errorf("%d of 30 calls were refused by the servers", refused)
	}
	if strings.Contains(said(), "ejected") {
		t.Error("a server that refuses for its load was taken for broken")
	}
}

func TestPriorities(t *testing.T) {
	entered, leave := make(chan string, 100), make(chan struct{})
	c := dial(t, "http://"+narrow(t, entered, leave), concordat.WithRetries(0))
	call := func(p admit.Priority) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := do(concordat.WithPriority(t.Context(), p), c, &getSpec, "")
			done <- err
		}()
		return done
	}
	first := call(admit.Sheddable)
	<-entered
	if err := <-call(admit.Sheddable); err == nil {
		t.Error("a sheddable call took the last place")
	}
	second := call(admit.Normal)
	<-entered
	if err := <-call(admit.Normal); err == nil {
		t.Error("there is no third place")
	}
	third := call(admit.Critical)
	<-entered
	close(leave)
	for _, done := range []chan error{first, second, third} {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestServerDecidesPriorities(t *testing.T) {
	entered, leave := make(chan string, 100), make(chan struct{})
	addr := narrow(t, entered, leave, concordat.WithPriorities(func(spec *concordat.Spec, _ concordat.Meta) admit.Priority {
		if spec == &getSpec {
			return admit.Sheddable
		}
		return admit.Normal
	}))
	c := dial(t, "http://"+addr, concordat.WithRetries(0))
	done := make(chan error, 1)
	go func() {
		_, err := do(t.Context(), c, &postSpec, "")
		done <- err
	}()
	<-entered
	if _, err := do(concordat.WithPriority(t.Context(), admit.Critical), c, &getSpec, ""); err == nil {
		t.Error("a client made itself critical")
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
	err := concordat.NewServer(concordat.WithPlaintext(), concordat.WithPriorities(nil)).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "WithAdmission") {
		t.Errorf("priorities without admission: %v", err)
	}
}

// Who waits is served when there is room.
func TestWaitingForAPlace(t *testing.T) {
	s := concordat.NewServer(concordat.WithAdmission(admit.Config{Start: 2, Min: 2, Max: 2, Tolerance: 2, Queue: 1, Wait: time.Minute, Samples: 1 << 30}))
	answer(s, &getSpec, func(context.Context, string) (string, error) { return "done", nil })
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	c := dial(t, h.URL, concordat.WithRetries(0))
	var wg sync.WaitGroup
	for range 4 { // two admitted, two waiting at most
		wg.Go(func() {
			for range 50 {
				if _, err := do(t.Context(), c, &getSpec, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// Replies that stream have no deadline but their client's.
func TestMountStreamHasNoDefaultDeadline(t *testing.T) {
	s := concordat.NewServer(concordat.WithTimeout(time.Minute))
	bounded := func(w http.ResponseWriter, r *http.Request, _ []string) {
		_, ok := r.Context().Deadline()
		fmt.Fprint(w, ok)
	}
	s.Mount(&getSpec, "GET", "/short", bounded)
	s.MountStream(&postSpec, "GET", "/long", bounded)
	for _, c := range []struct{ path, timeout, want string }{
		{"/short", "", "true"}, {"/long", "", "false"}, {"/long", "5S", "true"}, {"/short", "5S", "true"},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		if c.timeout != "" {
			r.Header.Set("Grpc-Timeout", c.timeout)
		}
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Body.String() != c.want {
			t.Errorf("%s with a timeout of %q: a deadline: %s, want %s", c.path, c.timeout, w.Body, c.want)
		}
	}
}
