package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/redis"
	"github.com/concordat-dev/concordat/runtime/broker/redis/redisembed"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

const patience = 20 * time.Second

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"localhost:6379":                        "is no server's address",
		"amqp://user:secret@localhost":          "is no server's address",
		"":                                      "is no server's address",
		"redis://user:secret@localhost/x":       "it is a number",
		"redis://a,rediss://b":                  "all rediss:// or all redis://",
		"redis://a/3,b":                         "no databases but 0",
		"redis://:secret@localhost?protocol=3":  "is not known",
		"redis://user:sec%ret@localhost":        "is no server's address",
		"redis://a?master=m,redis://b?master=m": "",
		"rediss://user:secret@localhost:6380/0": "",
		"redis://a:1,b:2,c:3":                   "",
	} {
		_, err := redis.New(target)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", target, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")):
			t.Errorf("%s: got %v", target, err)
		}
	}
	for what, o := range map[string]redis.Option{
		"TLS": redis.WithTLS(tlsconf.System()), "claim": redis.WithClaim(0), "length": redis.WithMaxLen(-1), "stream": redis.WithStream("a/{b}", ""),
	} {
		if _, err := redis.New("redis://localhost", o); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	if _, err := redis.New("redis://a,b", redis.WithReplicas(1)); err == nil {
		t.Error("replicas of a cluster were taken")
	}
}

func publish(t *testing.T, b *redis.Broker, m *broker.Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return b.Publish(ctx, m)
}

// subscribe begins a subscription that is ready when it returns.
func subscribe(t *testing.T, b broker.Broker, s broker.Subscription, h broker.Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	up, done := make(chan struct{}), make(chan error, 1)
	s.Ready = func() { close(up) }
	go func() { done <- b.Subscribe(ctx, s, h) }()
	select {
	case <-up:
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	return func() error { cancel(); return <-done }
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}

// plain is a client that knows nothing of us.
func plain(t *testing.T, url string) *goredis.Client {
	t.Helper()
	o, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := goredis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestTLS(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue("server")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, roots, err := leaf.WriteFiles(t.TempDir(), "server")
	if err != nil {
		t.Fatal(err)
	}
	s := redisServer(t, "--tls-port", "PORT", "--port", "0", "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", roots)
	url := "rediss://" + s.addr
	ours, err := ca.Issue("client")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := stranger.Issue("client")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		config *tlsconf.Config
		want   string // "": it works
	}{
		"mutual":                  {tlsconf.MutualPEM(ours.Cert, ours.Key, ours.CA), ""},
		"we trust somebody else":  {tlsconf.MutualPEM(ours.Cert, ours.Key, theirs.CA), "issued by an unknown authority; give that authority to tlsconf"},
		"no client certificate":   {tlsconf.RootsPEM(ours.CA), "tlsconf.Mutual"},
		"certificate of stranger": {tlsconf.MutualPEM(theirs.Cert, theirs.Key, ours.CA), "does it trust the authority that issued our certificate"},
	} {
		err := publish(t, open(t, url, redis.WithTLS(c.config)), &broker.Message{Address: "secret", Body: []byte("x")})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), url) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestErrorsNameServerAndRemedy(t *testing.T) {
	s := redisServer(t)
	c := plain(t, s.url())
	ctx := t.Context()
	for _, user := range [][]any{
		{"ACL", "SETUSER", "app", "on", ">right", "~*", "+@all"},
		{"ACL", "SETUSER", "reader", "on", ">right", "~*", "+@read", "+@connection"},
		{"SET", "taken", "a string"},
	} {
		if err := c.Do(ctx, user...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	at := func(user string) string { return "redis://" + user + "@" + s.addr }
	for what, k := range map[string]struct {
		b    *redis.Broker
		to   string
		want string // "": it works
	}{
		"right":          {open(t, at("app:right")), "x", ""},
		"by a source":    {open(t, s.url(), redis.WithCredentials(auth.Password("app", "right"))), "x", ""},
		"wrong password": {open(t, at("app:secret")), "x", "check the user and the password"},
		"may not":        {open(t, at("reader:right")), "x", "an ACL is missing"},
		"no stream":      {open(t, at("app:right")), "taken", "redis.WithStream"},
		"no address":     {open(t, at("app:right")), "", "without an address"},
	} {
		err := publish(t, k.b, &broker.Message{Address: k.to, Body: []byte("x")})
		if k.want == "" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), k.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
	err := open(t, s.url()).Subscribe(ctx, broker.Subscription{Address: "taken", Group: "g"}, nil)
	if err == nil || !strings.Contains(err.Error(), "redis.WithStream") || !strings.Contains(err.Error(), s.addr) {
		t.Errorf("a subscription to a string: %v", err)
	}
	if err := c.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := publish(t, open(t, s.url()), &broker.Message{Address: "full"}); err == nil || !strings.Contains(err.Error(), "maxmemory") {
		t.Errorf("no memory: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	err = open(t, "redis://127.0.0.1:1").Publish(short, &broker.Message{Address: "x"})
	if err == nil || !strings.Contains(err.Error(), "redis://127.0.0.1:1") || !strings.Contains(err.Error(), "is the server running") {
		t.Errorf("server down: %v", err)
	}
}

// Streams and groups that somebody deletes are made again, aloud.
func TestStreamIsDeleted(t *testing.T) {
	s := redisServer(t)
	var out locked
	b := open(t, s.url(), redis.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	got := make(chan string, 8)
	stop := subscribe(t, b, broker.Subscription{Address: "gone", Group: "g"}, func(_ context.Context, m *broker.Message) error {
		got <- string(m.Body)
		return nil
	})
	c := plain(t, s.url())
	for _, how := range [][]any{{"DEL", "gone"}, {"XGROUP", "DESTROY", "gone", "g"}} {
		if err := c.Do(t.Context(), how...).Err(); err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprint(how[0])
		if err := publish(t, b, &broker.Message{Address: "gone", Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
		for m := receive(t, got); m != body; m = receive(t, got) { // a new group begins with the oldest
		}
	}
	if err := stop(); err != nil || !strings.Contains(out.String(), "was deleted") {
		t.Errorf("%v; logged %s", err, out.String())
	}
}

type locked struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A member that died leaves messages that another takes over; a slow one loses none.
func TestStaleMessagesAreTakenOver(t *testing.T) {
	s := redisServer(t)
	b := open(t, s.url(), redis.WithClaim(400*time.Millisecond))
	c := plain(t, s.url())
	ctx := t.Context()
	if err := c.XGroupCreateMkStream(ctx, "stale", "g", "0").Err(); err != nil {
		t.Fatal(err)
	}
	if err := publish(t, b, &broker.Message{Address: "stale", Body: []byte("left")}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.XReadGroup(ctx, &goredis.XReadGroupArgs{Group: "g", Consumer: "dead", Streams: []string{"stale", ">"}}).Result(); err != nil || len(n) != 1 {
		t.Fatal(n, err)
	}
	began, release := make(chan string, 8), make(chan struct{})
	h := func(_ context.Context, m *broker.Message) error {
		began <- string(m.Body)
		<-release
		return nil
	}
	stops := []func() error{subscribe(t, b, broker.Subscription{Address: "stale", Group: "g"}, h), subscribe(t, b, broker.Subscription{Address: "stale", Group: "g"}, h)}
	if m := receive(t, began); m != "left" {
		t.Fatalf("%s came", m)
	}
	select { // four times as long as others wait
	case m := <-began:
		t.Errorf("%s was taken from one that is at work on it", m)
	case <-time.After(1600 * time.Millisecond):
	}
	close(release)
	for _, stop := range stops {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	if p, err := c.XPending(ctx, "stale", "g").Result(); err != nil || p.Count != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// Messages that are put off come when they are due, to the group that put them off alone.
func TestDelay(t *testing.T) {
	s, err := redisembed.Start(redisembed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := open(t, s.URL())
	got, other := make(chan *broker.Message, 8), make(chan *broker.Message, 8)
	sub := broker.Subscription{Address: "later/{id}", Group: "g"}
	subscribe(t, b, broker.Subscription{Address: "later/{id}", Group: "other"}, func(_ context.Context, m *broker.Message) error { other <- m; return nil })
	up := make(chan struct{})
	sub.Ready = func() { close(up) }
	first := true
	go func() {
		_ = broker.Consume(t.Context(), b, sub, broker.Policy{Attempts: 1, Delays: []time.Duration{time.Second}}, func(_ context.Context, m *broker.Message) error {
			if first {
				first = false
				return errors.New("not now")
			}
			got <- m
			return nil
		})
	}()
	<-up
	began := time.Now()
	if err := publish(t, b, &broker.Message{Address: "later/1", Key: "k", Media: "text/plain", Headers: map[string]string{"a": "b"}, Body: []byte("x\xff\x00")}); err != nil {
		t.Fatal(err)
	}
	m := receive(t, got)
	if string(m.Body) != "x\xff\x00" || m.Key != "k" || m.Headers["a"] != "b" || m.Address != "later/1" || m.Headers[broker.HeaderDelays] != "1" || time.Since(began) < time.Second {
		t.Errorf("%+v after %v", m, time.Since(began))
	}
	receive(t, other)
	select {
	case m := <-other:
		t.Errorf("another group got %+v", m)
	default:
	}
}

// redis-cli writes entries of its own kind and reads ours.
func TestRedisCLI(t *testing.T) {
	s := redisServer(t)
	if _, err := exec.LookPath("redis-cli"); err != nil {
		t.Skip("needs redis-cli: apt-get install redis-tools")
	}
	b := open(t, s.url(), redis.WithMaxLen(1000))
	got := make(chan *broker.Message, 8)
	subscribe(t, b, broker.Subscription{Address: "orders", Group: "g"}, func(_ context.Context, m *broker.Message) error { got <- m; return nil })
	cli := func(args ...string) string {
		out, err := exec.Command("redis-cli", append([]string{"-u", s.url()}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	cli("XADD", "orders", "*", "data", `{"n":1}`, "header:trace", "t")
	cli("XADD", "orders", "*", "n", "2")
	if m := receive(t, got); string(m.Body) != `{"n":1}` || m.Headers["trace"] != "t" || m.Address != "orders" || m.ID == "" || m.Time.IsZero() {
		t.Errorf("%+v", m)
	}
	if m := receive(t, got); string(m.Body) != `{"n":"2"}` || m.Media != "application/json" {
		t.Errorf("%+v", m)
	}
	if err := publish(t, b, &broker.Message{Address: "orders", Key: "k", ID: "i", Body: []byte("ours")}); err != nil {
		t.Fatal(err)
	}
	if out := cli("XREVRANGE", "orders", "+", "-", "COUNT", "1"); !strings.Contains(out, "data\nours") || !strings.Contains(out, "key\nk") {
		t.Errorf("%s", out)
	}
}

// What was confirmed survives kill -9 of a server that writes before it answers.
func TestServerIsKilled(t *testing.T) {
	s := redisServer(t)
	b := open(t, s.url(), redis.WithClaim(time.Second))
	const n = 3000
	var mu sync.Mutex
	got, confirmed := map[string]bool{}, map[string]bool{}
	stop := subscribe(t, b, broker.Subscription{Address: "kill/{k}", Group: "g", Concurrency: 8}, func(_ context.Context, m *broker.Message) error {
		mu.Lock()
		defer mu.Unlock()
		got[m.ID] = true
		return nil
	})
	var wg sync.WaitGroup
	half := make(chan struct{})
	for w := range 10 {
		wg.Go(func() {
			for i := range n / 10 {
				if w == 0 && i == n/20 {
					close(half)
				}
				id := fmt.Sprintf("%d-%d", w, i)
				if publish(t, b, &broker.Message{Address: fmt.Sprintf("kill/%d", w), ID: id}) == nil {
					mu.Lock()
					confirmed[id] = true
					mu.Unlock()
				}
			}
		})
	}
	<-half
	s.kill()
	s.start()
	wg.Wait()
	missing := func() (out int) {
		mu.Lock()
		defer mu.Unlock()
		for id := range confirmed {
			if !got[id] {
				out++
			}
		}
		return out
	}
	for end := time.Now().Add(patience); missing() > 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if err := stop(); err != nil || missing() > 0 || len(confirmed) < n {
		t.Errorf("%v; %d of %d confirmed messages are missing", err, missing(), len(confirmed))
	}
}
