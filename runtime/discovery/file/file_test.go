package file

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

func text(set []discovery.Endpoint) string {
	var f []string
	for _, e := range set {
		f = append(f, fmt.Sprintf("%s/%d/%s/%s/%v", e.Addr, e.Weight, e.Zone, e.ServerName, e.Meta))
	}
	return strings.Join(f, " ")
}

func TestParse(t *testing.T) {
	const full = "h:1/2/a/users.test/map[k:v]"
	for _, c := range []struct{ in, want string }{
		{`[{"addr":"h:1","weight":2,"zone":"a","serverName":"users.test","meta":{"k":"v"}}]`, full},
		{"\ufeff" + ` {"endpoints":[{"addr":"h:1","weight":2,"zone":"a","serverName":"users.test","meta":{"k":"v"}}]}` + "\n", full},
		{"# who\n\nh:1 weight=2 zone=a server-name=users.test k=v # where\r\n", full},
		{"h:1\nh:2\n", "h:1/0///map[] h:2/0///map[]"},
		{"[::1]:80 k=v", "[::1]:80/0///map[k:v]"}, {"[", "error: unexpected EOF"},
		{"[]", ""}, {`{"endpoints":[]}`, ""}, {"# none today\n", ""},
		{"", "error: empty"}, {" \n", "error: empty"},
		{`[{"addr":"h:1"}`, "error: unexpected EOF"}, {`[{"addr":"h:1"}] x`, "error: something follows"}, {`[{"adr":"h:1"}]`, "error: unknown field"},
		{"{}", "error: no list"}, {`{"endpoints":null}`, "error: no list"}, {`[{"addr":7}]`, "error: cannot unmarshal"},
		{"h:1 weight=x", "error: line 1: the weight"}, {"h:1\nh:2 zone", "error: line 2"}, {"h:1 =x", "error: line 1"}, {"h:1 weight=-1", "error: line 1"},
	} {
		set, err := Parse([]byte(c.in))
		got := text(set)
		if err != nil {
			got = "error: " + err.Error()
		}
		if want, ok := strings.CutPrefix(c.want, "error: "); ok && err != nil && strings.Contains(got, want) {
			continue
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"addr":"h:1"}]`))
	f.Add([]byte("h:1 weight=2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if set, err := Parse(b); err == nil && set == nil {
			t.Error("no endpoints is an empty set, not nil")
		}
	})
}

// What happens to a file, in virtual time.
func TestResolve(t *testing.T) {
	dir := t.TempDir()
	for i, c := range []struct {
		name string
		do   func(put func(string), name string)
		want []string
	}{
		{"changes", func(put func(string), _ string) { put("h:1"); wait(); put("h:1\nh:2"); wait(); put("h:2") },
			[]string{"+0s h:1", "+20s h:1 h:2", "+40s h:2"}},
		{"a change of form is none", func(put func(string), _ string) { put("h:1"); wait(); put(`[{"addr":"h:1"}]`); wait(); put("#") }, []string{"+0s h:1", "+40s"}},
		{"gone and back", func(put func(string), name string) { put("h:1"); wait(); os.Remove(name); wait(); put("h:2") },
			[]string{"+0s h:1", "+20s error: no such file", "+40s h:2"}},
		{"gone and back as it was", func(put func(string), name string) { put("h:1"); wait(); os.Remove(name); wait(); put("h:1") },
			[]string{"+0s h:1", "+20s error: no such file"}},
		{"half a file is told once", func(put func(string), _ string) { put("h:1"); wait(); put(`[{"addr"`); wait(); put(`[{"addr":"h:2"}]`) },
			[]string{"+0s h:1", "+20s error: unexpected EOF", "+40s h:2"}},
		{"emptied is half written", func(put func(string), _ string) { put("h:1"); wait(); put("") }, []string{"+0s h:1", "+20s error: empty"}},
		{"absent at first", func(put func(string), _ string) { wait(); put("h:1") }, []string{"+0s error: no such file", "+20s h:1"}},
		{"too large", func(put func(string), _ string) { put(strings.Repeat("# nothing\n", MaxBytes/10+1)) }, []string{"+0s error: larger than"}},
		{"the time of change stands still", func(put func(string), name string) {
			put("h:1")
			info, _ := os.Stat(name)
			wait()
			put("h:2")
			os.Chtimes(name, info.ModTime(), info.ModTime())
		}, []string{"+0s h:1", "+2?s h:2"}},
		{"replaced by renaming", func(put func(string), name string) {
			put("h:1")
			wait()
			os.WriteFile(name+".new", []byte("h:2"), 0o600)
			os.Rename(name+".new", name)
		}, []string{"+0s h:1", "+2?s h:2"}}, // at once, unless the clock of the file system is coarse
		{"an address that is none", func(put func(string), _ string) { put("h:1\nnonsense") }, []string{"+0s h:1", "+0s error: 1 of 2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(dir, fmt.Sprint(i))
			synctest.Test(t, func(t *testing.T) {
				put := func(s string) {
					if err := os.WriteFile(name, []byte(s), 0o600); err != nil {
						t.Error(err)
					}
				}
				go c.do(put, name)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				start := time.Now()
				var got []string
				for set, err := range (Resolver{}).Resolve(ctx, &url.URL{Scheme: "file", Path: filepath.ToSlash(name)}) {
					line := "+" + time.Since(start).Truncate(time.Second).String()
					if err != nil {
						line += " error: " + err.Error()
					}
					for _, e := range set {
						line += " " + e.Addr
					}
					got = append(got, line)
				}
				if !slices.EqualFunc(got, c.want, func(g, w string) bool {
					if start, in, ok := strings.Cut(w, " error: "); ok {
						return strings.HasPrefix(g, start+" error: ") && strings.Contains(g, in)
					}
					if before, after, ok := strings.Cut(w, "?"); ok {
						return strings.HasPrefix(g, before) && strings.HasSuffix(g, after)
					}
					return g == w
				}) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// wait lets some twenty looks pass; what follows happens between two of them.
func wait() { time.Sleep(19*time.Second + 750*time.Millisecond) }

func TestName(t *testing.T) {
	for target, want := range map[string]string{
		"file:endpoints.txt": "endpoints.txt", "file:a/b%20c": "a/b c", "file:///etc/x": "/etc/x", "file:/etc/x": "/etc/x", "file://localhost/etc/x": "/etc/x",
		"file:///C:/x": "C:/x", "file://host/x": "", "file:": "", "file:///x?y=z": "", "file:%zz": "", "file:///a%00b": "",
	} {
		u, err := url.Parse(target)
		if err != nil {
			continue
		}
		if got, err := Name(u); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", target, got, err)
		}
	}
	n := 0
	for set, err := range (Resolver{}).Resolve(t.Context(), &url.URL{Scheme: "file", Host: "elsewhere", Path: "/x"}) {
		if n++; err == nil || set != nil {
			t.Error(set, err)
		}
	}
	if n != 1 {
		t.Error(n)
	}
	var _ discovery.Resolver = Resolver{}
}
