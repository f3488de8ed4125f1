package broker

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		template, address string
		want              bool
	}{
		{"a/{id}/b", "a/1/b", true},
		{"a/{id}/b", "a/1.5/b", true},
		{"a/{id}/b", "a/1/2/b", false},
		{"a/{id}/b", "a//b", false},
		{"a.{id}", "a.1", true},
		{"a.{id}", "a.1.2", false},
		{"a", "a", true},
		{"a", "b", false},
		{"v{n}/x", "v1/x", true},
		{"v{n}/x", "w1/x", false},
		{"{x}", "q.r", true},
		{"{x}", "q/r", false},
	} {
		if got := ParsePattern(c.template).Match(c.address); got != c.want {
			t.Errorf("%s matches %s: got %v", c.template, c.address, got)
		}
	}
	if got := ParsePattern("a/{id}/b.c").Wildcard("*", ".", func(s string) string { return "<" + s + ">" }); got != "<a>.*.<b.c>" {
		t.Errorf("got %s", got)
	}
}

func TestGet(t *testing.T) {
	s := []Setting{{"mqtt", "qos", "2"}, {"nats", "queue", "q"}}
	if Get(s, "nats", "queue", "") != "q" || Get(s, "nats", "qos", "1") != "1" {
		t.Error("wrong setting")
	}
}

// Names that a broker does not know are told once for each subscription, and once for all
// that is published.
func TestUnknownSettings(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var u Unknown
	s := []Setting{{"mqtt", "qos", "2"}, {"mqtt", "clientId", "c"}, {"mqtt", "lastWill.topic", "t"}, {"mqtt", "bindingVersion", "0.2.0"}, {"nats", "queue", "q"}}
	for range 3 {
		u.Warn(log, s, "mqtt", "", "qos")
		u.Warn(log, s, "mqtt", "lights/{id}", "qos")
		u.Warn(log, s, "nats", "", "queue")
	}
	got := out.String()
	if strings.Count(got, "level=WARN") != 2 || strings.Count(got, "clientId, lastWill.topic") != 2 || !strings.Contains(got, "lights/{id}") || strings.Contains(got, "bindingVersion") {
		t.Errorf("logged %s", got)
	}
	if n := testing.AllocsPerRun(100, func() { u.Warn(log, s, "nats", "", "queue") }); n != 0 {
		t.Errorf("%v allocations for what is known", n)
	}
}

func TestConfirm(t *testing.T) {
	n := 0
	s := Subscription{Ready: func() { n++ }}
	s.Confirm()
	s.Confirm()
	(&Subscription{}).Confirm()
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

// Handlers of one key run in order and never together; those of others run beside them.
func TestLanesKeepOrder(t *testing.T) {
	l := NewLanes(8)
	var mu sync.Mutex
	got := map[string][]int{}
	var inFlight [4]atomic.Int32
	for i := range 400 {
		k := i % 4
		key := string(rune('a' + k))
		l.Go(t.Context(), key, func() {
			if inFlight[k].Add(1) != 1 {
				t.Error("two handlers of one key at a time")
			}
			mu.Lock()
			got[key] = append(got[key], i)
			mu.Unlock()
			inFlight[k].Add(-1)
		})
	}
	l.Wait()
	for key, seen := range got {
		for i := 1; i < len(seen); i++ {
			if seen[i] < seen[i-1] {
				t.Fatalf("%s: %d came before %d", key, seen[i-1], seen[i])
			}
		}
	}
	if len(l.tail) != 0 {
		t.Errorf("%d keys are remembered", len(l.tail))
	}
}

func TestLanesBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLanes(2)
		release := make(chan struct{})
		for range 2 {
			l.Go(t.Context(), "", func() { <-release })
		}
		ctx, cancel := context.WithCancel(t.Context())
		full := make(chan bool)
		go func() { full <- l.Go(ctx, "", func() { t.Error("must not run") }) }()
		synctest.Wait()
		cancel()
		if <-full {
			t.Error("a third handler was taken")
		}
		close(release)
		l.Wait()
	})
}
