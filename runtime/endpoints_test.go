package runtime

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What it took to set up a connection is no part of a call's time.
func TestSetUpIsLeftOut(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct{ from, to, start, now, want time.Duration }{
		{0, 0, 10 * ms, 12 * ms, 2 * ms},                              // no connection was set up
		{10 * ms, 60 * ms, 10 * ms, 62 * ms, 5200 * time.Microsecond}, // never less than a tenth
		{10 * ms, 30 * ms, 10 * ms, 40 * ms, 10 * ms},
		{5 * ms, 30 * ms, 20 * ms, 40 * ms, 10 * ms}, // only what overlaps
		{5 * ms, 15 * ms, 20 * ms, 40 * ms, 20 * ms}, // over before
		{30 * ms, 60 * ms, 20 * ms, 40 * ms, 10 * ms},
	} {
		var d dialed
		if c.to > 0 {
			d.note(c.from, c.to)
		}
		if got := d.without(c.start, c.now); got != c.want {
			t.Errorf("set up from %v to %v, call from %v to %v: %v, want %v", c.from, c.to, c.start, c.now, got, c.want)
		}
	}
}

func TestDialsAreNoted(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer s.Close()
	c, err := NewConn("http://" + strings.TrimPrefix(s.URL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = exchange(t.Context(), c, &pipelineSpec) // it does not speak plaintext, but takes the connection
	for _, h := range c.ends.group.Set().All {
		if d := &h.Value.(*endpoint).dialed; d.to.Load() == 0 {
			t.Error("the connection was not noted")
		}
	}
}

// WithProbe asks by a path, and only 2xx will do; without it nearly any answer will.
func TestProbes(t *testing.T) {
	for _, c := range []struct {
		path   string
		status int
		back   bool
	}{
		{"", 200, true}, {"", 404, true}, {"", 500, true}, {"", 501, true}, {"", 503, false}, {"", 504, false},
		{"/healthz", 200, true}, {"/healthz", 204, true}, {"/healthz", 404, false}, {"/healthz", 500, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := ""
			var opts []ConnOption
			if c.path != "" {
				opts = append(opts, WithProbe(c.path))
			}
			conn := scripted(t, "static:a:1,b:1", func(r *http.Request) (*http.Response, error) {
				if r.URL.Host == "a:1" && r.URL.Path == "/" {
					return nil, &unsentError{"a:1", io.ErrUnexpectedEOF}
				}
				if r.URL.Path != "/" {
					asked = r.Method + " " + r.URL.RequestURI()
					return reply(c.status), nil
				}
				return reply(200), nil
			}, opts...)
			defer conn.Close()
			for range 20 {
				if _, err := exchange(t.Context(), conn, &pipelineSpec); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(conn.ends.group.Set().Live); n != 1 {
				t.Fatalf("%d live: one refuses connections", n)
			}
			time.Sleep(6 * time.Second)
			_, _ = exchange(t.Context(), conn, &pipelineSpec)
			synctest.Wait()
			want := "OPTIONS *"
			if c.path != "" {
				want = "GET " + c.path
			}
			if back := len(conn.ends.group.Set().Live) == 2; back != c.back || asked != want {
				t.Errorf("probed by %s, answered %d: back is %v", asked, c.status, back)
			}
		})
	}
}
