package route

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pattern is what a template means, by an independent engine.
func pattern(template string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?s)^")
	for rest := template; rest != ""; {
		literal, after, found := strings.Cut(rest, "{")
		b.WriteString(regexp.QuoteMeta(latin(normal(literal))))
		if !found {
			break
		}
		_, rest, _ = strings.Cut(after, "}")
		b.WriteString("[^/]+?")
	}
	b.WriteString("$")
	return regexp.MustCompile(b.String())
}

// latin makes a rune of every byte, since regular expressions want UTF-8.
func latin(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// filled puts values where the template's parameters stand.
func filled(template string, values []string) string {
	var b strings.Builder
	for rest := template; rest != ""; {
		literal, after, found := strings.Cut(rest, "{")
		b.WriteString(normal(literal))
		if !found {
			break
		}
		_, rest, _ = strings.Cut(after, "}")
		b.WriteString(strings.NewReplacer("%", "%25", "/", "%2F").Replace(values[0]))
		values = values[1:]
	}
	return b.String()
}

// A path is found where a template fits it, and only there, and the values are what
// stands in the path: regular expressions judge both.
func FuzzRoutes(f *testing.F) {
	f.Add("/pets\n/pets/{id}\n/pets/mine", "GET", "/pets/1")
	f.Add("/files/{name}.json\n/files/{name}\n/compare/{a}...{b}", "HEAD", "/files/x%2Fy.json")
	f.Add("/a/{x}/b\n/a/c/{y}\n/", "POST", "/a/c/b/")
	f.Fuzz(func(t *testing.T, templates, method, path string) {
		if len(path) > 200 || len(templates) > 400 || method == "" || !strings.HasPrefix(path, "/") || !strings.HasPrefix(templates, "/") {
			return
		}
		m := new(Mux[string])
		var added []string
		for i, template := range strings.Split(templates, "\n") {
			if err := m.Add([]string{"GET", "POST"}[i%2], template, template); err == nil {
				added = append(added, []string{"GET ", "POST "}[i%2]+template)
			}
		}
		plainPath := normal(path)
		fits := func(route, path string) bool {
			by, template, _ := strings.Cut(route, " ")
			return (by == method || by == "GET" && method == "HEAD") && pattern(template).MatchString(latin(path))
		}
		want := slices.ContainsFunc(added, func(r string) bool { return fits(r, plainPath) || fits(r, otherSlash(plainPath)) })
		got, values, ok := m.Lookup(method, path, nil)
		if ok != want {
			t.Fatalf("%s %q in %q: found %t, want %t", method, path, added, ok, want)
		}
		for _, by := range m.Allowed(path) {
			if _, _, ok := m.Lookup(by, path, nil); !ok {
				t.Fatalf("%q in %q: %s is said to be allowed, but is not found", path, added, by)
			}
		}
		if !ok {
			return
		}
		if len(values) != len(Names(got)) {
			t.Fatalf("%q fits %s, with %d values", path, got, len(values))
		}
		if back := filled(got, values); back != plainPath && back != otherSlash(plainPath) {
			t.Fatalf("%q fits %s by %q, which make %q", path, got, values, back)
		}
		if u, err := url.PathUnescape(path); err == nil && len(values) == 1 && !strings.Contains(u, values[0]) {
			t.Fatalf("%q holds no %q", path, values[0])
		}
	})
}
