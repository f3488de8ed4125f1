package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// host serves documents for tests and counts what is asked.
func host(t *testing.T) (*httptest.Server, *int) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch {
		case r.URL.Path == "/doc":
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, "a: 1\n")
		case r.URL.Path == "/large":
			fmt.Fprint(w, strings.Repeat("x", 2000))
		case strings.HasPrefix(r.URL.Path, "/many/"):
			fmt.Fprint(w, strings.Repeat("x", 900))
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case r.URL.Path == "/once":
			http.Redirect(w, r, "/doc", http.StatusFound)
		case r.URL.Path == "/away":
			http.Redirect(w, r, "http://elsewhere.example/doc", http.StatusFound)
		case r.URL.Path == "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case r.URL.Path == "/secret":
			http.Error(w, "no", http.StatusForbidden)
		case r.URL.Path == "/empty":
		case r.URL.Path == "/slow":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s, &asked
}

func hosts(s *httptest.Server) []string {
	u, _ := url.Parse(s.URL)
	return []string{u.Host}
}

func TestFetch(t *testing.T) {
	s, _ := host(t)
	for _, c := range []struct{ path, want string }{
		{"/doc", ""}, {"/once", ""}, {"/empty", ""},
		{"/large", "the document has more than 1000 bytes"},
		{"/loop", "redirected more than 5 times"},
		{"/away", "the host elsewhere.example is not among those that may be asked"},
		{"/file", "file is no scheme of the web"},
		{"/secret", "the host answers 403"},
		{"/none", "the host answers 404: file does not exist"},
		{"/slow", "the host did not answer in time"},
	} {
		f := New(Options{Hosts: hosts(s), MaxBytes: 1000, Timeout: 200 * time.Millisecond})
		_, err := f.Fetch(t.Context(), s.URL+c.path)
		if got := fmt.Sprint(err); err == nil && c.want != "" || err != nil && got != c.want {
			t.Errorf("%s: %v, want %s", c.path, err, c.want)
		}
		if c.path == "/none" && !errors.Is(err, fs.ErrNotExist) {
			t.Error("what is not there must be known as such")
		}
	}
}

func TestLimits(t *testing.T) {
	s, asked := host(t)
	f := New(Options{Hosts: hosts(s), MaxFiles: 3, MaxTotal: 2000})
	for i, want := range []bool{true, true, false, false} {
		_, err := f.Fetch(t.Context(), fmt.Sprint(s.URL, "/many/", i))
		var limit *LimitError
		if (err == nil) != want || err != nil && !errors.As(err, &limit) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if *asked != 3 {
		t.Errorf("%d requests; beyond the limit on documents nobody must be asked", *asked)
	}
	if _, err := f.Fetch(t.Context(), s.URL+"/many/0"); err != nil || *asked != 3 {
		t.Error("a document is asked for once", err)
	}
}

func TestHosts(t *testing.T) {
	s, asked := host(t)
	for _, address := range []string{s.URL + "/doc", "http://[::1]:1/x", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://100.64.0.1/"} {
		_, err := New(Options{}).Fetch(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), "no public address") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"file:///etc/passwd", "ftp://example.com/a", "http://user:pass@example.com/", "http://other.example/", "://"} {
		if _, err := New(Options{Hosts: []string{"example.com"}}).Fetch(t.Context(), address); err == nil {
			t.Errorf("%s was asked for", address)
		}
	}
	if *asked != 0 {
		t.Errorf("%d requests", *asked)
	}
}

func TestNoDowngrade(t *testing.T) {
	f := New(Options{Hosts: []string{"example.com"}})
	first, _ := http.NewRequestWithContext(context.Background(), "GET", "https://example.com/a", nil)
	next, _ := http.NewRequestWithContext(context.Background(), "GET", "http://example.com/a", nil)
	if err := f.redirect(next, []*http.Request{first}); err == nil {
		t.Error("https became http")
	}
}

func TestCache(t *testing.T) {
	s, asked := host(t)
	dir := Dir(filepath.Join(t.TempDir(), "cache"))
	now := time.Unix(1_000_000, 0)
	fetch := func(offline bool, path string) (string, error) {
		f := New(Options{Hosts: hosts(s), Cache: dir, Offline: offline})
		f.now = func() time.Time { return now }
		data, err := f.Fetch(t.Context(), s.URL+path)
		return string(data), err
	}
	expect := func(what string, offline bool, path, want string, requests int) {
		t.Helper()
		if got, err := fetch(offline, path); err != nil || got != want || *asked != requests {
			t.Errorf("%s: %q, %v, %d requests", what, got, err, *asked)
		}
	}
	expect("first", false, "/doc", "a: 1\n", 1)
	expect("young", false, "/doc", "a: 1\n", 1)
	now = now.Add(2 * time.Hour)
	expect("not changed", false, "/doc", "a: 1\n", 2)
	expect("young again", false, "/doc", "a: 1\n", 2)
	now = now.Add(200 * time.Hour)
	expect("offline", true, "/doc", "a: 1\n", 2)
	if _, err := fetch(true, "/empty"); err == nil {
		t.Error("offline, and not in the cache")
	}
	expect("empty", false, "/empty", "", 3)
	s.Close()
	expect("host is down", false, "/doc", "a: 1\n", 3)
	files, err := os.ReadDir(string(dir))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(string(dir), f.Name()), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := dir.Get(s.URL + "/doc"); ok {
		t.Error("a broken file counts as a document")
	}
}
