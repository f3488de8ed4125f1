package http_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	hooks "github.com/concordat-dev/concordat/runtime/broker/http"
)

// world is a broker that receives at a server, and one that sends to it.
func world(t *testing.T, address string, security auth.Requirements, opts ...concordat.ServerOption) (in, out *hooks.Broker, base string) {
	t.Helper()
	in, out = hooks.New(), hooks.New(hooks.WithBackoff(time.Millisecond), hooks.WithAttempts(50))
	s := concordat.NewServer(append(opts, concordat.WithPlaintext())...)
	in.Mount(s, address, security)
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.Close()
		for _, b := range []*hooks.Broker{in, out} {
			if err := b.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return in, out, web.URL
}

func hook(t *testing.T, b *hooks.Broker, addresses, url string, opts ...concordat.ConnOption) func() {
	t.Helper()
	remove, err := b.AddHook(addresses, url, append(opts, concordat.WithPlaintext(), concordat.WithPrivateNetworks())...)
	if err != nil {
		t.Fatal(err)
	}
	return remove
}

func subscribe(t *testing.T, b *hooks.Broker, s broker.Subscription, h broker.Handler) (stop func()) {
	t.Helper()
	up, ended := make(chan struct{}), make(chan error, 1)
	s.Ready = func() { close(up) }
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- b.Subscribe(ctx, s, h) }()
	<-up
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestRoundTrip(t *testing.T) {
	in, out, url := world(t, "a/{id}/x", nil)
	got := make(chan *broker.Message, 1)
	subscribe(t, in, broker.Subscription{Address: "a/{id}/x"}, func(_ context.Context, m *broker.Message) error { got <- m; return nil })
	hook(t, out, "a/{id}/x", url+"/a/b%20%C3%A9%25/x")
	sent := &broker.Message{
		Address: "a/b é%/x", Key: "k 1", Media: "application/json", ID: "id-1", ReplyTo: "r/é", CorrelationID: "c%41", Time: time.Unix(1_700_000_000, 0),
		Headers: map[string]string{"trace-id": "t", "X-Mixed": "Ünï, \"code\" 100%41", "empty": ""}, Body: []byte{0, 255, '{'},
	}
	if err := out.Publish(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	m := <-got
	if m.Address != sent.Address || m.Key != sent.Key || m.Media != sent.Media || m.ID != sent.ID || m.ReplyTo != sent.ReplyTo ||
		m.CorrelationID != sent.CorrelationID || string(m.Body) != string(sent.Body) || !m.Time.Equal(sent.Time) {
		t.Errorf("got  %+v\nsent %+v", m, sent)
	}
	for k, v := range sent.Headers {
		if m.Headers[k] != v || len(m.Headers) != len(sent.Headers) {
			t.Errorf("header %s: got %q, sent %q", k, m.Headers[k], v)
		}
	}
}

// A message is confirmed when every group has handled it; each group gets it once.
func TestGroups(t *testing.T) {
	in, out, url := world(t, "a", nil)
	var mu sync.Mutex
	var got []string
	for _, g := range []string{"g", "g", "h", ""} {
		subscribe(t, in, broker.Subscription{Address: "a", Group: g}, func(context.Context, *broker.Message) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, g)
			return nil
		})
	}
	hook(t, out, "{any}", url+"/a")
	if err := out.Publish(t.Context(), &broker.Message{Address: "a"}); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(got); !slices.Equal(got, []string{"", "g", "h"}) {
		t.Errorf("%q have it", got)
	}
}

// What fails, or finds nobody, is sent again; the program gives back what it cannot handle.
func TestRedelivery(t *testing.T) {
	in, out, url := world(t, "a", nil)
	hook(t, out, "a", url+"/a")
	confirmed := make(chan error, 1)
	go func() { confirmed <- out.Publish(t.Context(), &broker.Message{Address: "a"}) }()
	n := 0
	time.AfterFunc(20*time.Millisecond, func() {
		subscribe(t, in, broker.Subscription{Address: "a"}, func(context.Context, *broker.Message) error {
			if n++; n == 1 {
				return errors.New("not now")
			}
			return nil
		})
	})
	if err := <-confirmed; err != nil || n != 2 {
		t.Errorf("%v, handled %d times", err, n)
	}
}

// A subscription that ends lets its handler finish, and the sender hears of that.
func TestDrain(t *testing.T) {
	in, out, url := world(t, "a", nil)
	began, release := make(chan struct{}), make(chan struct{})
	stop := subscribe(t, in, broker.Subscription{Address: "a"}, func(ctx context.Context, _ *broker.Message) error {
		close(began)
		<-release
		return ctx.Err()
	})
	hook(t, out, "a", url+"/a")
	confirmed, stopped := make(chan error, 1), make(chan struct{})
	go func() { confirmed <- out.Publish(t.Context(), &broker.Message{Address: "a"}) }()
	<-began
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("the subscription ended before its handler")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-stopped
	if err := <-confirmed; err != nil {
		t.Error(err)
	}
}

// What replies mean, and that only lasting refusals are permanent.
func TestReplies(t *testing.T) {
	for _, c := range []struct {
		statuses  []int
		asked     int32
		ok        bool
		permanent bool
	}{
		{[]int{204}, 1, true, false},
		{[]int{500, 429, 408, 503, 200}, 5, true, false},
		{[]int{404}, 1, false, true},
		{[]int{410}, 1, false, true},
		{[]int{302}, 1, false, true},
		{[]int{503, 400}, 2, false, true},
		{[]int{503, 503, 503, 503, 503, 503}, 5, false, false},
	} {
		var asked atomic.Int32
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(c.statuses[asked.Add(1)-1])
		}))
		b := hooks.New(hooks.WithAttempts(5), hooks.WithBackoff(time.Microsecond))
		hook(t, b, "a", web.URL)
		err := b.Publish(t.Context(), &broker.Message{Address: "a"})
		if (err == nil) != c.ok || broker.IsPermanent(err) != c.permanent || asked.Load() != c.asked {
			t.Errorf("%v: %v, permanent %v, asked %d times", c.statuses, err, broker.IsPermanent(err), asked.Load())
		}
		web.Close()
	}
}

// One URL that is gone for good does not make a failure of another permanent.
func TestSeveralHooks(t *testing.T) {
	status := func(code int) string {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		t.Cleanup(web.Close)
		return web.URL
	}
	b := hooks.New(hooks.WithAttempts(1))
	gone := hook(t, b, "a", status(410))
	busy := hook(t, b, "a", status(503))
	hook(t, b, "a", status(200))
	if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); err == nil || broker.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
	busy()
	if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); !broker.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
	gone()
	if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	b := hooks.New(hooks.WithAttempts(3), hooks.WithBackoff(time.Microsecond))
	if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); !errors.Is(err, broker.ErrUnroutable) {
		t.Errorf("nobody to send to: %v", err)
	}
	for _, url := range []string{"http://h.example/", "ftp://h.example", "https://user:secret@h.example/", ":"} {
		if _, err := b.AddHook("a", url); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := b.AddHook("a", "https://127.0.0.1:9/"); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); err == nil || !strings.Contains(err.Error(), "no public address") {
		t.Errorf("a private address: %v", err)
	}
	for _, name := range []string{"Content-Length", "authorization", "a b", "", "webhook-id", "x\r\ny"} {
		if err := b.Publish(t.Context(), &broker.Message{Address: "a", Headers: map[string]string{name: "x"}}); !broker.IsPermanent(err) || !strings.Contains(err.Error(), "cannot have the header") {
			t.Errorf("header %q: %v", name, err)
		}
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := b.Publish(t.Context(), &broker.Message{Address: "a"}); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := b.AddHook("a", "https://h.example/"); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := b.Subscribe(t.Context(), broker.Subscription{Address: "a"}, nil); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Who sends must show what the contract demands, and no credential is a message's header.
func TestSecurity(t *testing.T) {
	scheme := &auth.Scheme{Name: "key", Kind: auth.KindAPIKey, In: "header", Param: "Authorization"}
	in, _, url := world(t, "a", auth.Requirements{{{Scheme: scheme}}}, concordat.WithVerifier(scheme, auth.Keys(map[string]string{"desk": "open"})), concordat.WithMaxBody(8))
	var got *broker.Message
	subscribe(t, in, broker.Subscription{Address: "a"}, func(_ context.Context, m *broker.Message) error { got = m; return nil })
	for _, c := range []struct {
		key, body string
		want      int
	}{{"", "x", 401}, {"shut", "x", 401}, {"open", "x", 204}, {"open", "far too long", 413}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/a", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", c.key)
		req.Header.Set("X-Foreign", "50% off")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%q, %q: %s", c.key, c.body, resp.Status)
		}
	}
	if got == nil || got.Headers["x-foreign"] != "50% off" || got.Headers["authorization"] != "" || got.Headers["Authorization"] != "" {
		t.Errorf("got %+v", got)
	}
}
