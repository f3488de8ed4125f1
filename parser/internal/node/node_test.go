package node_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// files is a directory in memory.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	if text, ok := f[name]; ok {
		return []byte(text), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func load(t *testing.T, f files, name string) (*node.Node, *node.Loader, *diag.List) {
	t.Helper()
	diags := &diag.List{}
	l := node.NewLoader(f.read, diags)
	return l.Load(name), l, diags
}

// show renders findings as the tests write them down.
func show(l diag.List) string {
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "%s:%d:%d %s %s\n", d.Span.File, d.Span.Line, d.Span.Col, d.Severity, d.Code)
	}
	return b.String()
}

func TestTreeIsTheSameFromYAMLAndJSON(t *testing.T) {
	for name, text := range map[string]string{
		"a.yaml": "z: 1\na:\n  - true\n  - ~\n  - 9007199254740993\n  - 'it''s'\nm: {k: \"v\\u00e9\"}\n",
		"a.json": "{\"z\": 1,\n \"a\": [true, null, 9007199254740993, \"it's\"], \"m\": {\"k\": \"v\\u00e9\"}}",
	} {
		root, _, diags := load(t, files{name: text}, name)
		want := `{"z":1,"a":[true,null,9007199254740993,"it's"],"m":{"k":"vé"}}`
		if got := root.JSON(); got != want || len(*diags) > 0 {
			t.Errorf("%s: %s, want %s; %s", name, got, want, show(*diags))
		}
	}
}

func TestSpans(t *testing.T) {
	yamlText := "info:\n  title: Größe  # comment\n  ß: \"quoted \\\" text\" \nlist: [one, two]\n"
	jsonText := "{\"info\": {\n  \"title\": \"Größe\",\n  \"ß\": 12},\n \"list\": [\"one\", \"two\"]}"
	for _, c := range []struct{ file, text, pointer, want string }{
		{"a.yaml", yamlText, "#/info", "1:1-1:5"},
		{"a.yaml", yamlText, "#/info/title", "2:10-2:17"},
		{"a.yaml", yamlText, "#/info/ß", "3:7-3:23"},
		{"a.yaml", yamlText, "#/list", "4:1-4:5"},
		{"a.yaml", yamlText, "#/list/1", "4:13-4:16"},
		{"a.json", jsonText, "#/info", "1:2-1:8"},
		{"a.json", jsonText, "#/info/title", "2:12-2:21"},
		{"a.json", jsonText, "#/info/ß", "3:9-3:11"},
		{"a.json", jsonText, "#/list/1", "4:18-4:23"},
	} {
		root, l, _ := load(t, files{c.file: c.text}, c.file)
		n := l.Lookup(root, c.pointer)
		s := n.Span()
		if got := fmt.Sprintf("%d:%d-%d:%d", s.Line, s.Col, s.EndLine, s.EndCol); got != c.want || s.Path != c.pointer {
			t.Errorf("%s %s: %s %s, want %s", c.file, c.pointer, got, s.Path, c.want)
		}
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	root, _, _ := load(t, files{"a.yaml": "[0x1F, 0o17, 1_000, +5, 1., .5, -0.10, 1e3, 12345678901234567890.123, .inf, 010]"}, "a.yaml")
	want := `[31,15,1000,5,1,0.5,-0.10,1e3,12345678901234567890.123,".inf",8]`
	if got := root.JSON(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAliasesAndMergeKeys(t *testing.T) {
	root, _, diags := load(t, files{"a.yaml": "base: &b {a: 1, b: 2}\nuse:\n  <<: *b\n  b: 3\nmany:\n  <<: [*b, {c: 4}]\nalias: *b\n"}, "a.yaml")
	want := `{"base":{"a":1,"b":2},"use":{"b":3,"a":1},"many":{"a":1,"b":2,"c":4},"alias":{"a":1,"b":2}}`
	if got := root.JSON(); got != want || len(*diags) > 0 {
		t.Errorf("got  %s\nwant %s\n%s", got, want, show(*diags))
	}
	if got := root.Get("use").Get("a").Pointer(); got != "#/use/a" {
		t.Errorf("a merged entry lies at %s", got)
	}
}

func TestFaults(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 10))
	}
	deep := func(open string) string { return strings.Repeat(open, 100_000) }
	for _, c := range []struct{ name, file, text, want string }{
		{"empty", "a.yaml", "", "a.yaml:1:1 error empty-file"},
		{"only a comment", "a.yaml", "# nothing\n", "a.yaml:1:1 error empty-file"},
		{"NUL", "a.yaml", "a: b\nc: \x00\n", "a.yaml:2:4 error not-text"},
		{"not UTF-8", "a.yaml", "a: b\ncd: \xff\xfe\n", "a.yaml:2:5 error not-text"},
		{"control character", "a.yaml", "a: \x01\n", "a.yaml:1:1 error syntax"},
		{"duplicate in YAML", "a.yaml", "a: 1\nb:\n  c: 1\n  c: 2\n", "a.yaml:4:3 error duplicate-key"},
		{"duplicate in JSON", "a.json", "{\"a\": 1,\n\"a\": 2}", "a.json:2:1 error duplicate-key"},
		{"tab", "a.yaml", "a:\n\tb: 1\n", "a.yaml:2:2 error syntax"},
		{"tab after a sound line", "a.yaml", "a:\n  b: 1\n\tc: 2\n", "a.yaml:3:2 error syntax"},
		{"bad indentation", "a.yaml", "paths:\n  a:\n    get: 1\n   put: 2\n", "a.yaml:4:4 error syntax"},
		{"unclosed list", "a.yaml", "a: 1\nb: [1,\nc: 2\n", "a.yaml:3:1 error syntax"},
		{"missing colon", "a.yaml", "a: 1\nb\nc: 2\n", "a.yaml:2:1 error syntax"},
		{"unknown alias", "a.yaml", "a: *b\n", "a.yaml:1:1 error syntax"},
		{"alias in itself", "a.yaml", "a: &a\n  b: *a\n", "a.yaml:2:6 error alias-loop"},
		{"alias bomb", "a.yaml", bomb, "a.yaml:1:16 error alias-bomb"},
		{"list as key", "a.yaml", "? [a]\n: 1\n", "a.yaml:1:3 error syntax"},
		{"two documents", "a.yaml", "a: 1\n---\nb: 2\n", "a.yaml:2:1 warning several-documents"},
		{"deep JSON", "a.json", deep("["), "a.json:1:502 error too-deep"},
		{"deep YAML lists", "a.yaml", deep("- "), "a.yaml:1:1 error too-deep"},
		{"deep YAML flow", "a.yaml", "a: " + deep("["), "a.yaml:1:1 error too-deep"},
		{"deep YAML maps", "a.yaml", "a: " + deep("{a: "), "a.yaml:1:1 error too-deep"},
		{"JSON truncated", "a.json", "{\"a\": [1, 2", "a.json:1:12 error syntax"},
		{"JSON text not closed", "a.json", "{\"a\": \"b", "a.json:1:9 error syntax"},
		{"JSON trailing comma", "a.json", "{\"a\": 1,\n}", "a.json:2:1 error syntax"},
		{"JSON number", "a.json", "[01]", "a.json:1:2 error syntax"},
		{"JSON escape", "a.json", `["\x"]`, "a.json:1:3 error syntax"},
		{"JSON trailing", "a.json", "{} {}", "a.json:1:4 error syntax"},
		{"too large", "a.json", strings.Repeat(" ", node.MaxBytes+1), "a.json:1:1 error too-large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, diags := load(t, files{c.file: c.text}, c.file)
			if got := strings.TrimSpace(show(*diags)); got != c.want {
				t.Errorf("got  %s\nwant %s\n%v", got, c.want, (*diags)[0].Message)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	f := files{
		"api/root.yaml": strings.Join([]string{
			"local: {$ref: '#/target'}",
			"target: {found: here}",
			"escaped: {$ref: '#/paths/~1pets~1%7Bid%7D'}",
			"paths: {'/pets/{id}': {found: escaped}}",
			"anchor: {$ref: '#there'}",
			"named: {$anchor: there, found: anchor}",
			"file: {$ref: '../shared/a%20b.yaml'}",
			"inFile: {$ref: '../shared/a%20b.yaml#/list/1'}",
			"chain: {$ref: '#/local'}",
			"id: {$ref: 'https://example.com/me.json'}",
			"identified: {$id: 'https://example.com/me.json', found: id}",
			"missing: {$ref: '#/nowhere'}",
			"noFile: {$ref: 'nowhere.yaml'}",
			"remote: {$ref: 'https://example.com/other.json'}",
			"loop: {$ref: '#/pool'}",
			"pool: {$ref: '#/loop'}",
			"self: {$ref: '#/self'}",
		}, "\n"),
		"shared/a b.yaml": "found: file\nlist: [0, {$ref: 'c.json#/x'}]\n",
		"shared/c.json":   `{"x": {"found": "second file"}}`,
	}
	root, l, diags := load(t, f, "api/root.yaml")
	for key, want := range map[string]string{
		"local": "here", "target": "here", "escaped": "escaped", "anchor": "anchor", "file": "file",
		"inFile": "second file", "chain": "here", "id": "id",
	} {
		if got := l.Resolve(root.Get(key)).Get("found").Text(); got != want {
			t.Errorf("%s leads to %q, want %q", key, got, want)
		}
	}
	if len(*diags) > 0 {
		t.Fatalf("unexpected: %s", show(*diags))
	}
	for _, key := range []string{"missing", "noFile", "remote", "loop", "self", "missing"} {
		if n := l.Resolve(root.Get(key)); n != nil {
			t.Errorf("%s leads to %s", key, n.Pointer())
		}
	}
	want := `api/root.yaml:12:17 error broken-reference
api/root.yaml:13:16 error missing-file
api/root.yaml:14:16 error remote-reference
api/root.yaml:15:14 error reference-loop
api/root.yaml:17:14 error reference-loop
`
	if got := show(*diags); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := strings.Join(l.Files(), " "); got != "api/root.yaml shared/a b.yaml shared/c.json" {
		t.Errorf("files read: %s", got)
	}
}

func TestAbsentNodes(t *testing.T) {
	var n *node.Node
	if n.Get("a").At(3).Kind() != node.Absent || n.Len() != 0 || n.Pointer() != "" || n.Span().Line != 0 || n.Root() != nil {
		t.Error("an absent node has content")
	}
	for range n.Items() {
		t.Error("an absent node has items")
	}
}

// TestLongLines: a document may be one line, with aliases that lead back to its start. It
// must not cost more than its size; were places counted from the start of the line for
// every value, this would take minutes.
func TestLongLines(t *testing.T) {
	text := "a: {pad: '" + strings.Repeat("é", 400_000) + "', x: &x [1], y: [" + strings.Repeat("*x, ", 90_000) + "]}\n" +
		"b: {" + "k: {é: 1}, " + strings.Join(slices.Collect(func(yield func(string) bool) {
		for i := range 40_000 {
			if !yield("é" + strconv.Itoa(i) + ": [1]") {
				return
			}
		}
	}), ", ") + "}\n"
	var diags diag.List
	root := node.NewLoader(func(string) ([]byte, error) { return []byte(text), nil }, &diags).Load("a.yaml")
	if len(diags) > 0 || root.Get("a").Get("y").Len() != 90_000 || root.Get("b").Len() != 40_001 {
		t.Fatalf("%d findings", len(diags))
	}
	last := root.Get("b").At(40_000)
	if s := last.KeySpan(); s.Col != len(text)-strings.LastIndexByte(text[:len(text)-1], '\n')-len("é39999: [1]}\n") {
		t.Errorf("%+v", s)
	}
}
