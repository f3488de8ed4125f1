package runtime

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func limit(parent context.Context, d time.Duration) *limited {
	return &limited{Context: parent, at: time.Now().Add(d)}
}

// It does what context.WithTimeout does, in whatever order it is asked.
func TestLimitedIsAContext(t *testing.T) {
	type key struct{}
	for name, c := range map[string]struct {
		do   func(l *limited, cancel func())
		want error
	}{
		"nothing":                 {func(*limited, func()) {}, nil},
		"late, unasked":           {func(*limited, func()) { time.Sleep(2 * time.Second) }, context.DeadlineExceeded},
		"late, waited for":        {func(l *limited, _ func()) { <-l.Done() }, context.DeadlineExceeded},
		"late, asked before":      {func(l *limited, _ func()) { l.Done(); time.Sleep(2 * time.Second) }, context.DeadlineExceeded},
		"ended, unasked":          {func(l *limited, _ func()) { l.end() }, context.Canceled},
		"ended, asked before":     {func(l *limited, _ func()) { l.Done(); l.end() }, context.Canceled},
		"ended twice":             {func(l *limited, _ func()) { l.end(); l.end() }, context.Canceled},
		"ended late":              {func(l *limited, _ func()) { time.Sleep(2 * time.Second); l.end() }, context.DeadlineExceeded},
		"client gone, unasked":    {func(_ *limited, cancel func()) { cancel() }, context.Canceled},
		"client gone, asked":      {func(l *limited, cancel func()) { l.Done(); cancel(); <-l.Done() }, context.Canceled},
		"client gone, then ended": {func(l *limited, cancel func()) { cancel(); l.end() }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
				defer cancel()
				l := limit(parent, time.Second)
				defer l.end()
				c.do(l, cancel)
				if err := l.Err(); !errors.Is(err, c.want) {
					t.Fatalf("%v, want %v", err, c.want)
				}
				select {
				case <-l.Done():
					if c.want == nil {
						t.Error("done")
					}
				default:
					if c.want != nil {
						t.Error("has an error, but is not done")
					}
				}
				if !errors.Is(context.Cause(l), c.want) || l.Value(key{}) != "v" {
					t.Error(context.Cause(l), l.Value(key{}))
				}
			})
		})
	}
}

func TestLimitedKeepsTheEarlierDeadline(t *testing.T) {
	parent, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	want, _ := parent.Deadline()
	if d, ok := limit(parent, time.Hour).Deadline(); !ok || d != want {
		t.Error(d)
	}
	l := limit(parent, time.Second)
	if d, ok := l.Deadline(); !ok || d != l.at {
		t.Error(d)
	}
}

// Contexts made of it end with it, and need no goroutine to learn that.
func TestChildrenOfLimited(t *testing.T) {
	l := limit(t.Context(), time.Hour)
	before := runtime.NumGoroutine()
	var all []context.Context
	for range 100 {
		ctx, cancel := context.WithTimeout(l, 2*time.Hour)
		defer cancel()
		all = append(all, ctx)
	}
	if n := runtime.NumGoroutine(); n > before+10 {
		t.Errorf("%d goroutines watch", n-before)
	}
	l.end()
	for _, ctx := range all {
		if ctx.Err() != context.Canceled {
			t.Fatal(ctx.Err())
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		l := limit(t.Context(), time.Hour)
		if l.Err() != nil {
			t.Fatal()
		}
		l.end()
	}); n > 1 {
		t.Errorf("%v allocations where nobody waits", n)
	}
}
