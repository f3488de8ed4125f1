package web_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery/internal/pipe"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

func client(t *testing.T, c web.Config) *web.Client {
	t.Helper()
	w, err := web.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// What hostile and broken servers do, in virtual time.
func TestDoSurvives(t *testing.T) {
	for _, c := range []struct {
		name string
		x    web.Exchange
		h    http.HandlerFunc
		want string // in the error
		took time.Duration
	}{
		{"well", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"a":1}`) }, "", 0},
		{"garbage", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "\x00\xff{") }, "not the JSON", 0},
		{"nothing", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) {}, "not the JSON", 0},
		{"half an answer", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"a":`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "half an answer", 0},
		{"refused, with control characters", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, "no\x1b[31m\r\nway"+strings.Repeat("!", 9000))
		}, "403 Forbidden: no [31m  way!", 0},
		{"endless", web.Exchange{Max: 1 << 20}, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write(make([]byte, 64<<10))
			}
		}, "larger than 1048576 bytes", 0},
		{"a bomb", web.Exchange{Max: 1 << 20}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(make([]byte, 8<<20))
			z.Close()
		}, "larger than 1048576 bytes", 0},
		{"a slow drip", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(time.Second)
			}
		}, "not done after 10s", web.Timeout},
		{"silence", web.Exchange{Time: time.Minute}, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "not done after 1m0s", time.Minute},
		{"redirects on the spot", web.Exchange{Path: "/3"}, hops(0), "", 0},
		{"endless redirects", web.Exchange{Path: "/9"}, hops(0), "redirected more than 3 times", 0},
		{"redirected elsewhere", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://evil.example/", http.StatusFound)
		}, "another server", 0},
		{"redirected to the same host in another way", web.Exchange{}, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+"/", http.StatusFound)
		}, "another server", 0},
		{"a change is not redirected", web.Exchange{Method: "PUT", Path: "/1"}, hops(http.StatusTemporaryRedirect), "a PUT was redirected", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := client(t, web.Config{Servers: []string{"http://registry"}, Dial: pipe.Serve(t, c.h)})
				start := time.Now()
				var v struct{ A int }
				_, err := w.JSON(t.Context(), c.x, &v)
				if c.want == "" {
					if err != nil || v.A != 1 {
						t.Error(v, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 500 {
					t.Errorf("%v, want %q", err, c.want)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// hops redirects as often as the path says.
func hops(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscanf(r.URL.Path, "/%d", &n)
		if n == 0 {
			io.WriteString(w, `{"a":1}`)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/%d", n-1), max(status, http.StatusFound))
	}
}

func TestFailsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		state := map[string]int{"a": 503, "b": 200}
		serve := pipe.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Host)
			w.WriteHeader(state[r.Host])
		}))
		w := client(t, web.Config{Servers: []string{"http://down", "http://a/", "http://b"}, Dial: func(ctx context.Context, n, addr string) (net.Conn, error) {
			if addr == "down:80" {
				return nil, errors.New("connection refused")
			}
			return serve(ctx, n, addr)
		}})
		get := func() error { _, err := w.Do(t.Context(), web.Exchange{Path: "/x"}); return err }
		if err := get(); err != nil || get() != nil || !slices.Equal(asked, []string{"a", "b", "b"}) {
			t.Errorf("%v, %q: it must stay with the one that works", err, asked)
		}
		state["b"] = 404
		if err := get(); web.StatusOf(err) != 404 {
			t.Errorf("%v: an answer is an answer", err)
		}
		state["b"] = 502
		if err := get(); err == nil || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "502") {
			t.Errorf("%v: all causes must be said", err)
		}
	})
}

func TestStream(t *testing.T) {
	for _, c := range []struct {
		name  string
		h     http.HandlerFunc
		lines []string
		want  string
		took  time.Duration
	}{
		{"lines, and an end", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "a\n\nb\nc") }, []string{"a", "b", "c"}, "", 0},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, []string{"a"}, "", 0},
		{"for as long as it may", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, []string{"a"}, "", time.Minute},
		{"no headers", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil, "no answer after 10s", web.Timeout},
		{"a line without an end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write([]byte(strings.Repeat("x", 9000)))
			}
		}, nil, "longer than 100000 bytes", 0},
		{"refused", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(410) }, nil, "410 Gone", 0},
		{"the reader's own error", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "stop\n") }, []string{"stop"}, "as told", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := client(t, web.Config{Servers: []string{"http://registry"}, Dial: pipe.Serve(t, c.h)})
				start := time.Now()
				var got []string
				err := w.Stream(t.Context(), web.Exchange{Time: time.Minute, Max: 100_000}, func(b []byte) error {
					got = append(got, string(b))
					if string(b) == "stop" {
						return errors.New("as told")
					}
					return nil
				})
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || !slices.Equal(got, c.lines) || time.Since(start) != c.took {
					t.Errorf("%v, %q, after %v", err, got, time.Since(start))
				}
			})
		})
	}
}

func TestAuth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := pipe.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401); io.WriteString(w, "bad token") }))
		w := client(t, web.Config{Servers: []string{"http://user:secret@registry"}, Dial: dial, Auth: func(_ context.Context, h http.Header) error {
			h.Set("X-Token", "hidden")
			return nil
		}})
		_, err := w.Do(t.Context(), web.Exchange{})
		if web.StatusOf(err) != 401 || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hidden") {
			t.Error(err)
		}
		w = client(t, web.Config{Servers: []string{"http://registry"}, Dial: dial, Auth: func(context.Context, http.Header) error { return os.ErrNotExist }})
		if _, err = w.Do(t.Context(), web.Exchange{}); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
}

func TestRefusesAddresses(t *testing.T) {
	for _, c := range []web.Config{
		{}, {Servers: []string{"registry:80"}}, {Servers: []string{"ftp://h"}}, {Servers: []string{"http://"}}, {Servers: []string{"http://h?x=1"}},
		{Servers: []string{"http://h:x"}}, {Servers: []string{"http://h"}, TLS: tlsconf.System()},
	} {
		if _, err := web.New(c); err == nil {
			t.Errorf("%+v was accepted", c.Servers)
		}
	}
}

// Mutual TLS by the policy of the house, and no word to a registry that others vouch for.
func TestTLS(t *testing.T) {
	old, fresh := authority(t), authority(t)
	conf, err := old.Mutual("registry")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"name":%q}`, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	if s.TLS, err = conf.Server("http/1.1"); err != nil {
		t.Fatal(err)
	}
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()

	dir := t.TempDir()
	leaf, err := old.Issue("resolver")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, ca, err := leaf.WriteFiles(dir, "resolver")
	if err != nil {
		t.Fatal(err)
	}
	w := client(t, web.Config{Servers: []string{s.URL}, TLS: tlsconf.Mutual(cert, key, ca)})
	var who struct{ Name string }
	if _, err := w.JSON(t.Context(), web.Exchange{}, &who); err != nil || who.Name != "resolver" {
		t.Fatal(who, err)
	}
	w = client(t, web.Config{Servers: []string{s.URL}, TLS: tlsconf.Mutual(cert, key, filepath.Join(dir, "other.crt"))})
	if err := os.WriteFile(filepath.Join(dir, "other.crt"), fresh.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Do(t.Context(), web.Exchange{}); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Error(err)
	}
}

func authority(t *testing.T) *devca.CA {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}
