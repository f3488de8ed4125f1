package route

import (
	"slices"
	"strings"
	"testing"
)

func build(t testing.TB, routes ...string) *Mux[string] {
	t.Helper()
	m := new(Mux[string])
	for _, r := range routes {
		method, template, _ := strings.Cut(r, " ")
		if err := m.Add(method, template, r); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestLookup(t *testing.T) {
	m := build(t,
		"GET /",
		"GET /pets", "POST /pets", "GET /pets/{id}", "DELETE /pets/{id}", "GET /pets/mine",
		"PATCH /pets/mine",
		"GET /a/{x}/b", "GET /a/c/{y}", "GET /a/c/b/d",
		"GET /files/{name}", "GET /files/{name}.json", "GET /files/latest.json",
		"GET /compare/{base}...{head}", "GET /compare/{base}...{head}/stats",
		"POST /v1/{name}:cancel", "POST /v1/{name}:undo", "GET /v1/{name}",
		"GET /range/{a}-{b}-{c}",
		"GET /v{major}/info",
		"GET /both", "GET /both/",
		"GET /dir/",
		"GET /caf%C3%A9/{x y}/end",
		"HEAD /own", "GET /own",
		"GET /tree/{+path}", "POST /tree/{+path}:copy", "POST /tree/{+path}:cut", "GET /tree/{one}/raw", "POST /tree/{+path}",
	)
	for _, c := range []struct{ method, path, route, values string }{
		{"GET", "/", "GET /", ""},
		{"GET", "/pets", "GET /pets", ""},
		{"GET", "/tree/a", "GET /tree/{+path}", "a"},
		{"GET", "/tree/a/b%2Fc/d%25%C3%A9/", "GET /tree/{+path}", "a/b%2Fc/d%é/"},
		{"GET", "/tree/a/raw", "GET /tree/{one}/raw", "a"},
		{"GET", "/tree/a/b/raw", "GET /tree/{+path}", "a/b/raw"},
		{"GET", "/tree/", "", ""},
		{"POST", "/tree/a/b:copy", "POST /tree/{+path}:copy", "a/b"},
		{"POST", "/tree/a:cut/b:cut", "POST /tree/{+path}:cut", "a:cut/b"},
		{"POST", "/tree/a:copy/b", "POST /tree/{+path}", "a:copy/b"},
		{"POST", "/tree/a:copying", "POST /tree/{+path}", "a:copying"},
		{"POST", "/pets", "POST /pets", ""},
		{"GET", "/pets/1", "GET /pets/{id}", "1"},
		{"GET", "/pets/mine", "GET /pets/mine", ""},
		{"GET", "/pets/min", "GET /pets/{id}", "min"},
		{"GET", "/pets/mines", "GET /pets/{id}", "mines"},
		{"DELETE", "/pets/mine", "DELETE /pets/{id}", "mine"},
		{"HEAD", "/pets/1", "GET /pets/{id}", "1"},
		{"PUT", "/pets/1", "", ""},
		{"GET", "/pets//", "", ""},
		{"GET", "/a/c/b", "GET /a/c/{y}", "b"},
		{"GET", "/a/d/b", "GET /a/{x}/b", "d"},
		{"GET", "/a/c/z", "GET /a/c/{y}", "z"},
		{"GET", "/a/c/b/d", "GET /a/c/b/d", ""},
		{"GET", "/a/d/c", "", ""},
		{"GET", "/files/x", "GET /files/{name}", "x"},
		{"GET", "/files/x.json", "GET /files/{name}.json", "x"},
		{"GET", "/files/x.json.json", "GET /files/{name}.json", "x.json"},
		{"GET", "/files/.json", "GET /files/{name}", ".json"},
		{"GET", "/files/latest.json", "GET /files/latest.json", ""},
		{"GET", "/files/x.jsonp", "GET /files/{name}", "x.jsonp"},
		{"GET", "/compare/main...topic", "GET /compare/{base}...{head}", "main|topic"},
		{"GET", "/compare/v1.0...v1.1", "GET /compare/{base}...{head}", "v1.0|v1.1"},
		{"GET", "/compare/a...b/stats", "GET /compare/{base}...{head}/stats", "a|b"},
		{"GET", "/compare/ab", "", ""},
		{"POST", "/v1/op:cancel", "POST /v1/{name}:cancel", "op"},
		{"POST", "/v1/a:b:undo", "POST /v1/{name}:undo", "a:b"},
		{"POST", "/v1/op%3Acancel", "POST /v1/{name}:cancel", "op"},
		{"GET", "/v1/op:cancel", "GET /v1/{name}", "op:cancel"},
		{"GET", "/range/1-2-3", "GET /range/{a}-{b}-{c}", "1|2|3"},
		{"GET", "/range/1-2-3-4", "GET /range/{a}-{b}-{c}", "1|2|3-4"},
		{"GET", "/range/1-2", "", ""},
		{"GET", "/v2/info", "GET /v{major}/info", "2"},
		{"GET", "/both", "GET /both", ""},
		{"GET", "/both/", "GET /both/", ""},
		{"GET", "/dir", "GET /dir/", ""},
		{"GET", "/pets/", "GET /pets", ""},
		{"GET", "/pets/1/", "GET /pets/{id}", "1"},
		{"GET", "/pets/a%2Fb", "GET /pets/{id}", "a/b"},
		{"GET", "/pets/a%2fb%25", "GET /pets/{id}", "a/b%"},
		{"GET", "/pets/100%", "GET /pets/{id}", "100%"},
		{"GET", "/pets/%252F", "GET /pets/{id}", "%2F"},
		{"GET", "/p%65ts", "GET /pets", ""},
		{"GET", "/caf%C3%A9/%C3%BC/end", "GET /caf%C3%A9/{x y}/end", "ü"},
		{"GET", "/café/u/end", "GET /caf%C3%A9/{x y}/end", "u"},
		{"HEAD", "/own", "HEAD /own", ""},
		{"GET", "", "GET /", ""},
		{"GET", "*", "", ""},
	} {
		v, values, ok := m.Lookup(c.method, c.path, nil)
		if ok != (c.route != "") || v != c.route || strings.Join(values, "|") != c.values {
			t.Errorf("%s %s: got %q %q %v, want %q %q", c.method, c.path, v, values, ok, c.route, c.values)
		}
	}
}

func TestAllowed(t *testing.T) {
	m := build(t, "GET /pets", "POST /pets", "DELETE /pets/{id}", "PUT /pets/mine", "POST /only/")
	for path, want := range map[string]string{
		"/pets":      "GET,HEAD,POST",
		"/pets/":     "GET,HEAD,POST",
		"/pets/mine": "DELETE,PUT",
		"/pets/1":    "DELETE",
		"/only":      "POST",
		"/none":      "",
		"/pets/%2F":  "DELETE",
	} {
		if got := strings.Join(m.Allowed(path), ","); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	for template, want := range map[string]string{
		"pets":       "begins with /",
		"":           "begins with /",
		"/a?x=1":     "no query",
		"/a#b":       "no fragment",
		"/{":         "{name}",
		"/{}":        "{name}",
		"/{a/b}":     "{name}",
		"/{a}{b}":    "text between",
		"/pets/{no}": "fits the same paths as /pets/{id}",
	} {
		m := build(t, "GET /pets/{id}")
		err := m.Add("GET", template, "x")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", template, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for template, want := range map[string]string{
		"/": "", "/{a}": "a", "/x/{a}.{b}/c": "a b", "/{a": "a",
	} {
		if got := strings.Join(Names(template), " "); got != want {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
	}
}

// A path made of nothing but the literal between parameters must not cost more than its
// length warrants.
func TestStepsAreBounded(t *testing.T) {
	m := build(t, "GET /{a}-{b}-{c}-{d}-{e}/x")
	if _, _, ok := m.Lookup("GET", "/"+strings.Repeat("-", 1<<16), nil); ok {
		t.Error("found")
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	m := build(t, "GET /repos/{owner}/{repo}/compare/{base}...{head}", "GET /repos/{owner}/{repo}/issues")
	params := make([]string, 0, 8)
	n := testing.AllocsPerRun(100, func() {
		if _, _, ok := m.Lookup("GET", "/repos/o/r/compare/a...b", params); !ok {
			t.Error("not found")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a template is filled with comes back, whatever it is.
func FuzzLookup(f *testing.F) {
	f.Add("GET", "/a/b.json", "x")
	f.Add("HEAD", "/a%2F%zz/b...c", "a/b%")
	f.Add("POST", "/v1/x:cancel//", "ü")
	m := build(f, "GET /a/{x}", "GET /a/{x}.json", "POST /v1/{n}:cancel", "GET /{a}...{b}/c", "GET /{all}/{of}/it", "PUT /put/{v}/end")
	f.Fuzz(func(t *testing.T, method, path, value string) {
		v, values, ok := m.Lookup(method, path, nil)
		if want := len(Names(v)); ok && len(values) != want {
			t.Errorf("%d values for %s", len(values), v)
		}
		if ok && method != "HEAD" && !slices.Contains(m.Allowed(path), method) {
			t.Errorf("%s %q found %s, but is not allowed", method, path, v)
		}
		if value == "" {
			return
		}
		v, values, _ = m.Lookup("PUT", "/put/"+hex(value)+"/end", nil)
		if v != "PUT /put/{v}/end" || len(values) != 1 || values[0] != value {
			t.Errorf("%q came back as %q of %q", value, values, v)
		}
	})
}

// hex escapes every byte.
func hex(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte('%')
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	return b.String()
}
